//! A verifier and a store in memory: a container is the document itself, and the state says who
//! signed it.

use async_trait::async_trait;
use dispensary::{Contents, Kept, Opened, Signatures, Unavailable};
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use super::State;

pub(super) struct MemorySignatures(pub(super) State);

#[async_trait]
impl Signatures for MemorySignatures {
    async fn open(&self, container: Vec<u8>) -> Result<Opened, Unavailable> {
        let document = (!container.is_empty()).then_some(container);
        Ok(Opened { document, signature: self.0.get().signature.clone() })
    }
}

pub(super) struct MemoryContents(pub(super) State);

#[async_trait]
impl Contents for MemoryContents {
    async fn put(&self, key: &str, container: Vec<u8>) -> Result<(), Unavailable> {
        let mut inner = self.0.get();
        if inner.store_is_full {
            let source = "no space left (secret detail)".into();
            return Err(Unavailable { what: "the content store", source });
        }
        inner.contents.insert(key.to_owned(), container);
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.0.get().contents.get(key).cloned())
    }

    fn kept(&self) -> BoxStream<'_, Result<Kept, Unavailable>> {
        stream::empty().boxed()
    }

    async fn remove(&self, key: &str) -> Result<(), Unavailable> {
        self.0.get().contents.remove(key);
        Ok(())
    }
}
