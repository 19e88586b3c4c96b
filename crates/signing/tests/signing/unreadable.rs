//! What is no container: nothing is counted, and it is said why.

use dispensary::SignatureFault;
use dispense_signing::development::signed_by_all;
use dispense_signing::{MAX_CERTIFICATES, MAX_CONTAINER};

use crate::forge::{Forged, SIGNED_DATA, element, number, octets, oid, sequence, set};
use crate::sample::{DOCUMENT, World, profile, signer};

const NOT_DER: &str = "it is not in DER (Distinguished Encoding Rules)";
const UNORDERED: &str = "it is not in DER (Distinguished Encoding Rules): a set is not in order";
const OTHER: &str = "its structure is not that of signed data (CMS SignedData)";
const NOTHING: &str =
    "there is nothing in it, or it is not in base64 (RFC 4648, without line breaks)";
const CUT: &str = "it ends too early";
const TOO_MUCH: &str = "it has more parts than any container needs";

/// Why nothing could be counted; and there is no document.
fn why(world: &World, container: &[u8]) -> String {
    let opened = world.verifier.open_here(container);
    assert_eq!(opened.document, None);
    match opened.signature {
        Err(SignatureFault::Count { signatures: 0, stamps: 0, why: Some(why) }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn other_things_are_no_containers() {
    let world = World::new();
    assert_eq!(why(&world, b""), NOTHING);
    assert_eq!(why(&world, DOCUMENT), NOT_DER);
    assert_eq!(why(&world, b"MIIB"), NOT_DER);
    assert_eq!(why(&world, &[0; 64]), NOT_DER);
    assert_eq!(why(&world, &sequence(&[])), OTHER);
    assert_eq!(why(&world, &octets(DOCUMENT)), OTHER);
    let pharmacist = world.issue(&profile());
    assert_eq!(why(&world, &pharmacist.certificate.to_der().unwrap()), OTHER);
}

#[test]
fn a_container_of_anything_else_is_refused() {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    let mut enveloped = Forged::by(&pharmacist, DOCUMENT);
    enveloped.outer_type = "1.2.840.113549.1.7.3";
    assert_eq!(why(&world, &enveloped.signed(&pharmacist)), OTHER);
    let mut text = Forged::by(&pharmacist, DOCUMENT);
    text.content = Some(element(0x0c, &[DOCUMENT]));
    assert_eq!(why(&world, &text.signed(&pharmacist)), OTHER);
}

#[test]
fn a_container_is_whole_or_nothing() {
    let world = World::new();
    let container = world.issue(&profile()).sign(DOCUMENT).unwrap();
    assert_eq!(world.open(&container), Ok(signer()));
    for length in 1..container.len() {
        assert_eq!(why(&world, &container[..length]), CUT, "after {length} bytes");
    }
    for more in [&[0][..], &[0, 0], &container] {
        assert_eq!(why(&world, &[&container, more].concat()), "something follows after its end");
    }
}

#[test]
fn lengths_have_one_form() {
    let world = World::new();
    let container = world.issue(&profile()).sign(DOCUMENT).unwrap();
    assert_eq!(container[..2], [0x30, 0x82], "the tests below change this header");
    let value = &container[4..];
    let with = |length: &[u8]| [&[0x30], length, value].concat();
    assert_eq!(why(&world, &[&with(&[0x80])[..], &[0, 0]].concat()), NOT_DER);
    assert_eq!(why(&world, &with(&[0x83, 0, container[2], container[3]])), NOT_DER);
    for huge in [&[0x84, 0xff, 0xff, 0xff, 0xff][..], &[0x84, 0x7f, 0xff, 0xff, 0xff]] {
        assert_eq!(why(&world, &with(huge)), CUT);
    }
    assert_eq!(
        why(&world, &with(&[0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
        NOT_DER
    );
    assert_eq!(why(&world, &with(&[0xff])), NOT_DER);
    assert_eq!(why(&world, &sequence(&[&[0x04, 0x81, 0x01, 0x00]])), NOT_DER);
}

#[test]
fn strings_do_not_lie_in_pieces() {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    let mut pieces = Forged::by(&pharmacist, DOCUMENT);
    pieces.content = Some(element(0x24, &[&octets(&DOCUMENT[..5]), &octets(&DOCUMENT[5..])]));
    assert_eq!(why(&world, &pieces.signed(&pharmacist)), NOT_DER);
    let mut endless = Forged::by(&pharmacist, DOCUMENT);
    endless.content = Some([&[0x24, 0x80], &octets(DOCUMENT)[..], &[0, 0]].concat());
    assert_eq!(why(&world, &endless.signed(&pharmacist)), NOT_DER);
}

#[test]
fn numbers_and_tags_have_one_form() {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    let container = Forged::by(&pharmacist, DOCUMENT).signed(&pharmacist);
    // The version, 1, with a byte more than it needs.
    let version = element(0x02, &[&[0x00, 0x01]]);
    assert_eq!(why(&world, &rebuilt(&container, &version)), OTHER);
    assert_eq!(world.open(&rebuilt(&container, &number(1))), Ok(signer()));
    for tag in [0x1f, 0x3f, 0x9f, 0xbf, 0x40, 0x60, 0xc0, 0xe0, 0x10, 0x11, 0x00, 0x28] {
        assert_eq!(why(&world, &sequence(&[&element(tag, &[])])), NOT_DER, "{tag:#x}");
    }
}

/// The same container with another version in front.
fn rebuilt(container: &[u8], version: &[u8]) -> Vec<u8> {
    let header =
        |bytes: &[u8]| if bytes[1] & 0x80 == 0 { 2 } else { 2 + usize::from(bytes[1] & 0x7f) };
    let inside = &container[header(container)..];
    let tagged = &inside[oid(SIGNED_DATA).len()..];
    let signed = &tagged[header(tagged)..];
    let value = &signed[header(signed)..];
    let signed = sequence(&[version, &value[number(1).len()..]]);
    sequence(&[&oid(SIGNED_DATA), &element(0xa0, &[&signed])])
}

#[test]
fn sets_are_in_order() {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    let mut unordered = Forged::by(&pharmacist, DOCUMENT);
    let [type_of_content, digest] = &unordered.attributes.clone().unwrap()[..] else { panic!() };
    unordered.attributes = Some(vec![type_of_content.clone(), digest.clone()]);
    let sound = unordered.container();
    let [first, second] = {
        let mut both = [type_of_content.clone(), digest.clone()];
        both.sort();
        both
    };
    let wrong = replaced(&sound, &[&first[..], &second].concat(), &[&second[..], &first].concat());
    assert_eq!(why(&world, &wrong), NOT_DER);

    let colleague = world.issue(&profile());
    let mut two = Forged::by(&pharmacist, DOCUMENT);
    two.certificates.push(colleague.certificate.to_der().unwrap());
    let container = two.clone().signed(&pharmacist);
    assert_eq!(world.open(&container), Ok(signer()));
    two.certificates.sort();
    let [first, second] = &two.certificates[..] else { panic!() };
    let swapped =
        replaced(&container, &[&first[..], second].concat(), &[&second[..], first].concat());
    assert_eq!(why(&world, &swapped), NOT_DER);

    let mut digests = Forged::by(&pharmacist, DOCUMENT);
    digests.attributes =
        Some(vec![sequence(&[&oid("1.2.3.4"), &element(0x31, &[&number(2), &number(1)])])]);
    assert_eq!(why(&world, &digests.container()), UNORDERED);
    digests.attributes =
        Some(vec![sequence(&[&oid("1.2.3.4"), &element(0x31, &[&number(1), &number(1)])])]);
    assert_eq!(why(&world, &digests.container()), UNORDERED);
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes.windows(old.len()).position(|it| it == old).unwrap();
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

#[test]
fn nothing_is_deeper_longer_or_wider_than_needed() {
    let world = World::new();
    let mut deep = Vec::new();
    // As deep as a body of that size can be.
    while deep.len() < MAX_CONTAINER - 8 {
        deep = sequence(&[&deep]);
    }
    assert_eq!(why(&world, &deep), TOO_MUCH);
    let mut deep = number(1);
    for _ in 0..40 {
        deep = sequence(&[&deep]);
    }
    assert_eq!(why(&world, &deep), TOO_MUCH);
    let wide = sequence(&[&[0x05, 0x00].repeat(100_000)]);
    assert_eq!(why(&world, &wide), TOO_MUCH);
    let set = set(0x31, (0..=255).map(number).collect());
    assert_eq!(why(&world, &sequence(&[&set])), TOO_MUCH);
    let set = element(0x31, &[&[0x05, 0x00].repeat(100_000)]);
    assert_eq!(why(&world, &set), UNORDERED);
    assert_eq!(why(&world, &vec![0x30; MAX_CONTAINER + 1]), "it is larger than 256 KiB");
}

#[test]
fn a_thousand_certificates_are_too_many() {
    let world = World::new();
    let mut pharmacist = world.issue(&profile());
    let certificate = pharmacist.certificate.clone();
    let others = (0..MAX_CERTIFICATES).map(|_| world.issue(&profile()).certificate);
    pharmacist.chain = others.collect();
    let container = pharmacist.sign(DOCUMENT).unwrap();
    assert_eq!(why(&world, &container), "it has more than 16 certificates");
    pharmacist.chain.pop();
    assert_eq!(world.open(&pharmacist.sign(DOCUMENT).unwrap()), Ok(signer()));

    let mut forged = Forged::by(&pharmacist, DOCUMENT);
    let small = |index: u16| sequence(&[&octets(&[0; 200]), &octets(&index.to_be_bytes())]);
    forged.certificates = (0..999).map(small).collect();
    forged.certificates.push(certificate.to_der().unwrap());
    let container = forged.signed(&pharmacist);
    assert!(container.len() < MAX_CONTAINER);
    assert_eq!(why(&world, &container), TOO_MUCH);
}

#[test]
fn the_same_certificate_twice_is_no_set() {
    let world = World::new();
    let pharmacist = world.issue(&profile());
    let mut twice = Forged::by(&pharmacist, DOCUMENT);
    twice.certificates.push(pharmacist.certificate.to_der().unwrap());
    assert_eq!(why(&world, &twice.signed(&pharmacist)), OTHER);
}

/// Every one of them either says nothing new, or is refused.
#[test]
fn no_changed_byte_changes_what_counts() {
    let world = World::new();
    let container = world.issue(&profile()).sign(DOCUMENT).unwrap();
    for (index, _) in container.iter().enumerate() {
        for change in [0x01, 0x20, 0x80, 0xff] {
            let mut changed = container.clone();
            changed[index] ^= change;
            let opened = world.verifier.open_here(&changed);
            if opened.signature.is_ok() {
                assert_eq!(opened.document.as_deref(), Some(DOCUMENT), "{index}, {change}");
                assert_eq!(opened.signature, Ok(signer()), "{index}, {change}");
            }
        }
    }
}

#[test]
fn a_document_comes_out_of_a_container_that_is_not_signed() {
    let world = World::new();
    let opened = world.verifier.open_here(&signed_by_all(&[], DOCUMENT).unwrap());
    assert_eq!(opened.document.as_deref(), Some(DOCUMENT));
    let fault = SignatureFault::Count { signatures: 0, stamps: 0, why: None };
    assert_eq!(opened.signature, Err(fault));
}
