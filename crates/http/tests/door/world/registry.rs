//! The registry in memory: the records of `sample`, and a recorder of imports.

use std::sync::Arc;

use async_trait::async_trait;
use dispensary::asker::ClientType;
use dispensary::{FaultyLine, Line, Origin, Registries, Registry, Unavailable};
use dispense_domain::registry::MedicationRequest;
use dispense_domain::{LegalEntityId, MedicationRequestId, RequestEvidence, Text};

use super::{State, sample};

pub(super) struct SampleRegistry {
    state: State,
    registries: Arc<Registries>,
}

impl SampleRegistry {
    pub(super) fn new(state: State, registries: Registries) -> Self {
        Self { state, registries: Arc::new(registries) }
    }

    pub(super) fn registries(&self) -> Arc<Registries> {
        Arc::clone(&self.registries)
    }
}

/// The medication request of that id, and what it points at.
pub(super) fn evidence_of(
    registries: &Registries,
    id: MedicationRequestId,
) -> Option<RequestEvidence> {
    let request = sample::requests().into_iter().find(|request| request.id == id)?;
    Some(registries.request_evidence(Arc::new(request), Some(Arc::new(sample::person()))))
}

#[async_trait]
impl Registry for SampleRegistry {
    async fn request(
        &self,
        request: MedicationRequestId,
    ) -> Result<Option<RequestEvidence>, Unavailable> {
        Ok(evidence_of(&self.registries, request))
    }

    async fn request_by_number(
        &self,
        number: &Text,
    ) -> Result<Option<MedicationRequestId>, Unavailable> {
        let numbered =
            |request: &MedicationRequest| request.request_number.as_ref() == Some(number);
        Ok(sample::requests().into_iter().find(numbered).map(|request| request.id))
    }

    fn small(&self) -> Arc<Registries> {
        self.registries()
    }

    fn client_type(&self, _legal_entity: LegalEntityId) -> Option<ClientType> {
        Some(ClientType::Pharmacy)
    }

    async fn import(&self, lines: Vec<Line>, by: &Origin) -> Result<Vec<FaultyLine>, Unavailable> {
        let mut inner = self.state.get();
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
