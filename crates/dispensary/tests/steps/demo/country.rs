//! The lines of a demo, as the rules see them.

use std::collections::HashMap;
use std::hash::Hash;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use dispensary::{Registries, RequestRecords};
use dispense_demo::{Demo, Dispensable, Pharmacy};
use dispense_domain::registry::{
    CarePlan, CarePlanActivity, MedicationRequest, Person, RegistryKind,
};
use dispense_domain::{
    Care, Command, CreateHold, Dispensing, MedicationRequestId, PersonId, Refusals, Sight, Terms,
    decide,
};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use uuid::Uuid;

/// The day on which the registry is looked at.
pub(super) fn today() -> NaiveDate {
    "2026-11-22".parse().unwrap()
}

/// Noon of that day.
fn now() -> DateTime<Utc> {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

/// A number, exactly.
pub(super) fn decimal(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

/// A whole registry, and of which medication requests something was handed over.
#[derive(Default)]
pub(super) struct Country {
    registries: Registries,
    persons: HashMap<PersonId, Arc<Person>>,
    requests: HashMap<MedicationRequestId, Arc<MedicationRequest>>,
    plans: HashMap<Uuid, Arc<CarePlan>>,
    activities: HashMap<Uuid, Arc<CarePlanActivity>>,
    handed_over: HashMap<PersonId, Vec<Arc<MedicationRequest>>>,
}

#[derive(serde::Deserialize)]
struct Line<'a> {
    kind: RegistryKind,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Line<'_> {
    /// Keeps the record of this line under its id.
    fn keep<T: DeserializeOwned, K: Eq + Hash>(
        &self,
        records: &mut HashMap<K, Arc<T>>,
        id: impl Fn(&T) -> K,
    ) {
        let record: T = serde_json::from_str(self.data.get()).unwrap();
        records.insert(id(&record), Arc::new(record));
    }
}

impl Country {
    pub(super) fn of(demo: &Demo) -> Self {
        let mut country = Self::default();
        for line in demo.lines() {
            country.add(&serde_json::from_str(&line).unwrap());
        }
        country.registries.index();
        country
    }

    fn add(&mut self, line: &Line<'_>) {
        let small = &mut self.registries;
        match line.kind {
            RegistryKind::LegalEntity => line.keep(&mut small.legal_entities, |it| it.id),
            RegistryKind::Division => line.keep(&mut small.divisions, |it| it.id),
            RegistryKind::HealthcareService => {
                line.keep(&mut small.healthcare_services, |it| it.id);
            }
            RegistryKind::Party => line.keep(&mut small.parties, |it| it.id),
            RegistryKind::PartyUser => line.keep(&mut small.party_users, |it| it.user_id),
            RegistryKind::Employee => line.keep(&mut small.employees, |it| it.id),
            RegistryKind::Contract => line.keep(&mut small.contracts, |it| it.id),
            RegistryKind::MedicalProgram => line.keep(&mut small.medical_programs, |it| it.id),
            RegistryKind::MedicalProgramProvision => line.keep(&mut small.provisions, |it| it.id),
            RegistryKind::Medication => line.keep(&mut small.medications, |it| it.id),
            RegistryKind::ProgramMedication => {
                line.keep(&mut small.program_medications, |it| it.id.uuid());
            }
            RegistryKind::Person => line.keep(&mut self.persons, |it| it.id),
            RegistryKind::MedicationRequest => line.keep(&mut self.requests, |it| it.id),
            RegistryKind::CarePlan => line.keep(&mut self.plans, |it| it.id),
            RegistryKind::CarePlanActivity => line.keep(&mut self.activities, |it| it.id),
        }
    }

    /// Something of it was handed over.
    pub(super) fn hand_over(&mut self, wanted: &Dispensable) {
        let request = &self.requests[&wanted.medication_request_id.into()];
        self.handed_over.entry(request.person_id).or_default().push(request.clone());
    }

    /// What becomes of a hold on a medication request of which nothing is held.
    pub(super) fn decide(&self, order: &CreateHold, terms: Terms) -> Result<(), Refusals> {
        let found = self.requests.get(&order.medication_request_id).cloned();
        let records = found.map(|request| RequestRecords {
            person: self.persons.get(&request.person_id).cloned(),
            others: self.handed_over.get(&request.person_id).cloned().unwrap_or_default(),
            care: self.care(&request),
            request,
        });
        let request = records.map(|records| self.registries.request_evidence(records));
        let evidence = self.registries.evidence(order, request, &Arc::new(terms));
        let sight = Sight { at: now(), evidence, salt: [0; 32] };
        let command = Command::CreateHold(Arc::new(order.clone()));
        decide(&Dispensing::default(), &command, &sight).map(drop)
    }

    fn care(&self, request: &MedicationRequest) -> Option<Care> {
        let based_on = request.is_based_on();
        Some(Care {
            activity: self.activities.get(&based_on.activity?).cloned(),
            plan: based_on.care_plan.and_then(|id| self.plans.get(&id)).cloned(),
            processed: Decimal::ZERO,
        })
    }

    /// A pharmacist at every outlet, whatever is wrong with it.
    pub(super) fn pharmacists(&self) -> impl Iterator<Item = Pharmacy> {
        let users: HashMap<_, _> =
            self.registries.party_users.values().map(|it| (it.party_id, it.user_id)).collect();
        self.registries.employees.values().filter_map(move |job| {
            Some(Pharmacy {
                user_id: users.get(&job.party_id)?.uuid(),
                party_id: job.party_id.uuid(),
                party_name: String::new(),
                legal_entity_id: job.legal_entity_id.uuid(),
                client_type: "PHARMACY",
                division_id: job.division_id?.uuid(),
            })
        })
    }
}
