//! No event names a person; the personal body beside it does, and no more than it must.

use std::sync::Arc;

use dispense_domain::registry::{
    Division, LegalEntity, MedicationRequest, Person, ProgramSettings,
};
use dispense_domain::{
    Cancel, CancelledBody, DispenseEvent, HoldBody, Personal, ProcessedBody, Stated, salt_for,
};
use serde_json::{Value, json};

use crate::golden::{every_setting, file, pretty};
use crate::sample::{
    DOSAGE, OUTLET, PHARMACY, PROGRAM, REQUEST, Scene, all_in_order, day, hryvnias, id, program,
    quantity, record, text, uuid,
};

/// The golden files that are personal bodies.
pub(crate) const BODIES: [&str; 4] =
    ["HoldBody-full", "HoldBody-brief", "ProcessedBody", "CancelledBody"];

/// A legal entity in which every string is recognisable.
fn company(number: u128, mark: &str) -> Arc<LegalEntity> {
    record(&json!({
        "id": uuid(number), "name": format!("{mark}-name"), "short_name": format!("{mark}-short"),
        "public_name": format!("{mark}-public"), "type": "PHARMACY", "edrpou": format!("{mark}-edrpou"),
        "status": "ACTIVE", "is_active": true, "nhs_verified": true, "mis_verified": "VERIFIED",
        "accreditation": {"order": format!("{mark}-accreditation")},
        "licenses": [{"number": format!("{mark}-licence")}]
    }))
}

fn site(number: u128, owner: u128, mark: &str) -> Arc<Division> {
    record(&json!({
        "id": uuid(number), "legal_entity_id": uuid(owner), "name": format!("{mark}-name"),
        "type": "DRUGSTORE", "status": "ACTIVE", "is_active": true, "dls_id": "thing-dls",
        "dls_verified": true, "mountain_group": false,
        "addresses": [{"street": format!("{mark}-contact-street")}],
        "phones": [{"number": format!("{mark}-contact-phone")}],
        "email": format!("{mark}-contact-email"), "external_id": format!("{mark}-contact-external"),
        "location": {"latitude": 50.4, "longitude": 30.5},
        "working_hours": {"mon": [[format!("{mark}-contact-hours"), "20.00"]]}
    }))
}

fn worker(number: u128, mark: &str) -> Value {
    json!({
        "id": uuid(number), "first_name": format!("{mark}-first"),
        "last_name": format!("{mark}-last"), "second_name": format!("{mark}-second"),
        "birth_date": "1971-07-17", "tax_id": format!("{mark}-tax"), "no_tax_id": false,
        "phones": [{"number": format!("{mark}-phone")}],
        "documents": [{"number": format!("{mark}-passport")}]
    })
}

fn talkative_request() -> Arc<MedicationRequest> {
    record(&json!({
        "id": uuid(REQUEST), "request_number": "0000-1234-AEHK-MPTX", "status": "ACTIVE",
        "is_active": true, "intent": "order", "category": "community",
        "created_at": "2026-03-01", "started_at": "2026-03-01", "ended_at": "2026-05-29",
        "dispense_valid_from": "2026-03-01", "dispense_valid_to": "2026-03-30",
        "person_id": uuid(0x7_0001), "employee_id": uuid(0x7_0002), "division_id": uuid(0x7_0003),
        "legal_entity_id": uuid(0x7_0004), "medication_id": uuid(DOSAGE), "medication_qty": 60,
        "medical_program_id": uuid(PROGRAM), "verification_code": "secret-code",
        "based_on": [{"type": "care_plan", "id": uuid(0xa_0001), "display": "text-care-plan"}],
        "context": {"display": "text-context"},
        "dosage_instruction": [{"text": "text-dosage"}],
        "rejected_at": "text-rejected-at", "rejected_by": uuid(0x7_0009),
        "reject_reason": "text-reject-reason", "reject_reason_code": "text-reject-code",
        "is_blocked": true, "block_reason": "text-block-reason",
        "block_reason_code": "text-block-code", "blocked_to": "text-blocked-to",
        "blocked_by_legal_entity_id": uuid(PHARMACY),
        "container_dosage": {"text": "text-container"}, "priority": "text-priority",
        "prior_prescription": {"text": "text-prior"}, "note": "text-doctors-note",
        "inform_with": {"text": "text-inform"}
    }))
}

