//! Rule 4b of a hand-over: the one signature does not hold. What it was over is known all the same.

use dispense_signing::development::{Identity, KeyKind, Profile, Usage};
use openssl::hash::{MessageDigest, hash};

use crate::forge::{
    CONTENT_TYPE, ECDSA_SHA_256, Forged, MESSAGE_DIGEST, PLAIN_DATA, SHA_1, SHA_256, SIGNED_DATA,
    SIGNING_CERTIFICATE_V2, algorithm, attribute, element, octets, oid, sequence,
};
use crate::sample::{DOCUMENT, World, profile, signer};

const ALGORITHM: &str = "the algorithm of the signature is not allowed";
const ATTRIBUTES: &str = "the signed attributes of the signature are not as they must be";
const CHANGED: &str = "the document was changed after it was signed";
const SIGNATURE: &str = "the signature was not made with the key of the signer's certificate";
const OTHER_CERTIFICATE: &str = "the signature names another certificate than that of the signer";
const KEY_USAGE: &str = "the certificate of the signer is not for signing documents";

/// A trusted world, and somebody in it.
fn world() -> (World, Identity) {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    (world, pharmacist)
}

#[test]
fn what_was_signed_is_known_for_a_bad_signature_too() {
    let (world, pharmacist) = world();
    let container = Forged::by(&pharmacist, DOCUMENT).container();
    let opened = world.verifier.open_here(&container);
    assert_eq!(opened.document.as_deref(), Some(DOCUMENT));
    assert!(opened.signature.is_err());
}

#[test]
fn a_detached_signature_has_no_document() {
    let (world, pharmacist) = world();
    let container = pharmacist.sign_detached(DOCUMENT).unwrap();
    let detached = "the document is not in the container (a detached signature)";
    assert_eq!(world.flaw(&container), detached);
    assert_eq!(world.verifier.open_here(&container).document, None);
}

#[test]
fn only_plain_data_is_signed() {
    let (world, pharmacist) = world();
    let mut other = Forged::by(&pharmacist, DOCUMENT);
    other.content_type = "1.2.840.113549.1.9.16.1.4";
    assert_eq!(world.flaw(&other.signed(&pharmacist)), "what was signed is not plain data");
}

#[test]
fn a_container_in_a_container_is_not_opened() {
    let (world, pharmacist) = world();
    let inner = pharmacist.sign(DOCUMENT).unwrap();
    let mut declared = Forged::by(&pharmacist, &inner);
    declared.content_type = SIGNED_DATA;
    assert_eq!(world.flaw(&declared.signed(&pharmacist)), "what was signed is not plain data");
    // As plain data it is whatever it is: bytes, and not what lies in them.
    let opened = world.verifier.open_here(&pharmacist.sign(&inner).unwrap());
    assert_eq!(opened.document, Some(inner));
}

#[test]
fn algorithms_are_those_of_the_list() {
    let (world, pharmacist) = world();
    let rsa = world.issue(&profile().key(KeyKind::Rsa(2048)));
    let md_5 = "1.2.840.113549.2.5";
    for (digest, scheme) in [
        (SHA_1, "1.2.840.10045.4.3.2"),
        (md_5, "1.2.840.10045.4.3.2"),
        (SHA_256, "1.2.840.10045.4.1"),
        (SHA_256, "1.2.840.10045.4.3.3"),
        (SHA_256, "1.2.840.113549.1.1.11"),
        (SHA_256, "1.2.804.2.1.1.1.1.3.1.1"),
        (SHA_256, "1.3.101.112"),
        (SHA_256, "1.2.3.4"),
    ] {
        let mut signed = Forged::by(&pharmacist, DOCUMENT);
        signed.digest = algorithm(digest);
        signed.algorithm = algorithm(scheme);
        assert_eq!(world.flaw(&signed.signed(&pharmacist)), ALGORITHM, "{digest} {scheme}");
    }
    for (digest, scheme) in [
        (SHA_1, "1.2.840.113549.1.1.1"),
        (SHA_256, "1.2.840.113549.1.1.5"),
        (SHA_256, "1.2.840.113549.1.1.10"),
        (SHA_256, "1.2.840.10045.4.3.2"),
    ] {
        let mut signed = Forged::by(&rsa, DOCUMENT);
        signed.digest = algorithm(digest);
        signed.algorithm = algorithm(scheme);
        assert_eq!(world.flaw(&signed.signed(&rsa)), ALGORITHM, "{digest} {scheme}");
    }
}

/// Signed with SHA-1 through and through, as old software does it.
#[test]
fn a_true_signature_over_sha_1_is_refused() {
    let world = World::new();
    let rsa = world.issue(&profile().key(KeyKind::Rsa(2048)));
    let mut signed = Forged::by(&rsa, DOCUMENT);
    signed.digest = algorithm(SHA_1);
    signed.algorithm = algorithm("1.2.840.113549.1.1.5");
    signed.attributes = Some(vec![
        attribute(CONTENT_TYPE, &[&oid(PLAIN_DATA)]),
        attribute(MESSAGE_DIGEST, &[&octets(&hash(MessageDigest::sha1(), DOCUMENT).unwrap())]),
    ]);
    assert_eq!(world.flaw(&signed.signed_over(&rsa, MessageDigest::sha1())), ALGORITHM);
}

