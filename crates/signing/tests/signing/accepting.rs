//! What counts.

use std::fs;

use dispensary::Signatures;
use dispense_signing::development::{Authority, DevelopmentCa, Identity, KeyKind, Profile};
use dispense_signing::{MAX_AUTHORITIES, Verifier, VerifierSettings};
use openssl::hash::{MessageDigest, hash};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer};
use openssl::x509::X509Ref;

use crate::forge::{
    CONTENT_TYPE, Forged, MESSAGE_DIGEST, PLAIN_DATA, SHA_256, SHA_384, SHA_512, algorithm,
    attribute, element, number, octets, oid, sequence, set,
};
use crate::sample::{DOCUMENT, World, holder, profile, signer};

const RSA: &str = "1.2.840.113549.1.1.1";
const RSA_PSS: &str = "1.2.840.113549.1.1.10";
const MASK_1: &str = "1.2.840.113549.1.1.8";
const QC_STATEMENTS: &str = "1.3.6.1.5.5.7.1.3";
const TIME_STAMP: &str = "1.2.840.113549.1.9.16.2.14";

#[tokio::test]
async fn what_the_development_authority_signs_counts() {
    let folder = tempfile::tempdir().unwrap();
    let ca = DevelopmentCa::load_or_create(folder.path()).unwrap();
    let trust_anchors = Some(ca.trust_anchors_path().to_owned());
    let verifier = Verifier::load(VerifierSettings { trust_anchors, crls: None }).unwrap();
    let opened = verifier.open(ca.sign(&holder(), DOCUMENT).unwrap()).await.unwrap();
    assert_eq!(opened.signature, Ok(signer()));
    assert_eq!(opened.document.as_deref(), Some(DOCUMENT));
}

#[test]
fn every_accepted_kind_of_key_signs() {
    let world = World::new();
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521, KeyKind::Rsa(2048)] {
        let pharmacist = world.issue(&profile().key(kind));
        assert_eq!(world.open(&pharmacist.sign(DOCUMENT).unwrap()), Ok(signer()), "{kind:?}");
    }
}

#[test]
fn a_signature_without_the_name_of_its_certificate_counts() {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    let plain = Forged::by(&pharmacist, DOCUMENT).signed(&pharmacist);
    assert_eq!(world.open(&plain), Ok(signer()));
}

#[test]
fn a_signer_may_be_named_by_the_key() {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    let mut named = Forged::by(&pharmacist, DOCUMENT);
    let identifier = pharmacist.certificate.subject_key_id().unwrap();
    named.name = element(0x80, &[identifier.as_slice()]);
    assert_eq!(world.open(&named.signed(&pharmacist)), Ok(signer()));
}

#[test]
fn every_accepted_digest_counts() {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    for (name, scheme, digest) in [
        (SHA_256, "1.2.840.10045.4.3.2", MessageDigest::sha256()),
        (SHA_384, "1.2.840.10045.4.3.3", MessageDigest::sha384()),
        (SHA_512, "1.2.840.10045.4.3.4", MessageDigest::sha512()),
    ] {
        let mut signed = Forged::by(&pharmacist, DOCUMENT);
        signed.digest = algorithm(name);
        signed.algorithm = algorithm(scheme);
        signed.attributes = Some(vec![
            attribute(CONTENT_TYPE, &[&oid(PLAIN_DATA)]),
            attribute(MESSAGE_DIGEST, &[&octets(&hash(digest, DOCUMENT).unwrap())]),
        ]);
        assert_eq!(world.open(&signed.signed_over(&pharmacist, digest)), Ok(signer()), "{name}");
    }
}

#[test]
fn rsa_counts_with_and_without_the_digest_in_its_name_and_with_pss() {
    let world = World::new();
    let pharmacist = world.issue(&profile().key(KeyKind::Rsa(2048)));
    for name in [RSA, "1.2.840.113549.1.1.11"] {
        let mut signed = Forged::by(&pharmacist, DOCUMENT);
        signed.algorithm = sequence(&[&oid(name), &[0x05, 0x00]]);
        assert_eq!(world.open(&signed.signed(&pharmacist)), Ok(signer()), "{name}");
    }
    let [with_256, with_512] = [MessageDigest::sha256(), MessageDigest::sha512()];
    let pss = |name, mask, digest, salt| signed_with_pss(&pharmacist, name, mask, digest, salt);
    let sound = pss(SHA_256, MASK_1, (SHA_256, with_256), 32);
    assert_eq!(world.open(&sound), Ok(signer()));
    // Both digests have to be the one that was signed over, and the salt as long.
    for refused in [
        pss(SHA_256, MASK_1, (SHA_512, with_512), 32),
        pss(SHA_512, MASK_1, (SHA_512, with_512), 64),
        pss(SHA_256, MASK_1, (SHA_256, with_256), 20),
        pss(SHA_256, "1.2.840.113549.1.1.9", (SHA_256, with_256), 32),
    ] {
        assert_eq!(world.flaw(&refused), "the algorithm of the signature is not allowed");
    }
}

