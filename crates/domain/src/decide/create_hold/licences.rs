//! Rule 11: what the outlet is licensed to do.

use serde_json::Value;

use super::Case;
use crate::decide::table::{Judgement, PASSED, failed};
use crate::registry::{HealthcareService, LegalEntity, MedicationType};
use crate::{Code, Member, Place, Refusal};

const ACTIVE: &str = "ACTIVE";

/// Rule 11a: where the program says which licences it takes, the outlet has an active sale service
/// under an active licence of such a type.
pub(super) fn may_sell(case: &Case<'_>) -> Judgement {
    let evidence = &case.sight.evidence;
    let settings = &evidence.program.as_ref()?.medical_program_settings;
    let allowed = settings.license_types_allowed.as_ref().filter(|types| !types.is_empty())?;
    case.own_outlet()?;
    let company = evidence.legal_entity.as_deref();
    let licensed = evidence.healthcare_services.iter().any(|service| {
        is_active(service, "SALE")
            && licence_status(service) == Some(ACTIVE)
            && licence_type(service, company)
                .is_some_and(|kind| allowed.iter().any(|it| it.as_str() == kind))
    });
    if licensed {
        return PASSED;
    }
    let allowed: Vec<&str> = allowed.iter().map(AsRef::as_ref).collect();
    failed(
        Refusal::of(Code::LicenceMissing).at(Place::Division).with("allowed", allowed.join(", ")),
    )
}

/// Rule 11b: who dispenses what it makes itself has an active production service.
pub(super) fn may_produce(case: &Case<'_>) -> Judgement {
    let evidence = &case.sight.evidence;
    let found = evidence.medications.iter().enumerate();
    let mut made_here = found.filter_map(|(index, medication)| {
        let medication = medication.as_ref()?;
        (medication.kind == MedicationType::InnmDosage).then_some((index, medication.id))
    });
    let (index, medication) = made_here.next()?;
    case.own_outlet()?;
    // A licence that the registry does not state is not held against it; the service is.
    let licensed = evidence.healthcare_services.iter().any(|service| {
        is_active(service, "PRODUCTION")
            && licence_status(service).is_none_or(|status| status == ACTIVE)
    });
    if licensed {
        return PASSED;
    }
    failed(
        Refusal::of(Code::ProductionLicenceMissing)
            .at(Place::Item(index, Member::Medication))
            .with("medicationId", medication),
    )
}

fn is_active(service: &HealthcareService, kind: &str) -> bool {
    service.is_active && service.status.as_str() == ACTIVE && service.kind.as_str() == kind
}

fn licence_status(service: &HealthcareService) -> Option<&str> {
    service.licensed_healthcare_service.as_ref().map(|licence| licence.status.as_str())
}

/// The type of the licence behind a service: the service says it, or the company's licence of that
/// id does.
fn licence_type<'a>(
    service: &'a HealthcareService,
    company: Option<&'a LegalEntity>,
) -> Option<&'a str> {
    if let Some(kind) = &service.license_type {
        return Some(kind.as_str());
    }
    let id = service.license_id.as_ref()?;
    let licences = match company?.licenses.as_ref()?.value() {
        Value::Array(licences) => licences.as_slice(),
        one => std::slice::from_ref(one),
    };
    let licence = licences.iter().find(|licence| licence["id"] == id.as_str())?;
    licence["type"].as_str()
}
