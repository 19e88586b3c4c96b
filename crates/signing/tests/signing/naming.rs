//! Who signed, as the certificate says it. Whether that is the user is a rule, and not judged here.

use dispensary::Signer;
use dispense_signing::development::{Holder, Profile};
use openssl::asn1::Asn1Type;
use openssl::nid::Nid;

use crate::sample::{DOCUMENT, World, holder, profile};

const UNCLEAR: &str =
    "the tax id or the surname in the certificate of the signer cannot be read as one value";

fn named(world: &World, profile: &Profile) -> Signer {
    world.open(&world.issue(profile).sign(DOCUMENT).unwrap()).unwrap()
}

fn flaw(world: &World, profile: &Profile) -> String {
    world.flaw(&world.issue(profile).sign(DOCUMENT).unwrap())
}

/// A certificate with that serial number in its subject.
fn with_tax_id(text: &str) -> Profile {
    let without = profile().without(Nid::SERIALNUMBER);
    without.also_written(Nid::SERIALNUMBER, Asn1Type::UTF8STRING, text)
}

#[test]
fn a_tax_id_stands_with_or_without_its_prefix() {
    let world = World::new();
    for (text, tax_id) in [
        ("TINUA-3126509816", "3126509816"),
        ("3126509816", "3126509816"),
        // What is a passport, or from elsewhere, or written otherwise, stays what it is.
        ("PNOUA-AB123456", "PNOUA-AB123456"),
        ("TINPL-3126509816", "TINPL-3126509816"),
        ("tinua-3126509816", "tinua-3126509816"),
        ("TINUA-TINUA-1", "TINUA-1"),
        ("TINUA-АВ 123456", "АВ 123456"),
        (" 3126509816 ", " 3126509816 "),
    ] {
        assert_eq!(named(&world, &with_tax_id(text)).tax_id.as_deref(), Some(tax_id), "{text:?}");
    }
}

#[test]
fn names_that_are_missing_are_none() {
    let world = World::new();
    let nobody = profile().without(Nid::SERIALNUMBER).without(Nid::SURNAME);
    assert_eq!(named(&world, &nobody), Signer { tax_id: None, surname: None });
    assert_eq!(named(&world, &with_tax_id("TINUA-")).tax_id, None);
    let empty =
        profile().without(Nid::SURNAME).also_written(Nid::SURNAME, Asn1Type::UTF8STRING, "");
    assert_eq!(named(&world, &empty).surname, None);
}

#[test]
fn a_surname_is_read_letter_by_letter() {
    let world = World::new();
    for surname in ["Шевченко", "О’Нил", "Ґалаґан-Їжакевич", "Smith", "von der Leyen"]
    {
        let holder = Holder { surname: surname.to_owned(), ..holder() };
        assert_eq!(named(&world, &Profile::of(&holder)).surname.as_deref(), Some(surname));
    }
}

#[test]
fn strings_are_of_kinds_whose_letters_are_known() {
    let world = World::new();
    let written =
        |kind, bytes| profile().without(Nid::SURNAME).also_written(Nid::SURNAME, kind, bytes);
    for (kind, bytes) in [
        (Asn1Type::UTF8STRING, "Smith"),
        (Asn1Type::PRINTABLESTRING, "Smith"),
        (Asn1Type::IA5STRING, "Smith"),
        (Asn1Type::BMPSTRING, "\0S\0m\0i\0t\0h"),
    ] {
        assert_eq!(named(&world, &written(kind, bytes)).surname.as_deref(), Some("Smith"));
    }
    for (kind, bytes) in [(Asn1Type::TELETEXSTRING, "Smith"), (Asn1Type::BMPSTRING, "\0S\0\0")] {
        assert_eq!(flaw(&world, &written(kind, bytes)), UNCLEAR, "{kind:?}");
    }
}

#[test]
fn of_two_names_none_counts() {
    let world = World::new();
    assert_eq!(flaw(&world, &profile().also_named(Nid::SERIALNUMBER, "TINUA-1111111111")), UNCLEAR);
    assert_eq!(flaw(&world, &profile().also_named(Nid::SURNAME, "Інша")), UNCLEAR);
    assert_eq!(flaw(&world, &profile().also_named(Nid::SURNAME, "Шевченко")), UNCLEAR);
}

#[test]
fn control_characters_are_refused() {
    let world = World::new();
    for text in ["3126509816\0", "\u{0}", "31265\n09816", "3126509816\u{7f}", "\u{85}3126509816"] {
        assert_eq!(flaw(&world, &with_tax_id(text)), UNCLEAR, "{text:?}");
        let surname = profile().without(Nid::SURNAME);
        let surname = surname.also_written(Nid::SURNAME, Asn1Type::UTF8STRING, text);
        assert_eq!(flaw(&world, &surname), UNCLEAR, "{text:?}");
    }
}
