//! Certificates that do not count any more.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use dispense_signing::development::{Authority, Identity, Profile, Usage};
use dispense_signing::{LoadError, Verifier, VerifierSettings};
use metrics_exporter_prometheus::PrometheusBuilder;
use openssl::x509::{X509Crl, X509Ref};

use crate::forge::{ForgedList, element, extension, number, sequence};
use crate::sample::{DOCUMENT, World, profile, signer};

const REVOKED: &str = "the certificate of the signer is revoked";
const UNKNOWN: &str = "it cannot be known whether the certificate is revoked: there is no current list of \
                       revoked certificates from an authority above the signer";

const CRL_NUMBER: &str = "2.5.29.20";
const REASON: &str = "2.5.29.21";
const DELTA: &str = "2.5.29.27";
const PART: &str = "2.5.29.28";
const ISSUER: &str = "2.5.29.29";

/// A change on the disk acts after a second.
const PATIENCE: Duration = Duration::from_mins(1);

fn tomorrow() -> SystemTime {
    SystemTime::now() + Duration::from_hours(24)
}

fn yesterday() -> SystemTime {
    SystemTime::now() - Duration::from_hours(24)
}

fn list(authority: &Authority, revoked: &[&X509Ref]) -> Vec<u8> {
    authority.revocation_list(revoked, tomorrow()).unwrap()
}

fn flaw(world: &World, identity: &Identity) -> String {
    world.flaw(&identity.sign(DOCUMENT).unwrap())
}

/// Writes a list as operators should: beside its place, then moved there.
fn replace(world: &World, list: &[u8]) {
    let beside = world.folder.path().join("new");
    fs::write(&beside, list).unwrap();
    fs::rename(beside, world.folder.path().join(World::LIST)).unwrap();
}

fn eventually(what: impl Fn() -> bool) {
    let since = Instant::now();
    while !what() {
        assert!(since.elapsed() < PATIENCE, "nothing has changed");
        std::thread::yield_now();
    }
}

#[test]
fn a_certificate_counts_until_its_authority_revokes_it() {
    let world = World::with_list(|authority| list(authority, &[]));
    let [pharmacist, colleague] = [world.issue(&profile()), world.issue(&profile())];
    let [container, other] = [&pharmacist, &colleague].map(|it| it.sign(DOCUMENT).unwrap());
    assert_eq!(world.open(&container), Ok(signer()));
    replace(&world, &list(&world.authority, &[&pharmacist.certificate]));
    eventually(|| world.open(&container).is_err());
    assert_eq!(world.flaw(&container), REVOKED);
    assert_eq!(world.open(&other), Ok(signer()));
}

#[test]
fn lists_may_be_files_of_a_folder_in_pem_and_der() {
    let world = World::with(|authority, folder| {
        let lists = folder.join("lists");
        fs::create_dir(&lists).unwrap();
        fs::write(lists.join("root.pem"), list(authority, &[])).unwrap();
        // Still being written.
        fs::write(lists.join(".next.pem"), "-----BEGIN").unwrap();
        Some(lists)
    });
    let issuing = world.authority.subordinate("КНЕДП").unwrap();
    let [pharmacist, colleague] = [(), ()].map(|()| issuing.issue(&profile()).unwrap());
    assert_eq!(flaw(&world, &pharmacist), UNKNOWN);
    let pem = list(&issuing, &[&pharmacist.certificate]);
    let der = X509Crl::from_pem(&pem).unwrap().to_der().unwrap();
    fs::write(world.folder.path().join("lists/issuing.crl"), der).unwrap();
    eventually(|| flaw(&world, &pharmacist) == REVOKED);
    assert_eq!(world.open(&colleague.sign(DOCUMENT).unwrap()), Ok(signer()));
}

