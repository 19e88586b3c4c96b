//! The authority of a machine where the service is tried by hand.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dispense_signing::development::{Authority, DevelopmentCa, DevelopmentError};

use crate::forge::{SIGNING_CERTIFICATE_V2, oid};
use crate::sample::{DOCUMENT, holder};

#[test]
fn an_authority_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("deeper").join("ca");
    let made = DevelopmentCa::load_or_create(&inside).unwrap();
    let read = DevelopmentCa::load_or_create(&inside).unwrap();
    let [made, read] = [&made, &read].map(|it| it.authority().certificate().to_der().unwrap());
    assert_eq!(made, read);
}

#[test]
fn its_key_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    DevelopmentCa::load_or_create(folder.path()).unwrap();
    let mode = |name| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("ca.key"), 0o600);
    assert_eq!(mode("ca.pem"), 0o644);
}

#[test]
fn those_who_come_at_once_get_the_same_one() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let load = || {
            let ca = DevelopmentCa::load_or_create(folder.path()).unwrap();
            ca.authority().certificate().to_der().unwrap()
        };
        let made: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert!(made.windows(2).all(|it| it[0] == it[1]));
    }
}

#[test]
fn its_signatures_name_their_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let ca = DevelopmentCa::load_or_create(folder.path()).unwrap();
    let container = ca.sign(&holder(), DOCUMENT).unwrap();
    let name = oid(SIGNING_CERTIFICATE_V2);
    assert!(container.windows(name.len()).any(|it| it == name), "CAdES-BES");
}

/// As if somebody had pulled the plug between the two.
#[test]
fn half_a_pair_is_made_anew() {
    for half in ["ca.key", "ca.pem"] {
        let folder = tempfile::tempdir().unwrap();
        DevelopmentCa::load_or_create(folder.path()).unwrap();
        fs::remove_file(folder.path().join(half)).unwrap();
        DevelopmentCa::load_or_create(folder.path()).unwrap();
        DevelopmentCa::load_or_create(folder.path()).unwrap();
    }
}

#[test]
fn a_pair_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    DevelopmentCa::load_or_create(folder.path()).unwrap();
    let other = Authority::root("Інший").unwrap().certificate_pem().unwrap();
    fs::write(folder.path().join("ca.pem"), other).unwrap();
    let refused = DevelopmentCa::load_or_create(folder.path()).map(|_| ());
    assert!(matches!(refused, Err(DevelopmentError::Mismatch { .. })), "{refused:?}");
}