#[test]
fn signed_attributes_are_there_once() {
    let (world, pharmacist) = world();
    let content_type = attribute(CONTENT_TYPE, &[&oid(PLAIN_DATA)]);
    let digest_of = |document| octets(&hash(MessageDigest::sha256(), document).unwrap());
    let digest = attribute(MESSAGE_DIGEST, &[&digest_of(DOCUMENT)]);
    let other = attribute(MESSAGE_DIGEST, &[&digest_of(b"another")]);
    let both = attribute(MESSAGE_DIGEST, &[&digest_of(DOCUMENT), &digest_of(b"another")]);
    let none = attribute(MESSAGE_DIGEST, &[]);
    let other_type = attribute(CONTENT_TYPE, &[&oid(SIGNED_DATA)]);
    for attributes in [
        vec![],
        vec![content_type.clone()],
        vec![digest.clone()],
        vec![content_type.clone(), digest.clone(), other],
        vec![content_type.clone(), other_type.clone(), digest.clone()],
        vec![content_type.clone(), both],
        vec![content_type.clone(), none],
        vec![other_type, digest.clone()],
        vec![
            content_type.clone(),
            digest.clone(),
            attribute("1.2.3.4", &[]),
            attribute("1.2.3.4", &[&[5, 0]]),
        ],
    ] {
        let mut signed = Forged::by(&pharmacist, DOCUMENT);
        signed.attributes = Some(attributes);
        assert_eq!(world.flaw(&signed.signed(&pharmacist)), ATTRIBUTES);
    }
    let mut signed = Forged::by(&pharmacist, DOCUMENT);
    signed.attributes = Some(vec![content_type, digest, attribute("1.2.3.4", &[&[5, 0]])]);
    assert_eq!(world.open(&signed.signed(&pharmacist)), Ok(signer()));
}

/// Otherwise the attributes of one signature could be passed off as the document of another.
#[test]
fn a_signature_over_the_bare_document_is_refused() {
    let (world, pharmacist) = world();
    let mut bare = Forged::by(&pharmacist, DOCUMENT);
    let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &pharmacist.key).unwrap();
    bare.signature = signer.sign_oneshot_to_vec(DOCUMENT).unwrap();
    bare.attributes = None;
    assert_eq!(world.flaw(&bare.container()), "the signature has no signed attributes");
}