#[test]
fn every_authority_above_needs_a_list() {
    let root = Authority::root("ЦЗО").unwrap();
    let issuing = root.subordinate("КНЕДП").unwrap();
    let pharmacist = issuing.issue(&profile()).unwrap();
    let container = pharmacist.sign(DOCUMENT).unwrap();
    let flaw_with = |lists: &[Vec<u8>]| {
        let world = World::with(|_, folder| {
            let path = folder.join(World::LIST);
            fs::write(&path, lists.concat()).unwrap();
            fs::write(folder.join("anchors.pem"), root.certificate_pem().unwrap()).unwrap();
            Some(path)
        });
        if world.open(&container).is_ok() { "none".to_owned() } else { world.flaw(&container) }
    };
    assert_eq!(flaw_with(&[list(&root, &[])]), UNKNOWN);
    assert_eq!(flaw_with(&[list(&issuing, &[])]), UNKNOWN);
    assert_eq!(flaw_with(&[list(&root, &[]), list(&issuing, &[])]), "none");
    let both = [list(&root, &[issuing.certificate()]), list(&issuing, &[])];
    assert_eq!(flaw_with(&both), "the certificate of an authority above the signer is revoked");
}

#[test]
fn the_list_of_another_authority_says_nothing() {
    let world = World::with_list(|_| list(&Authority::root("Чужий").unwrap(), &[]));
    assert_eq!(flaw(&world, &world.issue(&profile())), UNKNOWN);
    // Even if it has the same name.
    let world = World::with_list(|_| list(&Authority::root(World::AUTHORITY).unwrap(), &[]));
    assert_eq!(flaw(&world, &world.issue(&profile())), UNKNOWN);
}

/// An authority gets a new key, and keeps its name: a list of the one says nothing about the other.
#[test]
fn a_list_is_for_one_key_and_one_name() {
    let root = Authority::root(World::AUTHORITY).unwrap();
    let [old, new] = [(), ()].map(|()| root.subordinate("КНЕДП").unwrap());
    let world = World::with(|_, folder| {
        let path = folder.join(World::LIST);
        fs::write(&path, [list(&root, &[]), list(&old, &[])].concat()).unwrap();
        fs::write(folder.join("anchors.pem"), root.certificate_pem().unwrap()).unwrap();
        Some(path)
    });
    assert_eq!(world.open(&old.issue(&profile()).unwrap().sign(DOCUMENT).unwrap()), Ok(signer()));
    assert_eq!(flaw(&world, &new.issue(&profile()).unwrap()), UNKNOWN);

    let mut renamed = Vec::new();
    let world = World::with_list(|authority| {
        let other = Profile::authority("Інший");
        let other = authority.issue_for(&other, authority.key().to_owned()).unwrap();
        renamed = list(&other.into_authority(), &[]);
        renamed.clone()
    });
    assert_eq!(flaw(&world, &world.issue(&profile())), UNKNOWN);
}

#[test]
fn not_every_authority_may_revoke() {
    let world = World::with_list(|authority| list(authority, &[]));
    let signs_certificates = [0x03, 0x02, 0x02, 0x04];
    let is_authority = [0x30, 0x03, 0x01, 0x01, 0xff];
    let issuing = Profile::authority("КНЕДП").usage(Usage::Unsaid);
    let issuing = issuing.critical_extension("2.5.29.19", &is_authority);
    let may = world.issue(&issuing).into_authority();
    let may_not = issuing.critical_extension("2.5.29.15", &signs_certificates);
    let may_not = world.issue(&may_not).into_authority();
    let lists = [list(&world.authority, &[]), list(&may, &[]), list(&may_not, &[])];
    let pharmacist = may.issue(&profile()).unwrap().sign(DOCUMENT).unwrap();
    replace(&world, &lists.concat());
    eventually(|| world.open(&pharmacist) == Ok(signer()));
    assert_eq!(flaw(&world, &may_not.issue(&profile()).unwrap()), UNKNOWN);
}

#[test]
fn a_list_counts_until_the_next_is_due() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let world = World::with_list(|it| it.revocation_list(&[], yesterday()).unwrap());
    assert_eq!(flaw(&world, &world.issue(&profile())), UNKNOWN);
    let metrics = metrics.render();
    let counted = "dispense_signature_unknown_revocations_total 1";
    assert!(metrics.contains(counted), "the operator has to hear of it: {metrics}");
}

#[test]
fn a_list_counts_from_its_own_day() {
    let later = ForgedList { since: "481231235959Z", ..ForgedList::empty() };
    let world = World::with_list(|authority| later.signed(authority));
    assert_eq!(flaw(&world, &world.issue(&profile())), UNKNOWN);
}

