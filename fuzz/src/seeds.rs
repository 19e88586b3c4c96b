//! Writes the seeds: containers as they should be, and some that should not be; bodies; and parts of an
//! export.

use std::fs;
use std::time::{Duration, SystemTime};

use dispense_audit::export::LogFile;
use dispense_audit::note;
use dispense_fuzz::{CHECKPOINT, DOCUMENTS, authority, checkpoint_key, corpus};
use dispense_signing::development::{
    DevelopmentCa, Holder, Identity, KeyKind, Profile, Usage, signed_by_all,
};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let ca = DevelopmentCa::load_or_create(&authority())?;
    let root = ca.authority();
    let now = SystemTime::now();
    let holder = Holder {
        tax_id: "3126509816".to_owned(),
        surname: "Шевченко".to_owned(),
        given_name: "Оксана".to_owned(),
    };
    let person = Profile::of(&holder).valid(now, now + Duration::from_secs(3_650 * 24 * 60 * 60));
    let issuing = root.subordinate("КНЕДП")?.subordinate("Філія")?;
    let qualified: &[u8] = b"\x30\x0a\x30\x08\x06\x06\x04\x00\x8e\x46\x01\x01";
    let signers: Vec<Identity> = [
        root.issue(&person),
        root.issue(&person.clone().key(KeyKind::P384)),
        root.issue(&person.clone().key(KeyKind::P521)),
        root.issue(&person.clone().key(KeyKind::Rsa(2048))),
        root.issue(&person.clone().seal()),
        root.issue(&person.clone().usage(Usage::Encryption)),
        root.issue(&person.clone().critical_extension("1.3.6.1.5.5.7.1.3", qualified)),
        root.issue(&Profile::of(&holder).expired()),
        issuing.issue(&person),
        Identity::self_signed(&person),
    ]
    .into_iter()
    .collect::<Result<_, _>>()?;

    let mut containers = Vec::new();
    for document in DOCUMENTS {
        for signer in &signers {
            containers.push(signer.sign(document)?);
        }
        containers.push(signers[0].sign_detached(document)?);
        containers.push(signed_by_all(&[], document)?);
        containers.push(signed_by_all(&[&signers[0], &signers[3]], document)?);
        containers.push(signed_by_all(&[&signers[0], &signers[4]], document)?);
    }
    for target in ["container", "verification"] {
        let folder = corpus(target);
        fs::create_dir_all(&folder)?;
        for (number, container) in containers.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:02}")), container)?;
        }
    }
    write_exports()?;
    write_bodies()
}

/// What an export is made of.
fn write_exports() -> Result<(), Failure> {
    const LINE: &str = r#"{"partition":3,"position":7,"sequence":1,"eventId":"00000000-0000-0000-0000-000000000001","type":"Expired","version":"1.0","recordedAt":"2023-11-14T22:13:20.000001Z","medicationRequestId":"9a3b2c1d-0000-4000-8000-000000000001","dispenseId":"00000000-0000-0000-0000-000000000002","payload":{"type":"Expired"},"metadata":{"user":"system"},"hash":"abababababababababababababababababababababababababababababababab"}"#;
    const ERASURE: &str = r#"{"number":1,"kind":"person","id":"00000000-0000-0000-0000-000000000001","reason":"\"letter\" 17","byUser":"9a3b2c1d-0000-4000-8000-000000000001","at":"2023-11-14T22:13:20.000001Z","places":[ {} ],"hash":"0707070707070707070707070707070707070707070707070707070707070707"}"#;
    let key = checkpoint_key();
    let log = LogFile {
        log_id: Uuid::from_u128(0x0123_4567_89ab_cdef),
        partitions: 4,
        epoch: 1,
        key: Some(key.verifier().clone()),
    };
    let note = note::sign(CHECKPOINT, &key);
    let folder = corpus("export");
    fs::create_dir_all(&folder)?;
    for (number, seed) in [LINE, ERASURE, CHECKPOINT, &note, &log.text()].into_iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:02}")), seed)?;
    }
    Ok(())
}

/// The bodies that each route of `targets/bodies.rs` takes, behind the number of the route.
fn write_bodies() -> Result<(), Failure> {
    const CREATE: &str = r#"{"prescriptionId":"00000000-0000-4000-8000-0000000000e2","pharmacyId":"00000000-0000-4000-8000-000000000033","programId":"00000000-0000-4000-8000-0000000000f1","dispensedAt":"2026-03-02","verificationCode":"0000","items":[{"medicineCode":"00000000-0000-4000-8000-0000000000b1","quantityDispensed":10,"batchNumber":"A-17","expiryDate":"2027-01-31","unitPrice":4.5,"totalPrice":135.25,"discountAmount":35.2,"programMedicationId":"00000000-0000-4000-8000-0000000000a1"}],"note":"n"}"#;
    const REGISTER: &str = r#"{"code":"1234","medication_dispense":{"medication_request_id":"00000000-0000-4000-8000-0000000000e2","division_id":"00000000-0000-4000-8000-000000000033","medical_program_id":"00000000-0000-4000-8000-0000000000f2","dispensed_at":"2026-03-02","dispensed_by":"O","payment_id":"1","payment_amount":20,"dispense_details":[{"medication_id":"00000000-0000-4000-8000-0000000000b1","medication_qty":10,"sell_price":4.5,"sell_amount":135.25,"discount_amount":35.2,"batch_number":"A-17","expiry_date":"2027-01-31","medication_2d_codes":["1"]}]}}"#;
    const CONTENT: &str = r#"{"signedContent":"MAA=","signedContentEncoding":"base64"}"#;
    const REGISTERS_CONTENT: &str = r#"{"signed_medication_dispense":"MAA=","signed_content_encoding":"base64"}"#;
    const CANCEL: &str = r#"{"reason":"r","paymentId":"1"}"#;
    const REJECT: &str = r#"{"payment_id":"1","reject_reason":"r"}"#;
    const QUALIFY: &str = r#"{"programs":[{"id":"00000000-0000-4000-8000-0000000000f1"}],"pharmacyId":"00000000-0000-4000-8000-000000000033"}"#;
    const REGISTERS_QUALIFY: &str = r#"{"programs":[{"id":"00000000-0000-4000-8000-0000000000f1"},{"id":"00000000-0000-4000-8000-0000000000f2"}],"division_id":"00000000-0000-4000-8000-000000000033"}"#;
    let bodies = [
        CREATE, CREATE, CONTENT, CANCEL, QUALIFY, REGISTER, REGISTER, REGISTERS_CONTENT, REJECT,
        REGISTERS_QUALIFY,
    ];
    let folder = corpus("bodies");
    fs::create_dir_all(&folder)?;
    for (route, body) in (0..).zip(bodies) {
        let seed = [&[route], body.as_bytes()].concat();
        fs::write(folder.join(format!("seed-{route:02}")), seed)?;
    }
    Ok(())
}
