//! What decisions are made from: what registries say, and the terms.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use dispensary::{Registries, RequestRecords};
use dispense_domain::registry::{MedicalProgram, MedicationRequest, ProgramSettings};
use dispense_domain::{MedicationRequestId, RequestEvidence, Terms};
use uuid::Uuid;

use super::sample;

/// What decisions are made from.
pub(in super::super) struct Ground {
    pub(in super::super) registries: Registries,
    pub(in super::super) requests: Vec<RequestRecords>,
    pub(in super::super) terms: Terms,
}

impl Ground {
    /// The sample, changed.
    pub(super) fn sample(change: impl FnOnce(&mut Self)) -> Self {
        let mut ground = Self {
            registries: sample::registries(),
            requests: sample::requests(),
            terms: Terms::default(),
        };
        ground.change(change);
        ground
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        self.registries.index();
    }

    /// What is known of the medication request of that id.
    pub(in super::super) fn records(&mut self, id: &str) -> &mut RequestRecords {
        let id: MedicationRequestId = id.parse::<Uuid>().unwrap().into();
        self.requests.iter_mut().find(|records| records.request.id == id).unwrap()
    }

    /// The medication request of that id.
    pub(in super::super) fn request(&mut self, id: &str) -> &mut MedicationRequest {
        Arc::make_mut(&mut self.records(id).request)
    }

    /// The program of that id.
    pub(in super::super) fn program(&mut self, id: &str) -> &mut MedicalProgram {
        record(&mut self.registries.medical_programs, id)
    }

    /// The settings of the program of that id.
    pub(in super::super) fn settings(&mut self, id: &str) -> &mut ProgramSettings {
        Arc::make_mut(&mut self.program(id).medical_program_settings)
    }

    /// That medication request with what it points at.
    pub(super) fn evidence_of(&self, id: MedicationRequestId) -> Option<RequestEvidence> {
        let records = self.requests.iter().find(|records| records.request.id == id)?;
        Some(self.registries.request_evidence(records.clone()))
    }
}

/// The record of that id in a registry.
pub(in super::super) fn record<'a, K, V>(
    registry: &'a mut HashMap<K, Arc<V>>,
    id: &str,
) -> &'a mut V
where
    K: From<Uuid> + Eq + Hash,
    V: Clone,
{
    Arc::make_mut(registry.get_mut(&id.parse::<Uuid>().unwrap().into()).unwrap())
}
