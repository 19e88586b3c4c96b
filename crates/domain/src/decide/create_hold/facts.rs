//! The facts that rules look at, for those who ask why. No name of a person, and no code.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::line::lines;
use super::patient::{MOST_WRONG_CODES, tried_lately};
use super::quantity::{in_parts, requested};
use super::{Case, MOST_DISPENSES};
use crate::registry::{BasedOn, Contract, HealthcareService};
use crate::{Money, Provision, qualify};

/// Facts by their names.
pub type Facts = Map<String, Value>;

fn facts(object: Value) -> Facts {
    match object {
        Value::Object(facts) => facts,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

pub(super) fn day(case: &Case<'_>) -> Facts {
    let created = case.sight.evidence.request.as_ref().and_then(|it| it.request.created_at);
    facts(json!({
        "dispensedOn": case.command.dispensed_on,
        "today": case.today,
        "createdAt": created,
    }))
}

pub(super) fn legal_entity(case: &Case<'_>) -> Facts {
    let evidence = &case.sight.evidence;
    let found = evidence.legal_entity.as_ref();
    facts(json!({
        "legalEntityId": case.command.client,
        "found": found.is_some(),
        "status": found.map(|it| it.status),
        "isActive": found.map(|it| it.is_active),
        "nhsVerified": found.map(|it| it.nhs_verified),
        "type": found.map(|it| &it.kind),
        "allowedTypes": evidence.terms.legal_entity_types,
    }))
}

pub(super) fn party(case: &Case<'_>) -> Facts {
    let party = case.sight.evidence.party.as_ref().map(|it| it.id);
    facts(json!({"userId": case.command.user, "partyId": party}))
}

pub(super) fn employees(case: &Case<'_>) -> Facts {
    let jobs = case.sight.evidence.employees.iter();
    let jobs: Vec<Value> = jobs
        .map(|job| json!({"id": job.id, "status": job.status, "isActive": job.is_active}))
        .collect();
    facts(json!({"employees": jobs}))
}

pub(super) fn request(case: &Case<'_>) -> Facts {
    let found = case.sight.evidence.request.as_ref();
    let request = found.map(|it| &it.request);
    facts(json!({
        "medicationRequestId": case.command.medication_request_id,
        "found": found.is_some(),
        "status": request.map(|it| it.status),
        "isActive": request.map(|it| it.is_active),
        "isCompleted": case.dispensing.is_completed(),
        "intent": request.map(|it| it.intent),
        "dispenseValidFrom": request.map(|it| it.dispense_valid_from),
        "dispenseValidTo": request.map(|it| it.dispense_valid_to),
        "today": case.today,
    }))
}

pub(super) fn block(case: &Case<'_>) -> Facts {
    let request = case.sight.evidence.request.as_ref().map(|it| &it.request);
    let blocked_by = request.and_then(|it| it.blocked_by_legal_entity_id);
    facts(json!({
        "isBlocked": request.map(|it| it.is_blocked),
        "blockedTo": request.map(|it| &it.blocked_to),
        "blockedByAsker": blocked_by.map(|it| it == case.command.client),
    }))
}

pub(super) fn division(case: &Case<'_>) -> Facts {
    let evidence = &case.sight.evidence;
    let found = evidence.division.as_ref();
    facts(json!({
        "divisionId": case.command.division_id,
        "found": found.is_some(),
        "status": found.map(|it| it.status),
        "isActive": found.map(|it| it.is_active),
        "isOfAsker": found.map(|it| it.legal_entity_id == case.command.client),
        "dlsVerified": found.map(|it| it.dls_verified),
        "dlsIsAskedFor": evidence.terms.division_dls_verify.is_on(),
    }))
}

pub(super) fn licences(case: &Case<'_>) -> Facts {
    let evidence = &case.sight.evidence;
    let service = |it: &Arc<HealthcareService>| {
        json!({
            "id": it.id,
            "type": it.kind,
            "status": it.status,
            "isActive": it.is_active,
            "licenseType": it.license_type,
            "licenseStatus": it.licensed_healthcare_service.as_ref().map(|it| &it.status),
        })
    };
    let services = case.own_outlet().map(|_| evidence.healthcare_services.iter().map(service));
    let services: Option<Vec<Value>> = services.map(Iterator::collect);
    let program = evidence.program.as_ref();
    let allowed = program.and_then(|it| it.medical_program_settings.license_types_allowed.as_ref());
    facts(json!({"licenseTypesAllowed": allowed, "healthcareServices": services}))
}

pub(super) fn program(case: &Case<'_>) -> Facts {
    let evidence = &case.sight.evidence;
    let prescribed = evidence.request.as_ref().map(|it| it.request.medical_program_id);
    facts(json!({
        "medicalProgramId": case.command.medical_program_id,
        "prescribedProgramId": prescribed,
        "found": evidence.program.is_some(),
        "isActive": evidence.program.as_ref().map(|it| it.is_active),
        "fundingSource": evidence.program.as_ref().map(|it| &it.funding_source),
        "settings": evidence.program.as_ref().map(|it| &it.medical_program_settings),
    }))
}

fn contract(contract: &Contract) -> Value {
    json!({
        "contractNumber": contract.contract_number,
        "type": contract.kind,
        "status": contract.status,
        "isActive": contract.is_active,
        "isSuspended": contract.is_suspended,
        "startDate": contract.start_date,
        "endDate": contract.end_date,
    })
}

pub(super) fn contracts(case: &Case<'_>) -> Facts {
    let evidence = &case.sight.evidence;
    let division = case.command.division_id;
    let of_program = evidence
        .contracts
        .iter()
        .filter(|it| case.command.medical_program_id.is_some_and(|program| it.covers(program)));
    let contracts: Vec<Value> = of_program
        .map(|it| {
            let mut told = contract(it);
            told["divisionTakesPart"] = it.division_ids.contains(&division).into();
            told
        })
        .collect();
    let settings = evidence.program.as_ref().map(|it| &it.medical_program_settings);
    facts(json!({
        "isSkipped": settings.map(|it| it.skips_contract_and_provision()),
        "contracts": contracts,
        "today": case.today,
    }))
}

pub(super) fn provisions(case: &Case<'_>) -> Facts {
    let evidence = &case.sight.evidence;
    let provision = |it: &Provision| {
        json!({
            "id": it.record.id,
            "isActive": it.record.is_active,
            "contractNumber": it.record.contract_number,
            "contracts": it.contracts.iter().map(|it| contract(it)).collect::<Vec<_>>(),
        })
    };
    let provisions = case.own_outlet().map(|_| evidence.provisions.iter().map(provision));
    let provisions: Option<Vec<Value>> = provisions.map(Iterator::collect);
    let program = evidence.program.as_ref();
    let settings = program.map(|it| &it.medical_program_settings);
    facts(json!({
        "provisionIsAskedFor": evidence.terms.program_provision_verify.is_on(),
        "isSkipped": settings.map(|it| it.skips_contract_and_provision()),
        "fundingSource": program.map(|it| &it.funding_source),
        "provisions": provisions,
        "today": case.today,
    }))
}

pub(super) fn items(case: &Case<'_>) -> Facts {
    let terms = &case.sight.evidence.terms;
    let lines: Vec<Value> = lines(case)
        .map(|line| {
            let medication = line.medication;
            let participant = line.participant();
            let paid = participant.map(|it| it.reimbursement.reimbursement_amount);
            json!({
                "medicationId": line.wanted.medication_id,
                "found": medication.is_some(),
                "type": medication.map(|it| it.kind),
                "isActive": medication.map(|it| it.is_active),
                "dosageId": medication.and_then(|it| it.dosage_id()),
                "packageQty": medication.and_then(|it| it.whole_package()),
                "step": medication.and_then(|it| it.step(participant)),
                "programMedicationId": participant.map(|it| it.id),
                "reimbursementType": participant.map(|it| &it.reimbursement.kind),
                "reimbursementAmount": paid.map(Money::decimal),
                "quantity": line.wanted.quantity,
                "totalPrice": line.wanted.total_price,
                "discountAmount": line.wanted.discount_amount,
                "expiryDate": line.wanted.expiry_date,
            })
        })
        .collect();
    let evidence = &case.sight.evidence;
    let prescribed = evidence.request.as_ref().map(|it| it.request.medication_id);
    facts(json!({
        "prescribedMedicationId": prescribed,
        "dispensedOn": case.command.dispensed_on,
        "today": case.today,
        "isFundedElsewhere": evidence.program.as_ref().map(|it| it.is_funded_elsewhere()),
        "deviation": terms.deviation.decimal(),
        "tolerance": terms.tolerance,
        "items": lines,
    }))
}

pub(super) fn code(case: &Case<'_>) -> Facts {
    let kept = case.sight.evidence.request.as_ref().map(|it| &it.request.verification_code);
    facts(json!({
        "hasCode": kept.map(Option::is_some),
        "codeGiven": case.command.verification_code.is_some(),
        "wrongCodesLately": tried_lately(case).len(),
        "limit": MOST_WRONG_CODES,
    }))
}

pub(super) fn care(case: &Case<'_>) -> Facts {
    let found = case.sight.evidence.request.as_ref();
    let based_on = found.map(|it| it.request.is_based_on()).unwrap_or_default();
    let BasedOn { care_plan, activity } = based_on;
    let followed = found.and_then(|it| it.care.as_ref());
    let plan = followed.and_then(|it| it.plan.as_ref());
    facts(json!({
        "carePlanId": care_plan,
        "carePlanStatus": plan.map(|it| &it.status),
        "carePlanEnd": plan.and_then(|it| it.period.as_ref()).and_then(|it| it.end.as_ref()),
        "activityId": activity,
        "activityStatus": followed.and_then(|it| it.activity.as_ref()).map(|it| &it.status),
        "today": case.today,
    }))
}

pub(super) fn qualification(case: &Case<'_>) -> Facts {
    let evidence = &case.sight.evidence;
    let found = evidence.request.as_ref();
    let today = case.today;
    let followed = found.and_then(|it| it.care.as_ref());
    let activity = followed.and_then(|it| it.activity.as_ref());
    let program = found.and_then(|it| it.program.as_ref());
    let settings = program.map(|it| &it.medical_program_settings);
    facts(json!({
        "medicalProgramId": found.and_then(|it| it.request.medical_program_id),
        "isActive": program.map(|it| it.is_active),
        "skipsTreatmentPeriod": settings.map(|it| it.skips_treatment_period()),
        "prescribed": found.map(|it| it.request.medication_qty),
        "participants": found.map(|it| qualify::usable(&it.approved, today).count()),
        "otherRequestsOfSubstance": found.map(|it| qualify::overlapping(it).count()),
        "activityQuantity": activity.and_then(|it| it.quantity),
        "activityDispensed": followed.map(|it| it.processed.normalize()),
    }))
}

pub(super) fn quantity(case: &Case<'_>) -> Facts {
    let registry = case.sight.evidence.request.as_ref().map(|it| it.request.medication_qty);
    let prescribed = case.dispensing.prescribed().or(registry);
    facts(json!({
        "prescribed": prescribed,
        "requested": requested(case),
        "dispensed": case.dispensing.processed().normalize(),
        "held": case.dispensing.held(case.sight.at).normalize(),
        "available": prescribed.map(|it| case.dispensing.remaining(it)),
        "partsAllowed": in_parts(case),
        "dispenses": case.dispensing.dispenses().len(),
        "limit": MOST_DISPENSES,
    }))
}

pub(super) fn payment(case: &Case<'_>) -> Facts {
    let program = case.sight.evidence.program.as_ref();
    let skips = program.is_some_and(|it| it.medical_program_settings.skips_signature());
    facts(json!({
        "skipsSignature": skips,
        "paymentIdStated": case.command.payment_id.is_present(),
        "paymentAmountStated": case.command.payment_amount.is_present(),
    }))
}