/// Everybody has a recognisable name, and every free text says something.
fn everybody_named() -> Scene {
    let mut scene = all_in_order();
    scene.hold.dispensed_by = Some(text("text-dispensed-by"));
    scene.hold.note = Some(text("text-note"));
    scene.hold.verification_code = Some(text("secret-code"));
    scene.hold.payment_id = Stated::Value(text("text-payment"));
    scene.hold.payment_amount = Stated::Value(hryvnias("1"));
    let mut settings = every_setting();
    settings.skip_medication_dispense_sign = Some(true);
    let evidence = &mut scene.sight.evidence;
    evidence.program = Some(program(settings));
    evidence.legal_entity = Some(company(PHARMACY, "pharmacy"));
    evidence.division = Some(site(OUTLET, PHARMACY, "outlet"));
    evidence.party = Some(record(&worker(0x6_0002, "pharmacist")));
    let request = evidence.request.as_mut().unwrap();
    request.request = talkative_request();
    request.person = Some(Arc::new(Person {
        id: id(0x7_0001),
        first_name: text("patient-first"),
        last_name: text("patient-last"),
        second_name: Some(text("patient-second")),
        birth_date: day("1963-09-29"),
    }));
    request.doctor = Some(record(&worker(0x7_0005, "doctor")));
    request.employee = Some(record(&json!({
        "id": uuid(0x7_0002), "party_id": uuid(0x7_0005), "legal_entity_id": uuid(0x7_0004),
        "employee_type": "DOCTOR", "position": "doctor-position", "status": "APPROVED"
    })));
    request.legal_entity = Some(company(0x7_0004, "clinic"));
    request.division = Some(site(0x7_0003, 0x7_0004, "site"));
    scene
}

fn sealed(event: &DispenseEvent) -> (String, String) {
    let body = event.personal().and_then(Personal::text).map_or("", AsRef::as_ref).to_owned();
    (serde_json::to_string(event).unwrap(), body)
}

#[track_caller]
fn names(json: &str, words: &str) {
    for word in words.split_whitespace() {
        assert!(json.contains(word), "{word} is missing in {json}");
    }
}

#[track_caller]
fn never_names(json: &str, words: &str) {
    for word in words.split_whitespace() {
        assert!(!json.contains(word), "{word} is in {json}");
    }
}

#[test]
fn a_hold_names_nobody_and_its_body_names_whom_it_must() {
    let events = everybody_named().granted();
    let (event, body) = sealed(&events[0]);
    never_names(&event, "pharmacy- outlet-contact pharmacist doctor- patient- clinic site text-");
    names(&event, "outlet-name thing-dls community 0000-1234-AEHK-MPTX");
    names(
        &body,
        "pharmacy-name pharmacy-short pharmacy-public pharmacy-edrpou outlet-contact-street \
         outlet-contact-phone outlet-contact-email outlet-contact-external outlet-contact-hours \
         pharmacist-first pharmacist-last pharmacist-second pharmacist-phone 1971-07-17 \
         doctor-first doctor-last doctor-second doctor-phone doctor-position clinic-name \
         clinic-short clinic-public clinic-edrpou clinic-accreditation clinic-licence site-name \
         site-contact-street site-contact-phone site-contact-email patient-last text-context text-care-plan \
         text-dosage text-rejected-at text-reject-reason text-reject-code text-block-reason \
         text-block-code text-blocked-to text-container text-priority text-prior \
         text-doctors-note text-inform text-dispensed-by text-note",
    );
}

