//! The registry in memory: the records of `sample`, and a recorder of imports.

use std::sync::Arc;

use async_trait::async_trait;
use dispensary::asker::ClientType;
use dispensary::{FaultyLine, Line, LogPosition, Origin, Registries, Registry, Unavailable};
use dispense_domain::{LegalEntityId, MedicationRequestId, RequestEvidence, Text};
use uuid::Uuid;

use super::State;

pub(super) struct SampleRegistry(pub(super) State);

#[async_trait]
impl Registry for SampleRegistry {
    async fn request(
        &self,
        request: MedicationRequestId,
    ) -> Result<Option<RequestEvidence>, Unavailable> {
        Ok(self.0.get().ground.evidence_of(request))
    }

    async fn request_by_number(
        &self,
        number: &Text,
    ) -> Result<Option<MedicationRequestId>, Unavailable> {
        let inner = self.0.get();
        let mut requests = inner.ground.requests.iter().map(|records| &records.request);
        let numbered = requests.find(|request| request.request_number.as_ref() == Some(number));
        Ok(numbered.map(|request| request.id))
    }

    async fn was_erased(&self, id: Uuid) -> Result<bool, Unavailable> {
        Ok(self.0.get().erased.contains(&id))
    }

    async fn container_was_erased(&self, key: &str) -> Result<bool, Unavailable> {
        Ok(self.0.get().erased_containers.iter().any(|erased| erased == key))
    }

    async fn body_was_erased(&self, _: LogPosition) -> Result<bool, Unavailable> {
        Ok(!self.0.get().erased.is_empty())
    }

    fn small(&self) -> Arc<Registries> {
        Arc::new(self.0.get().ground.registries.clone())
    }

    fn client_type(&self, _legal_entity: LegalEntityId) -> Option<ClientType> {
        Some(ClientType::Pharmacy)
    }

    async fn import(&self, lines: Vec<Line>, by: &Origin) -> Result<Vec<FaultyLine>, Unavailable> {
        let mut inner = self.0.get();
        if inner.takes_batches == 0 {
            return Err(Unavailable::database("connection refused (secret detail)"));
        }
        inner.takes_batches -= 1;
        inner.origins.push(by.clone());
        let faulty = lines.iter().filter(|line| !line.bytes.starts_with(b"{"));
        let faulty = faulty.map(|line| FaultyLine {
            line: line.number,
            code: "not-json",
            message: "expected a JSON object".to_owned(),
        });
        let faulty = faulty.collect();
        inner.batches.push(lines);
        Ok(faulty)
    }
}
