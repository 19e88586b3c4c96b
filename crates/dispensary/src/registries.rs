//! The small registries, whole and in memory: an immutable snapshot with a version.

use std::collections::HashMap;
use std::sync::Arc;

use dispense_domain::qualify::{ProgramEvidence, Qualify, QualifyEvidence};
use dispense_domain::registry::{
    Contract, Division, Employee, HealthcareService, LegalEntity, MedicalProgram,
    MedicalProgramProvision, Medication, MedicationRequest, MedicationType, Party, PartyUser,
    Person, ProgramMedication,
};
use dispense_domain::{
    Approved, Care, CreateHold, DivisionId, EmployeeId, Evidence, LegalEntityId, MedicalProgramId,
    MedicationId, OtherRequest, PartyId, Process, Provision, RequestEvidence, Terms, Text, UserId,
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
    approved: HashMap<(MedicalProgramId, MedicationId), Arc<[Approved]>>,
    contracts_of: HashMap<LegalEntityId, Arc<[Arc<Contract>]>>,
    services_of: HashMap<DivisionId, Arc<[Arc<HealthcareService>]>>,
    provisions_of: HashMap<(MedicalProgramId, DivisionId), Arc<[Provision]>>,
}

/// A medication request with what the large registries and the log say about it.
#[derive(Debug, Clone)]
pub struct RequestRecords {
    /// The record.
    pub request: Arc<MedicationRequest>,
    /// The patient.
    pub person: Option<Arc<Person>>,
    /// Other medication requests of the patient of which something was handed over.
    pub others: Vec<Arc<MedicationRequest>>,
    /// The care plan, where it is based on an activity of one.
    pub care: Option<Care>,
}

/// Groups records, each group in the order of its ids: equal registries decide equally.
fn grouped<K: std::hash::Hash + Eq, T: Clone, O: Ord>(
    records: impl Iterator<Item = (K, T)>,
    id: impl Fn(&T) -> O,
) -> HashMap<K, Arc<[T]>> {
    let mut groups: HashMap<K, Vec<T>> = HashMap::new();
    for (key, record) in records {
        groups.entry(key).or_default().push(record);
    }
    let sorted = groups.into_iter().map(|(key, mut group)| {
        group.sort_by_key(&id);
        (key, group.into())
    });
    sorted.collect()
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
        self.approved = grouped(self.all_approved(), |it| it.participant.id);
        let contracts = self.contracts.values();
        self.contracts_of =
            grouped(contracts.map(|it| (it.contractor_legal_entity_id, it.clone())), |it| it.id);
        let services = self.healthcare_services.values();
        self.services_of = grouped(services.map(|it| (it.division_id, it.clone())), |it| it.id);
        self.provisions_of = grouped(self.all_provisions(), |it| it.record.id);
    }

    /// The jobs of a person in a legal entity.
    pub(crate) fn jobs_of(
        &self,
        party: PartyId,
        legal_entity: LegalEntityId,
    ) -> impl Iterator<Item = &Employee> {
        let jobs = self.jobs.get(&(party, legal_entity));
        jobs.into_iter().flatten().map(AsRef::as_ref)
    }

    /// Each brand in a program, under the dosage that is prescribed.
    fn all_approved(
        &self,
    ) -> impl Iterator<Item = ((MedicalProgramId, MedicationId), Approved)> + '_ {
        self.program_medications.values().filter_map(|participant| {
            let brand = self.medications.get(&participant.medication_id)?;
            let dosage = match brand.kind {
                MedicationType::Brand => brand.dosage_id()?,
                MedicationType::InnmDosage => brand.id,
                MedicationType::Innm => return None,
            };
            let approved = Approved { participant: participant.clone(), brand: brand.clone() };
            Some(((participant.medical_program_id, dosage), approved))
        })
    }

    /// Each statement that an outlet provides a program, with the contracts of its number.
    fn all_provisions(
        &self,
    ) -> impl Iterator<Item = ((MedicalProgramId, DivisionId), Provision)> + '_ {
        let numbered: HashMap<Text, Arc<[Arc<Contract>]>> = grouped(
            self.contracts.values().map(|it| (it.contract_number.clone(), it.clone())),
            |it| it.id,
        );
        self.provisions.values().map(move |record| {
            let number = record.contract_number.as_ref();
            let contracts = number.and_then(|number| numbered.get(number)).cloned();
            let provision =
                Provision { record: record.clone(), contracts: contracts.unwrap_or_default() };
            ((record.medical_program_id, record.division_id), provision)
        })
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
            healthcare_services: found(&self.services_of, &command.division_id),
            program: program.and_then(|id| self.medical_programs.get(&id)).cloned(),
            contracts: found(&self.contracts_of, &command.client),
            provisions: program
                .map(|id| found(&self.provisions_of, &(id, command.division_id)))
                .unwrap_or_default(),
            medications: medications
                .map(|item| self.medications.get(&item.medication_id).cloned())
                .collect(),
            participants: participants.collect(),
            request,
            wrong_codes: Vec::new(),
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
        let program = command.medical_program_id;
        Evidence {
            party: user.and_then(|user| self.parties.get(&user.party_id)).cloned(),
            division: self.divisions.get(&command.division_id).cloned(),
            program: program.and_then(|id| self.medical_programs.get(&id)).cloned(),
            request,
            ..Evidence::none(terms.clone())
        }
    }

    /// All that a look at programs for this medication request may see.
    #[must_use]
    pub fn qualify_evidence(
        &self,
        asked: &Qualify,
        request: RequestEvidence,
        terms: &Arc<Terms>,
    ) -> QualifyEvidence {
        let dosage = request.request.medication_id;
        let programs = asked.programs.iter().map(|id| ProgramEvidence {
            program: self.medical_programs.get(id).cloned(),
            approved: found(&self.approved, &(*id, dosage)),
            provisions: asked
                .division_id
                .map(|division| found(&self.provisions_of, &(*id, division)))
                .unwrap_or_default(),
        });
        QualifyEvidence {
            terms: terms.clone(),
            programs: programs.collect(),
            division: asked.division_id.and_then(|id| self.divisions.get(&id)).cloned(),
            request,
        }
    }

    /// A medication request with what it points at.
    #[must_use]
    pub fn request_evidence(&self, records: RequestRecords) -> RequestEvidence {
        let RequestRecords { request, person, others, care } = records;
        let employee = self.employees.get(&request.employee_id).cloned();
        let doctor = employee.as_ref().and_then(|job| self.parties.get(&job.party_id)).cloned();
        let program = request.medical_program_id;
        let others = others.into_iter().map(|request| {
            let prescribed = self.medications.get(&request.medication_id);
            OtherRequest { innm_id: prescribed.and_then(|it| it.innm_id()), request }
        });
        RequestEvidence {
            person,
            doctor,
            employee,
            legal_entity: self.legal_entities.get(&request.legal_entity_id).cloned(),
            division: self.divisions.get(&request.division_id).cloned(),
            medication: self.medications.get(&request.medication_id).cloned(),
            program: program.and_then(|id| self.medical_programs.get(&id)).cloned(),
            approved: program
                .map(|id| found(&self.approved, &(id, request.medication_id)))
                .unwrap_or_default(),
            others: others.collect(),
            care,
            request,
        }
    }
}

/// What is found under that key, or nothing.
fn found<K: std::hash::Hash + Eq, T>(groups: &HashMap<K, Arc<[T]>>, key: &K) -> Arc<[T]> {
    groups.get(key).cloned().unwrap_or_default()
}