/// Codes, tax ids, documents and a patient's full name and birthday are kept nowhere.
#[test]
fn some_things_are_kept_nowhere() {
    for event in everybody_named().granted() {
        for json in <[String; 2]>::from(sealed(&event)) {
            never_names(
                &json,
                "secret-code tax_id\":\"p -tax -passport patient-first patient-second 1963 \
                 pharmacy-accreditation pharmacy-licence",
            );
        }
    }
    let (_, body) = sealed(&everybody_named().granted()[0]);
    let body: HoldBody = serde_json::from_str(&body).unwrap();
    assert_eq!(body.person.short_name, "patient-last P.-F. P.-S.");
    assert_eq!(body.person.age, 62);
    assert_eq!(body.employee.party.birth_date, None);
}

#[test]
fn receipts_and_reasons_stand_in_bodies_alone() {
    let mut scene = everybody_named();
    let events = scene.granted();
    let (event, body) = sealed(&events[1]);
    never_names(&event, "text-payment");
    names(&body, "text-payment");

    scene.under(ProgramSettings::default());
    (scene.hold.payment_id, scene.hold.payment_amount) = (Stated::Absent, Stated::Absent);
    scene.happens();
    let wish = Cancel {
        reason: Some(text("text-reason")),
        payment_id: Some(text("text-payment")),
        ..crate::cancel::cancel(&scene, "cancel")
    };
    let (event, body) = sealed(&crate::cancel::asked(&scene, &wish).unwrap()[0]);
    never_names(&event, "text-");
    names(&body, "text-reason text-payment");
}

/// The event holds the digest of the very text that is stored.
#[test]
fn an_event_holds_the_digest_of_its_body() {
    for event in everybody_named().granted() {
        let personal = event.personal().unwrap();
        let (json, body) = sealed(&event);
        let digest = dispense_domain::Digest::of(&[body.as_bytes()]);
        assert_eq!(personal.digest(), digest);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["personal"], digest.to_string());
        let read: DispenseEvent = serde_json::from_value(json).unwrap();
        assert_eq!(read, event);
        assert_eq!(read.personal().unwrap().text(), None, "what is read holds no text");
    }
}

/// Another salt, another digest: nobody can guess a name and try.
#[test]
fn the_same_body_never_has_the_same_digest_twice() {
    let digest = |salt: [u8; 32]| {
        let events = all_in_order().but(|it| it.sight.salt = salt).granted();
        events[0].personal().unwrap().digest()
    };
    assert_ne!(digest([1; 32]), digest([2; 32]));
    assert_ne!(salt_for(&[1; 32], "HoldCreated"), salt_for(&[1; 32], "Processed"));
}

/// Bodies are read for as long as events are; their shapes are kept too.
#[test]
fn every_body_is_read_and_written_as_it_always_was() {
    let mut brief = all_in_order();
    brief.request().medication_qty = quantity("60");
    brief.company().nhs_verified = false;
    let body = |event: &DispenseEvent| sealed(event).1;
    let hold = |scene: &Scene| serde_json::from_str(&body(&scene.granted()[0])).unwrap();
    let full: HoldBody = hold(&everybody_named());
    let brief: HoldBody = hold(&brief);
    let salt = salt_for(&[7; 32], "Processed");
    let processed = ProcessedBody { salt, payment_id: Some(text("A-1")) };
    let salt = salt_for(&[7; 32], "Cancelled");
    let (payment_id, reason) = (Some(text("A-1")), None);
    let cancelled = CancelledBody { salt, payment_id, reason };
    let written = [pretty(&full), pretty(&brief), pretty(&processed), pretty(&cancelled)];
    for (name, written) in BODIES.iter().zip(written) {
        assert_eq!(written, file(name), "{name}");
    }
    assert_eq!(serde_json::from_str::<HoldBody>(&file(BODIES[0])).unwrap(), full);
    assert_eq!(serde_json::from_str::<HoldBody>(&file(BODIES[1])).unwrap(), brief);
    assert_eq!(serde_json::from_str::<ProcessedBody>(&file(BODIES[2])).unwrap(), processed);
    assert_eq!(serde_json::from_str::<CancelledBody>(&file(BODIES[3])).unwrap(), cancelled);
}
