//! The chain of everything but medication requests, in memory: what a test puts there.

use async_trait::async_trait;
use dispensary::Unavailable;
use dispensary::registry_changes::{Change, Changed, ChangesAsked, Known, RegistryChanges};

use super::State;

pub(super) struct MemoryChanges(pub(super) State);

#[async_trait]
impl RegistryChanges for MemoryChanges {
    async fn changes(&self, asked: &ChangesAsked) -> Result<Vec<Change>, Unavailable> {
        let inner = self.0.get();
        if inner.failure.is_some() {
            return Err(Unavailable::database("connection refused (secret detail)"));
        }
        let is_asked_for = |change: &&Change| {
            let is_of = match asked.of {
                Changed::Record(kind, id) => change.kind == kind.as_str() && change.id == id,
                Changed::Chain { partition, from, to } => {
                    change.place.partition == partition
                        && (from..=to).contains(&change.place.number)
                }
            };
            let is_known = match asked.known {
                Known::Ever => true,
                Known::AtVersion(version) => change.version <= version,
                Known::At(at) => change.at <= at,
            };
            is_of && is_known && asked.after.is_none_or(|it| change.place.number < it.number)
        };
        let page = inner.changes.iter().rev().filter(is_asked_for);
        Ok(page.take(asked.limit.try_into().unwrap()).cloned().collect())
    }
}