#[test]
fn a_swapped_document_is_refused() {
    let (world, pharmacist) = world();
    let mut swapped = Forged::by(&pharmacist, DOCUMENT);
    swapped.content = Some(octets(br#"{"id":"d4","payment_amount":99}"#));
    assert_eq!(world.flaw(&swapped.signed(&pharmacist)), CHANGED);
}

#[test]
fn a_swapped_digest_is_refused() {
    let (world, pharmacist) = world();
    let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &pharmacist.key).unwrap();
    let sound = Forged::by(&pharmacist, DOCUMENT);
    let mut swapped = Forged::by(&pharmacist, b"another");
    swapped.signature = signer.sign_oneshot_to_vec(&sound.to_be_signed()).unwrap();
    assert_eq!(world.flaw(&swapped.container()), SIGNATURE);
}

#[test]
fn a_swapped_certificate_is_refused() {
    let (world, pharmacist) = world();
    let colleague = world.issue(&profile());
    // Named and sent along is the colleague.
    let container = Forged::by(&colleague, DOCUMENT).signed(&pharmacist);
    assert_eq!(world.flaw(&container), SIGNATURE);
    // Named is the pharmacist, sent along is the colleague.
    let mut swapped = Forged::by(&pharmacist, DOCUMENT);
    swapped.certificates = vec![colleague.certificate.to_der().unwrap()];
    let missing = "the certificate of the signer is not in the container, or cannot be read";
    assert_eq!(world.flaw(&swapped.signed(&pharmacist)), missing);
}

/// One key in two certificates: the attribute of `CAdES` says which of them was meant.
#[test]
fn the_certificate_that_was_signed_with_is_the_one_that_is_named() {
    let (world, pharmacist) = world();
    let again = world.authority.issue_for(&profile(), pharmacist.key.clone()).unwrap();
    let digest =
        |it: &Identity| hash(MessageDigest::sha256(), &it.certificate.to_der().unwrap()).unwrap();
    let named = |certificate: Vec<u8>| {
        let mut signed = Forged::by(&pharmacist, DOCUMENT);
        let value = sequence(&[&sequence(&[&certificate])]);
        signed.attributes.as_mut().unwrap().push(attribute(SIGNING_CERTIFICATE_V2, &[&value]));
        signed.signed(&pharmacist)
    };
    let by = |it: &Identity| sequence(&[&octets(&digest(it))]);
    assert_eq!(world.open(&named(by(&pharmacist))), Ok(signer()));
    assert_eq!(world.flaw(&named(by(&again))), OTHER_CERTIFICATE);
    assert_eq!(world.flaw(&named([by(&again), by(&pharmacist)].concat())), OTHER_CERTIFICATE);
    assert_eq!(world.flaw(&named(Vec::new())), OTHER_CERTIFICATE);
    assert_eq!(world.flaw(&named(sequence(&[&algorithm(SHA_1), &octets(&[0; 20])]))), ALGORITHM);
    assert_eq!(world.flaw(&named(octets(&digest(&pharmacist)))), ATTRIBUTES);
}

/// With the same authority and number, or the same identifier of a key, one could be taken for the
/// other.
#[test]
fn two_certificates_of_one_name_are_refused() {
    let (world, pharmacist) = world();
    let mut changed = pharmacist.certificate.to_der().unwrap();
    // Another signature makes it another certificate of the same name.
    *changed.last_mut().unwrap() ^= 1;
    let mut both = Forged::by(&pharmacist, DOCUMENT);
    both.certificates.push(changed);
    let many = "several certificates in the container could be that of the signer";
    assert_eq!(world.flaw(&both.signed(&pharmacist)), many);

    let again = world.authority.issue_for(&profile(), pharmacist.key.clone()).unwrap();
    let mut both = Forged::by(&pharmacist, DOCUMENT);
    let identifier = pharmacist.certificate.subject_key_id().unwrap();
    both.name = element(0x80, &[identifier.as_slice()]);
    both.certificates.push(again.certificate.to_der().unwrap());
    assert_eq!(world.flaw(&both.signed(&pharmacist)), many);
}

#[test]
fn the_key_has_to_be_for_signing() {
    let world = World::new();
    let other = world.issue(&profile().usage(Usage::Encryption));
    assert_eq!(world.flaw(&other.sign(DOCUMENT).unwrap()), KEY_USAGE);
    // One whose purpose is not said has every purpose.
    let any = world.issue(&profile().usage(Usage::Unsaid));
    assert!(world.open(&any.sign(DOCUMENT).unwrap()).is_ok());
}

/// What is left out in DER because it is the default is spelled out.
#[test]
fn a_certificate_in_another_form_of_der_is_not_read() {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    let critical = [0x01, 0x01, 0xff];
    let mut certificate = pharmacist.certificate.to_der().unwrap();
    let at = certificate.windows(3).position(|it| it == critical).unwrap();
    certificate[at + 2] = 0x00;
    let mut other = Forged::by(&pharmacist, DOCUMENT);
    other.certificates = vec![certificate];
    let missing = "the certificate of the signer is not in the container, or cannot be read";
    assert_eq!(world.flaw(&other.signed(&pharmacist)), missing);
}

#[test]
fn algorithms_have_no_parameters_of_their_own() {
    let (world, pharmacist) = world();
    let odd = |name| sequence(&[&oid(name), &octets(&[])]);
    let mut digest = Forged::by(&pharmacist, DOCUMENT);
    digest.digest = odd(SHA_256);
    assert_eq!(world.flaw(&digest.signed(&pharmacist)), ALGORITHM);
    let mut scheme = Forged::by(&pharmacist, DOCUMENT);
    scheme.algorithm = odd(ECDSA_SHA_256);
    assert_eq!(world.flaw(&scheme.signed(&pharmacist)), ALGORITHM);

    let rsa = world.issue(&profile().key(KeyKind::Rsa(2048)));
    let of_key = [&oid("1.2.840.113549.1.1.1")[..], &[0x05, 0x00]].concat();
    let mut certificate = rsa.certificate.to_der().unwrap();
    let at = certificate.windows(of_key.len()).position(|it| it == of_key).unwrap();
    certificate[at + of_key.len() - 2] = 0x04;
    let mut key = Forged::by(&rsa, DOCUMENT);
    key.certificates = vec![certificate];
    let not_allowed = "an algorithm in the certificate of the signer, or its key, is not allowed";
    key.algorithm = algorithm("1.2.840.113549.1.1.11");
    assert_eq!(world.flaw(&key.signed(&rsa)), not_allowed);
}

#[test]
fn a_certificate_has_one_reading() {
    let world = World::new();
    let unreadable = "the certificate of the signer cannot be read";
    let flaw = |profile: &Profile| {
        let odd = world.issue(profile);
        world.flaw(&Forged::by(&odd, DOCUMENT).signed(&odd))
    };
    let twice = profile().extension("1.2.3.4", &[5, 0]).extension("1.2.3.4", &[5, 0]);
    assert_eq!(flaw(&twice), unreadable);
    assert_eq!(flaw(&profile().extension("1.2.3.4", &[0x30, 0x80, 0, 0])), unreadable);
    assert_eq!(flaw(&profile().extension("1.3.6.1.5.5.7.1.3", &[5, 0])), unreadable);
    assert_eq!(flaw(&profile().extension("2.5.29.37", &[5, 0])), unreadable);
    let unknown = "the certificate of the signer has a critical extension that is not known here";
    assert_eq!(flaw(&profile().critical_extension("1.2.3.4", &[5, 0])), unknown);
}