/// A true signature over SHA-256, with that mask, whatever it is said to be over.
fn signed_with_pss(
    pharmacist: &Identity,
    digest: &str,
    mask: &str,
    (mask_digest, masked_with): (&str, MessageDigest),
    salt: u8,
) -> Vec<u8> {
    let mut forged = Forged::by(pharmacist, DOCUMENT);
    let parameters = sequence(&[
        &element(0xa0, &[&algorithm(digest)]),
        &element(0xa1, &[&sequence(&[&oid(mask), &algorithm(mask_digest)])]),
        &element(0xa2, &[&number(salt)]),
    ]);
    forged.algorithm = sequence(&[&oid(RSA_PSS), &parameters]);
    let mut signer = Signer::new(MessageDigest::sha256(), &pharmacist.key).unwrap();
    signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
    signer.set_rsa_mgf1_md(masked_with).unwrap();
    signer.set_rsa_pss_saltlen(RsaPssSaltlen::custom(i32::from(salt))).unwrap();
    forged.signature = signer.sign_oneshot_to_vec(&forged.to_be_signed()).unwrap();
    forged.container()
}

#[test]
fn authorities_between_come_from_the_container() {
    let world = World::new();
    let mut authority = world.authority.clone();
    for level in 0..MAX_AUTHORITIES {
        authority = authority.subordinate(&format!("КНЕДП {level}")).unwrap();
    }
    let container = authority.issue(&profile()).unwrap().sign(DOCUMENT).unwrap();
    assert_eq!(world.open(&container), Ok(signer()));
}

/// Software in use often sends no more than the signer's own certificate.
#[test]
fn authorities_between_may_be_trust_anchors() {
    let root = Authority::root("ЦЗО").unwrap();
    let issuing = root.subordinate("КНЕДП").unwrap();
    let mut pharmacist = issuing.issue(&profile()).unwrap();
    pharmacist.chain.clear();
    let container = pharmacist.sign(DOCUMENT).unwrap();
    let [root, issuing] = [&root, &issuing].map(|it| it.certificate_pem().unwrap());

    let folder = tempfile::tempdir().unwrap();
    let trust_anchors = folder.path().join("anchors.pem");
    for (anchors, trusted) in
        [([&root[..], &issuing].concat(), true), (issuing.clone(), true), (root.clone(), false)]
    {
        fs::write(&trust_anchors, anchors).unwrap();
        let settings = VerifierSettings { trust_anchors: Some(trust_anchors.clone()), crls: None };
        let opened = Verifier::load(settings).unwrap().open_here(&container);
        assert_eq!(opened.signature.is_ok(), trusted);
    }
}

#[test]
fn qualified_certificates_may_say_so_critically() {
    let world = World::new();
    let compliance = sequence(&[&sequence(&[&oid("0.4.0.1862.1.1")])]);
    let qualified = profile().critical_extension(QC_STATEMENTS, &compliance);
    let container = world.issue(&qualified).sign(DOCUMENT).unwrap();
    assert_eq!(world.open(&container), Ok(signer()));
}

#[test]
fn what_is_not_signed_may_be_added() {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    let mut stamped = Forged::by(&pharmacist, DOCUMENT);
    stamped.unsigned = Some(set(0xa1, vec![attribute(TIME_STAMP, &[&octets(b"any time")])]));
    assert_eq!(world.open(&stamped.signed(&pharmacist)), Ok(signer()));
}

#[test]
fn an_empty_document_can_be_signed() {
    let world = World::new();
    let opened = world.verifier.open_here(&world.issue(&profile()).sign(b"").unwrap());
    assert_eq!(opened.document.as_deref(), Some(&b""[..]));
    assert_eq!(opened.signature, Ok(signer()));
}

#[test]
fn certificates_that_nobody_asked_for_change_nothing() {
    let world = World::new();
    let mut pharmacist = world.issue(&profile());
    let stranger = Authority::root("Чужий").unwrap();
    pharmacist.chain.push(stranger.certificate().clone());
    pharmacist.chain.push(stranger.issue(&Profile::of(&holder())).unwrap().certificate);
    assert_eq!(world.open(&pharmacist.sign(DOCUMENT).unwrap()), Ok(signer()));
}

/// Numbers are drawn by each authority for itself.
#[test]
fn a_certificate_of_the_same_number_is_not_that_of_the_signer() {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    let stranger = Authority::root("Чужий").unwrap().issue(&profile()).unwrap().certificate;
    let number = |it: &X509Ref| it.serial_number().to_bn().unwrap().to_vec();
    let [own, other] = [number(&pharmacist.certificate), number(&stranger)];
    let mut stranger = stranger.to_der().unwrap();
    let at = stranger.windows(other.len()).position(|it| it == other).unwrap();
    stranger[at..at + own.len()].copy_from_slice(&own);
    let mut both = Forged::by(&pharmacist, DOCUMENT);
    both.certificates.push(stranger);
    assert_eq!(world.open(&both.signed(&pharmacist)), Ok(signer()));
}
