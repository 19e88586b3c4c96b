//! Legal entities, divisions and medical programs in a document.

use dispense_domain::registry::{self, DivisionStatus, LegalEntityStatus, ProgramSettings};
use dispense_domain::{
    Carried, DivisionAsWas, DivisionContact, DivisionId, LegalEntityId, MedicalProgramId,
    ProgramAsWas, Text,
};
use serde::Serialize;

/// A company.
#[derive(Serialize)]
pub(super) struct LegalEntity<'a> {
    id: LegalEntityId,
    name: Option<&'a Text>,
    short_name: Option<&'a Text>,
    public_name: Option<&'a Text>,
    #[serde(rename = "type")]
    kind: Option<&'a Text>,
    edrpou: Option<&'a Text>,
    status: Option<LegalEntityStatus>,
}

impl<'a> LegalEntity<'a> {
    pub(super) fn of(id: LegalEntityId, found: Option<&'a registry::LegalEntity>) -> Self {
        Self {
            id,
            name: found.map(|it| &it.name),
            short_name: found.and_then(|it| it.short_name.as_ref()),
            public_name: found.and_then(|it| it.public_name.as_ref()),
            kind: found.map(|it| &it.kind),
            edrpou: found.and_then(|it| it.edrpou.as_ref()),
            status: found.map(|it| it.status),
        }
    }
}

/// The company of the doctor, with what allows it to work.
#[derive(Serialize)]
pub(super) struct Clinic<'a> {
    #[serde(flatten)]
    legal_entity: LegalEntity<'a>,
    accreditation: Option<&'a Carried>,
    licenses: Option<&'a Carried>,
}

impl<'a> Clinic<'a> {
    pub(super) fn of(id: LegalEntityId, found: Option<&'a registry::LegalEntity>) -> Self {
        Self {
            legal_entity: LegalEntity::of(id, found),
            accreditation: found.and_then(|it| it.accreditation.as_ref()),
            licenses: found.and_then(|it| it.licenses.as_ref()),
        }
    }
}

/// An outlet or a site.
#[derive(Serialize)]
pub(super) struct Division<'a> {
    id: DivisionId,
    name: Option<&'a Text>,
    legal_entity_id: Option<LegalEntityId>,
    #[serde(rename = "type")]
    kind: Option<&'a Text>,
    status: Option<DivisionStatus>,
    mountain_group: Option<&'a Carried>,
    addresses: Option<&'a Carried>,
    phones: Option<&'a Carried>,
    email: Option<&'a Text>,
    external_id: Option<&'a Text>,
    location: Option<&'a Carried>,
    working_hours: Option<&'a Carried>,
    dls_id: Option<&'a Text>,
    dls_verified: Option<bool>,
}

impl<'a> Division<'a> {
    /// The pharmacy's, of which the event holds all but how to reach it.
    pub(super) fn outlet(was: &'a DivisionAsWas, contact: Option<&'a DivisionContact>) -> Self {
        Self {
            id: was.id,
            name: Some(&was.name),
            legal_entity_id: Some(was.legal_entity_id),
            kind: Some(&was.kind),
            status: Some(was.status),
            mountain_group: contact.and_then(|it| it.mountain_group.as_ref()),
            addresses: contact.and_then(|it| it.addresses.as_ref()),
            phones: contact.and_then(|it| it.phones.as_ref()),
            email: contact.and_then(|it| it.email.as_ref()),
            external_id: contact.and_then(|it| it.external_id.as_ref()),
            location: contact.and_then(|it| it.location.as_ref()),
            working_hours: contact.and_then(|it| it.working_hours.as_ref()),
            dls_id: was.dls_id.as_ref(),
            dls_verified: was.dls_verified,
        }
    }

    /// The clinic's.
    pub(super) fn site(id: DivisionId, found: Option<&'a registry::Division>) -> Self {
        Self {
            id,
            name: found.map(|it| &it.name),
            legal_entity_id: found.map(|it| it.legal_entity_id),
            kind: found.map(|it| &it.kind),
            status: found.map(|it| it.status),
            mountain_group: found.and_then(|it| it.mountain_group.as_ref()),
            addresses: found.and_then(|it| it.addresses.as_ref()),
            phones: found.and_then(|it| it.phones.as_ref()),
            email: found.and_then(|it| it.email.as_ref()),
            external_id: found.and_then(|it| it.external_id.as_ref()),
            location: found.and_then(|it| it.location.as_ref()),
            working_hours: found.and_then(|it| it.working_hours.as_ref()),
            dls_id: found.and_then(|it| it.dls_id.as_ref()),
            dls_verified: found.and_then(|it| it.dls_verified),
        }
    }
}

/// The program of a dispense.
#[derive(Serialize)]
pub(super) struct MedicalProgram<'a> {
    id: MedicalProgramId,
    name: &'a Text,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a Text>,
    is_active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    funding_source: Option<&'a Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    medication_request_allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    medication_dispense_allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mr_blank_type: Option<&'a Text>,
    #[serde(rename = "medical_program_settings")]
    settings: &'a ProgramSettings,
}

impl<'a> From<&'a ProgramAsWas> for MedicalProgram<'a> {
    fn from(was: &'a ProgramAsWas) -> Self {
        Self {
            id: was.id,
            name: &was.name,
            kind: was.kind.as_ref(),
            is_active: was.is_active,
            funding_source: was.funding_source.as_ref(),
            medication_request_allowed: was.medication_request_allowed,
            medication_dispense_allowed: was.medication_dispense_allowed,
            mr_blank_type: was.mr_blank_type.as_ref(),
            settings: &was.settings,
        }
    }
}

/// The program that the doctor chose.
#[derive(Serialize)]
pub(super) struct ChosenProgram<'a> {
    pub(super) id: MedicalProgramId,
    pub(super) name: Option<&'a Text>,
    pub(super) medical_program_settings: Option<&'a ProgramSettings>,
}
