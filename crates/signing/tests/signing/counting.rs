//! Rule 4a of a hand-over: one signature of a person, and no seal of a company.

use dispensary::SignatureFault;
use dispense_signing::development::{Authority, signed_by_all};
use dispense_signing::outline;

use crate::forge::{Forged, oid, sequence};
use crate::sample::{DOCUMENT, World, profile};

const QC_STATEMENTS: &str = "1.3.6.1.5.5.7.1.3";
const QC_TYPE: &str = "0.4.0.1862.1.6";
const FOR_SIGNATURES: &str = "0.4.0.1862.1.6.1";
const FOR_SEALS: &str = "0.4.0.1862.1.6.2";

fn counted(world: &World, container: &[u8]) -> (usize, usize) {
    let outline = outline(container).unwrap();
    let counted = (outline.signatures, outline.stamps);
    assert_eq!(outline.document.as_deref(), Some(DOCUMENT));
    let opened = world.verifier.open_here(container);
    assert_eq!(opened.document.as_deref(), Some(DOCUMENT), "what was signed is known");
    match opened.signature {
        Ok(_) => assert_eq!(counted, (1, 0)),
        Err(SignatureFault::Count { signatures, stamps, why: None }) => {
            assert_eq!(counted, (signatures, stamps));
        }
        Err(other) => panic!("{other:?}"),
    }
    counted
}

#[test]
fn one_signature_counts() {
    let world = World::new();
    let one = world.issue(&profile());
    assert_eq!(counted(&world, &signed_by_all(&[&one], DOCUMENT).unwrap()), (1, 0));
}

#[test]
fn no_signature_is_too_few() {
    let world = World::new();
    assert_eq!(counted(&world, &signed_by_all(&[], DOCUMENT).unwrap()), (0, 0));
}

#[test]
fn two_signatures_are_too_many() {
    let world = World::new();
    let [one, other] = [world.issue(&profile()), world.issue(&profile())];
    assert_eq!(counted(&world, &signed_by_all(&[&one, &other], DOCUMENT).unwrap()), (2, 0));
    // Whoever the second one is.
    let stranger = Authority::root("Чужий").unwrap().issue(&profile()).unwrap();
    assert_eq!(counted(&world, &signed_by_all(&[&one, &stranger], DOCUMENT).unwrap()), (2, 0));
    assert_eq!(counted(&world, &signed_by_all(&[&one, &one], DOCUMENT).unwrap()), (2, 0));
}

#[test]
fn a_seal_is_no_signature() {
    let world = World::new();
    let person = world.issue(&profile());
    let seal = world.issue(&profile().seal());
    assert_eq!(counted(&world, &seal.sign(DOCUMENT).unwrap()), (0, 1));
    assert_eq!(counted(&world, &signed_by_all(&[&person, &seal], DOCUMENT).unwrap()), (1, 1));
    assert_eq!(counted(&world, &signed_by_all(&[&seal, &person, &seal], DOCUMENT).unwrap()).0, 1);
}

#[test]
fn a_seal_may_be_known_by_its_qualified_statements() {
    let world = World::new();
    let stated = |types: &[&str]| {
        let types: Vec<_> = types.iter().map(|it| oid(it)).collect();
        let types: Vec<_> = types.iter().map(Vec::as_slice).collect();
        let statements = sequence(&[&sequence(&[&oid(QC_TYPE), &sequence(&types)])]);
        world.issue(&profile().extension(QC_STATEMENTS, &statements)).sign(DOCUMENT).unwrap()
    };
    assert_eq!(counted(&world, &stated(&[FOR_SIGNATURES])), (1, 0));
    assert_eq!(counted(&world, &stated(&[FOR_SEALS])), (0, 1));
    assert_eq!(counted(&world, &stated(&[FOR_SIGNATURES, FOR_SEALS])), (0, 1));
}

#[test]
fn a_signature_whose_certificate_is_missing_is_one_of_a_person() {
    let world = World::new();
    let seal = world.issue(&profile().seal());
    let mut without = Forged::by(&seal, DOCUMENT);
    without.certificates.clear();
    let container = without.signed(&seal);
    let missing = "the certificate of the signer is not in the container, or cannot be read";
    assert_eq!(world.flaw(&container), missing);
}
