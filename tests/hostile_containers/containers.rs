//! Containers.

use std::iter::once;

use dispense_signing::development::{Authority, Identity, Profile, Usage, signed_by_all};
use openssl::asn1::Asn1Type;
use openssl::nid::Nid;

use super::der::{element, nested, replaced, without_length};
use super::{Target, why};
use crate::harness::{Order, authority};

const COUNT: &str = "signature-count";
const INVALID: &str = "signature-invalid";

/// As long as a document may be so that its container just fits into a body.
const FITS: usize = 195_000;

/// ECDSA with SHA-256, and an algorithm that nobody has heard of.
const ECDSA: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const UNHEARD: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x7f, 0x7f];

/// Plain data, and enveloped data.
const PLAIN: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENVELOPED: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];

/// Somebody with that certificate of the trusted authority.
fn issued(profile: &Profile) -> Identity {
    authority().issue(profile).unwrap()
}

impl Target {
    /// The document, signed by somebody with that certificate of the trusted authority.
    fn signed_with(&self, profile: &Profile) -> Vec<u8> {
        issued(profile).sign(&self.signable()).unwrap()
    }

    fn signed_by(&self, authority: &Authority) -> Vec<u8> {
        authority.issue(&self.profile()).unwrap().sign(&self.signable()).unwrap()
    }
}

fn random(length: usize) -> Vec<u8> {
    (0..length).map(|_| rand::random()).collect()
}

/// An authority so many authorities below the trusted one.
fn below(steps: usize) -> Authority {
    (0..steps).fold(authority().clone(), |above, n| above.subordinate(&format!("no. {n}")).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_container_is_refused() {
    let target = Target::new().await;
    let sound = target.pharmacy.sign(&target.document, crate::harness::PAID);
    let half = sound.len() / 2;
    let last = sound.len() - 1;
    let many = element(0x30, &[0x05, 0x00].repeat(90_000));
    let pem = b"-----BEGIN CMS-----\nMIAGCSqGSIb3DQEHAqCAMIACAQExDTALBg\n-----END CMS-----\n";
    let none: &[(&str, &[u8])] = &[
        ("nothing", b""),
        ("garbage", &random(4_096)),
        ("zeros", &[0; 4_096]),
        ("a long garbage", &random(FITS)),
        ("a PDF", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n%%EOF\n"),
        ("an archive", b"PK\x03\x04\x14\x00\x08\x00\x08\x00"),
        ("the document alone", &target.signable()),
        ("PEM", pem),
        ("the first byte", &sound[..1]),
        ("a half", &sound[..half]),
        ("all but the last byte", &sound[..last]),
        ("something behind it", &[&sound[..], b"\0"].concat()),
        ("two of them", &[&sound[..], &sound].concat()),
        ("a length that is not said", &without_length(&sound)),
        (
            "a length beyond all memory",
            &[&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &sound[4..]].concat(),
        ),
        ("sequences in sequences", &nested(FITS)),
        ("many elements", &many),
        ("an enveloped document", &replaced(&sound, &[0x01, 0x07, 0x02], &[0x01, 0x07, 0x03])),
    ];
    for (what, container) in none {
        target.refuses(what, container, COUNT).await;
    }
    let answer = target.pharmacy.send(&Order::processing(target.held, b"")).await;
    assert!(why(&answer).contains("base64"), "says what may be wrong: {answer:#?}");
    target.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_without_exactly_one_signature_of_a_person_is_refused() {
    let target = Target::new().await;
    let document = target.signable();
    let [one, other] = [target.profile(), target.profile()].map(|it| issued(&it));
    let seal = issued(&target.profile().seal());
    let mut crowded = one.clone();
    crowded.chain = (0..17).map(|_| issued(&target.profile()).certificate).collect();
    let by = |signers: &[&Identity]| signed_by_all(signers, &document).unwrap();
    for (what, container) in [
        ("two signatures", by(&[&one, &other])),
        ("one signature twice", by(&[&one, &one])),
        ("no signature", by(&[])),
        ("a stamp", by(&[&seal])),
        ("a signature and a stamp", by(&[&one, &seal])),
        ("many certificates", crowded.sign(&document).unwrap()),
    ] {
        target.refuses(what, &container, COUNT).await;
    }
    target.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_does_not_hold_is_refused() {
    let target = Target::new().await;
    let (document, profile) = (target.signable(), target.profile());
    let sound = target.signed_with(&profile);
    let impostor = Authority::root("Dispense Service, tests only").unwrap();
    let no_authority = issued(&profile).into_authority();
    let alone = Identity::self_signed(&profile).unwrap();
    let mut large = document.clone();
    large.resize(FITS, b' ');
    let amount = br#""payment_amount":20"#;
    let lower = br#""payment_amount":10"#;
    let last = sound.len() - 1;
    let bent: Vec<u8> = sound[..last].iter().copied().chain(once(sound[last] ^ 1)).collect();
    for (what, container) in [
        ("detached", issued(&profile).sign_detached(&document).unwrap()),
        ("another kind of content", replaced(&sound, PLAIN, ENVELOPED)),
        ("an unheard algorithm", replaced(&sound, ECDSA, UNHEARD)),
        ("another amount", replaced(&sound, amount, lower)),
        ("a bent signature", bent),
        ("self-signed", alone.sign(&document).unwrap()),
        ("self-signed, as long as it may be", alone.sign(&large).unwrap()),
        ("an authority of the same name", target.signed_by(&impostor)),
        ("a pharmacist as an authority", target.signed_by(&no_authority)),
        ("a chain of ten", target.signed_by(&below(10))),
        ("expired", target.signed_with(&profile.clone().expired())),
        ("not valid yet", target.signed_with(&profile.clone().not_yet_valid())),
        ("for encryption", target.signed_with(&profile.clone().usage(Usage::Encryption))),
    ] {
        target.refuses(what, &container, INVALID).await;
    }
    target.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_somebody_else_is_refused() {
    let target = Target::new().await;
    let profile = target.profile();
    let person = &target.pharmacy.person;
    let bare = |attribute| profile.clone().without(attribute);
    let written =
        |attribute, text: &str| bare(attribute).also_written(attribute, Asn1Type::UTF8STRING, text);
    let tax_id = format!("TINUA-{}", person.tax_id);
    for (what, profile, code) in [
        ("no tax id", bare(Nid::SERIALNUMBER), "signer-tax-id-missing"),
        ("another tax id", written(Nid::SERIALNUMBER, "TINUA-1111111111"), "signer-tax-id"),
        ("no surname", bare(Nid::SURNAME), "signer-surname-missing"),
        ("another surname", written(Nid::SURNAME, "Інша"), "signer-surname"),
        ("two surnames", profile.clone().also_named(Nid::SURNAME, "Інша"), INVALID),
        ("a surname up to NUL", written(Nid::SURNAME, &format!("{}\0", person.surname)), INVALID),
        ("a tax id up to NUL", written(Nid::SERIALNUMBER, &format!("{tax_id}\0001")), INVALID),
    ] {
        target.refuses(what, &target.signed_with(&profile), code).await;
    }
    target.unharmed().await;
}
