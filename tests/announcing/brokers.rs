//! Brokers: the one that all tests share, and one of a test's own.

use std::sync::{Arc, Mutex};

use dispense_embedded::{Broker, BrokerBuilder, Result};
use tempfile::TempDir;

use crate::harness::temporary;

/// The addresses of the broker that all tests share.
pub(crate) fn shared() -> String {
    std::env::var("TEST_KAFKA_BROKERS").expect(
        "TEST_KAFKA_BROKERS is not set; run the tests with `make test` or under with-servers",
    )
}

/// A broker of a test's own, which is gone with its data when this is dropped.
#[derive(Clone)]
pub(crate) struct OwnBroker(Arc<Inner>);

struct Inner {
    broker: Mutex<Broker>,
    addresses: String,
    inside: String,
    _folder: TempDir,
}

impl OwnBroker {
    pub(crate) async fn start() -> Self {
        Self::built(|builder| builder).await
    }

    /// A broker that is built in a special way.
    pub(crate) async fn built(
        built: impl FnOnce(BrokerBuilder) -> BrokerBuilder + Send + 'static,
    ) -> Self {
        let start = || {
            let folder = temporary();
            let builder = Broker::builder(folder.path().join("broker")).throwaway();
            let broker = built(builder).start().unwrap();
            let (addresses, inside) = (broker.addresses(), broker.inside_addresses());
            let broker = Mutex::new(broker);
            Self(Arc::new(Inner { broker, addresses, inside, _folder: folder }))
        };
        tokio::task::spawn_blocking(start).await.unwrap()
    }

    /// Where clients find it.
    pub(crate) fn addresses(&self) -> &str {
        &self.0.addresses
    }

    /// Where nobody is asked for a password.
    pub(crate) fn inside(&self) -> &str {
        &self.0.inside
    }

    async fn with(&self, work: impl FnOnce(&mut Broker) -> Result<()> + Send + 'static) {
        let inner = self.0.clone();
        let work = move || work(&mut inner.broker.lock().unwrap());
        tokio::task::spawn_blocking(work).await.unwrap().unwrap();
    }

    /// Stops it as an operator would.
    pub(crate) async fn stop(&self) {
        self.with(Broker::stop).await;
    }

    /// Ends it as a crash would.
    pub(crate) async fn kill(&self) {
        self.with(Broker::kill).await;
    }

    /// Starts it again, on the same ports.
    pub(crate) async fn start_again(&self) {
        self.with(Broker::start_again).await;
    }

    /// Ends one node as a crash would.
    pub(super) async fn kill_node(&self, id: usize) {
        self.with(move |broker| broker.kill_node(id)).await;
    }

    /// Starts that node again, on the same ports.
    pub(super) async fn start_node_again(&self, id: usize) {
        self.with(move |broker| broker.start_node_again(id)).await;
    }

    /// Grants a user rights, in the words of `kafka-acls`.
    pub(crate) async fn grant(&self, user: &'static str, rights: &[String]) {
        let rights = rights.to_vec();
        self.with(move |broker| {
            broker.grant(user, &rights.iter().map(String::as_str).collect::<Vec<_>>())
        })
        .await;
    }
}
