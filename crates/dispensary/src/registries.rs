//! The small registries, whole and in memory: an immutable snapshot with a version.

use std::collections::HashMap;
use std::sync::Arc;

use dispense_domain::registry::{
    Contract, Division, Employee, HealthcareService, LegalEntity, MedicalProgram,
    MedicalProgramProvision, Medication, MedicationRequest, Party, PartyUser, Person,
    ProgramMedication,
};
use dispense_domain::{
    CreateHold, DivisionId, EmployeeId, Evidence, LegalEntityId, MedicalProgramId, MedicationId,
    PartyId, Process, RequestEvidence, Terms, UserId,
};
use uuid::Uuid;

/// What the small registries say, at one version. Decisions look here; no query for each rule.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each is the registry of its record")]
pub struct Registries {
    /// Raised by each import.
    pub version: i64,
    pub legal_entities: HashMap<LegalEntityId, Arc<LegalEntity>>,
    pub divisions: HashMap<DivisionId, Arc<Division>>,
    pub healthcare_services: HashMap<Uuid, Arc<HealthcareService>>,
    pub parties: HashMap<PartyId, Arc<Party>>,
    pub party_users: HashMap<UserId, Arc<PartyUser>>,
    pub employees: HashMap<EmployeeId, Arc<Employee>>,
    pub contracts: HashMap<Uuid, Arc<Contract>>,
    pub medical_programs: HashMap<MedicalProgramId, Arc<MedicalProgram>>,
    pub provisions: HashMap<Uuid, Arc<MedicalProgramProvision>>,
    pub medications: HashMap<MedicationId, Arc<Medication>>,
    pub program_medications: HashMap<Uuid, Arc<ProgramMedication>>,
    jobs: HashMap<(PartyId, LegalEntityId), Vec<Arc<Employee>>>,
    participants: HashMap<(MedicalProgramId, MedicationId), Vec<Arc<ProgramMedication>>>,
}

impl Registries {
    /// Brings the ways to find things in line with the things. Call it after a change; order is by
    /// id, so that equal registries decide equally.
    pub fn index(&mut self) {
        self.jobs.clear();
        for job in self.employees.values() {
            self.jobs.entry((job.party_id, job.legal_entity_id)).or_default().push(job.clone());
        }
        self.jobs.values_mut().for_each(|jobs| jobs.sort_by_key(|job| job.id));
        self.participants.clear();
        for it in self.program_medications.values() {
            let key = (it.medical_program_id, it.medication_id);
            self.participants.entry(key).or_default().push(it.clone());
        }
        self.participants.values_mut().for_each(|found| found.sort_by_key(|it| it.id));
    }

    /// All that a decision about this command may look at.
    #[must_use]
    pub fn evidence(
        &self,
        command: &CreateHold,
        request: Option<RequestEvidence>,
        terms: &Arc<Terms>,
    ) -> Evidence {
        let user = self.party_users.get(&command.user);
        let party = user.and_then(|user| self.parties.get(&user.party_id));
        let jobs = party.and_then(|party| self.jobs.get(&(party.id, command.client)));
        let program = command.medical_program_id;
        let medications = command.items.iter();
        let participants = command.items.iter().map(|item| {
            let found = program.and_then(|id| self.participants.get(&(id, item.medication_id)));
            found.cloned().unwrap_or_default()
        });
        Evidence {
            terms: terms.clone(),
            legal_entity: self.legal_entities.get(&command.client).cloned(),
            party: party.cloned(),
            employees: jobs.cloned().unwrap_or_default(),
            division: self.divisions.get(&command.division_id).cloned(),
            program: program.and_then(|id| self.medical_programs.get(&id)).cloned(),
            medications: medications
                .map(|item| self.medications.get(&item.medication_id).cloned())
                .collect(),
            participants: participants.collect(),
            request,
        }
    }

    /// All that a decision about this hand-over may look at.
    #[must_use]
    pub fn process_evidence(
        &self,
        command: &Process,
        request: Option<RequestEvidence>,
        terms: &Arc<Terms>,
    ) -> Evidence {
        let user = self.party_users.get(&command.user);
        Evidence {
            party: user.and_then(|user| self.parties.get(&user.party_id)).cloned(),
            division: self.divisions.get(&command.division_id).cloned(),
            request,
            ..Evidence::none(terms.clone())
        }
    }

    /// A medication request with what it points at.
    #[must_use]
    pub fn request_evidence(
        &self,
        request: Arc<MedicationRequest>,
        person: Option<Arc<Person>>,
    ) -> RequestEvidence {
        let employee = self.employees.get(&request.employee_id).cloned();
        let doctor = employee.as_ref().and_then(|job| self.parties.get(&job.party_id)).cloned();
        let program = request.medical_program_id.and_then(|id| self.medical_programs.get(&id));
        RequestEvidence {
            person,
            doctor,
            employee,
            legal_entity: self.legal_entities.get(&request.legal_entity_id).cloned(),
            division: self.divisions.get(&request.division_id).cloned(),
            medication: self.medications.get(&request.medication_id).cloned(),
            program: program.cloned(),
            request,
        }
    }
}