#[test]
fn a_list_has_to_be_signed_by_its_authority() {
    let mut list = Vec::new();
    let world = World::with_list(|authority| {
        list = ForgedList::empty().signed(authority);
        list.clone()
    });
    let container = world.issue(&profile()).sign(DOCUMENT).unwrap();
    assert_eq!(world.open(&container), Ok(signer()));
    // Somebody has moved its last day.
    let at = list.windows(3).position(|it| it == b"491").unwrap();
    list[at + 1] = b'8';
    replace(&world, &list);
    eventually(|| world.open(&container).is_err());
    assert_eq!(world.flaw(&container), UNKNOWN);
}

#[test]
fn a_list_that_cannot_be_read_leaves_the_old_one_in_force() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let world = World::with_list(|authority| list(authority, &[]));
    let [pharmacist, colleague] = [world.issue(&profile()), world.issue(&profile())];
    let [container, other] = [&pharmacist, &colleague].map(|it| it.sign(DOCUMENT).unwrap());
    replace(&world, b"-----BEGIN");
    let failed = || {
        assert_eq!(world.open(&container), Ok(signer()));
        metrics.render().contains("dispense_signature_trust_failures_total")
    };
    eventually(failed);
    replace(&world, &list(&world.authority, &[&pharmacist.certificate]));
    eventually(|| world.open(&container).is_err());
    assert_eq!(world.open(&other), Ok(signer()));
    fs::remove_file(world.folder.path().join(World::LIST)).unwrap();
    assert_eq!(world.flaw(&container), REVOKED);
}

#[test]
fn trust_anchors_are_read_again_too() {
    let world = World::new();
    let stranger = Authority::root("Новий").unwrap();
    let container = stranger.issue(&profile()).unwrap().sign(DOCUMENT).unwrap();
    assert!(world.open(&container).is_err());
    let anchors = world.folder.path().join("anchors.pem");
    fs::write(anchors, stranger.certificate_pem().unwrap()).unwrap();
    eventually(|| world.open(&container) == Ok(signer()));
}

/// What half understanding would overlook.
#[test]
fn partial_and_endless_lists_are_refused_when_they_are_read() {
    let world = World::new();
    let path = world.folder.path().join("odd.pem");
    let load = |list: &ForgedList| {
        fs::write(&path, list.signed(&world.authority)).unwrap();
        let trust_anchors = Some(world.folder.path().join("anchors.pem"));
        let crls = Some(path.clone());
        Verifier::load(VerifierSettings { trust_anchors, crls }).map(|_| ())
    };
    let why = |list: ForgedList| match load(&list) {
        Err(LoadError::List { number: 1, why, .. }) => why,
        other => panic!("{other:?}"),
    };
    let empty = ForgedList::empty;
    load(&empty()).unwrap();
    let entry = |extension: &[u8]| {
        sequence(&[&number(5), &element(0x17, &[b"200101000000Z"]), &sequence(&[extension])])
    };
    let numbered = extension(CRL_NUMBER, None, &number(7));
    let reasoned = entry(&extension(REASON, None, &element(0x0a, &[&[1]])));
    load(&ForgedList { extensions: vec![numbered], entries: vec![reasoned], ..empty() }).unwrap();

    let partial = "is only a part (a delta, or for some certificates); whole lists are needed";
    let delta = extension(DELTA, Some(0xff), &number(1));
    assert_eq!(why(ForgedList { extensions: vec![delta], ..empty() }), partial);
    let of_persons = extension(PART, Some(0xff), &sequence(&[&element(0x81, &[&[0xff]])]));
    assert_eq!(why(ForgedList { extensions: vec![of_persons], ..empty() }), partial);
    let of_another = entry(&extension(ISSUER, Some(0xff), &sequence(&[])));
    assert_eq!(why(ForgedList { entries: vec![of_another], ..empty() }), partial);
    let no_next = "does not say when its next issue is due, so it cannot be known to be current";
    assert_eq!(why(ForgedList { until: None, ..empty() }), no_next);
    let weak = "is signed with an algorithm that is not allowed";
    assert_eq!(why(ForgedList { scheme: "1.2.840.10045.4.1", ..empty() }), weak);
    let unreadable = "is not a list of revoked certificates in DER or PEM";
    assert_eq!(why(ForgedList { since: "yesterday", ..empty() }), unreadable);
}
