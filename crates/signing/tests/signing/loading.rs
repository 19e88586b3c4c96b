//! What is wrong with trust anchors and lists is said at the start, with the name of the file.

use std::path::Path;

use dispense_signing::development::{Authority, Usage};
use dispense_signing::{LoadError, Verifier, VerifierSettings};

use crate::sample::{World, profile};

fn complaint(trust_anchors: &Path, crls: Option<&Path>) -> LoadError {
    let trust_anchors = Some(trust_anchors.to_owned());
    let crls = crls.map(Path::to_owned);
    Verifier::load(VerifierSettings { trust_anchors, crls }).unwrap_err()
}

#[test]
fn trust_anchors_that_cannot_be_used_are_named() {
    let world = World::new();
    let path = world.folder.path().join("odd.pem");
    let named = path.display();
    let complaint = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        complaint(&path, None).to_string()
    };
    let sound = world.authority.certificate_pem().unwrap();
    assert_eq!(complaint(b""), format!("{named} has no certificates in PEM in it"));
    let der = world.authority.certificate().to_der().unwrap();
    assert_eq!(complaint(&der), format!("{named} has no certificates in PEM in it"));
    let broken = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let second = [&sound[..], broken].concat();
    assert_eq!(complaint(&second), format!("certificate 2 in {named} cannot be read"));
    let open_ended = [&sound[..], b"-----BEGIN CERTIFICATE-----\n????\n"].concat();
    assert_eq!(complaint(&open_ended), format!("certificate 2 in {named} is not in PEM"));
    let person = world.issue(&profile()).certificate.to_pem().unwrap();
    let no_authority = "is not that of an authority (basic constraints: CA)";
    assert_eq!(complaint(&person), format!("certificate 1 in {named} {no_authority}"));
    let odd =
        profile().usage(Usage::Authority { below: None }).critical_extension("1.2.3.4", &[5, 0]);
    let odd = world.issue(&odd).certificate.to_pem().unwrap();
    let not_allowed = "has a key or a critical extension that is not allowed";
    assert_eq!(complaint(&odd), format!("certificate 1 in {named} {not_allowed}"));
}

#[test]
fn files_that_are_missing_are_named() {
    let world = World::new();
    let missing = world.folder.path().join("missing.pem");
    let cannot = format!("{} cannot be read", missing.display());
    let error = complaint(&missing, None);
    assert_eq!(error.to_string(), cannot);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(!cannot.contains(&source), "the cause is told apart");
    let anchors = world.folder.path().join("anchors.pem");
    assert_eq!(complaint(&anchors, Some(&missing)).to_string(), cannot);
}

#[test]
fn lists_that_cannot_be_used_are_named() {
    let world = World::new();
    let anchors = world.folder.path().join("anchors.pem");
    let folder = world.folder.path().join("lists");
    std::fs::create_dir(&folder).unwrap();
    let complaint = || complaint(&anchors, Some(&folder)).to_string();
    let empty = format!("{} has no lists of revoked certificates in it", folder.display());
    assert_eq!(complaint(), empty);
    let file = folder.join("odd.crl");
    for bytes in
        [&b""[..], b"\x30\x00", b"certificates", &world.authority.certificate_pem().unwrap()]
    {
        std::fs::write(&file, bytes).unwrap();
        let unreadable = "is not a list of revoked certificates in DER or PEM";
        assert_eq!(complaint(), format!("list 1 in {} {unreadable}", file.display()));
    }
    let sound = world.authority.revocation_list(&[], std::time::SystemTime::now()).unwrap();
    std::fs::write(&file, [&sound[..], b"-----BEGIN X509 CRL-----\n????"].concat()).unwrap();
    assert!(complaint().starts_with("list 2 in "), "{}", complaint());
    std::fs::write(&file, sound.repeat(257)).unwrap();
    let larger = "is larger than anything that is expected there";
    assert_eq!(complaint(), format!("{} {larger}", folder.display()));
    for number in 0..=256 {
        std::fs::write(folder.join(format!(".{number}")), "").unwrap();
    }
    assert_eq!(complaint(), format!("{} cannot be read", folder.display()));
}

#[test]
fn a_root_with_an_old_signature_over_itself_is_trusted() {
    let root = dispense_signing::development::Profile::authority("ЦЗО")
        .signed_over(openssl::hash::MessageDigest::sha1());
    let root: Authority =
        dispense_signing::development::Identity::self_signed(&root).unwrap().into_authority();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anchors.pem");
    std::fs::write(&path, root.certificate_pem().unwrap()).unwrap();
    let settings = VerifierSettings { trust_anchors: Some(path), crls: None };
    let verifier = Verifier::load(settings).unwrap();
    let container = root.issue(&profile()).unwrap().sign(b"{}").unwrap();
    assert_eq!(verifier.open_here(&container).signature, Ok(crate::sample::signer()));
}
