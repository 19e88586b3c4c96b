//! What is shown of people: short names, ages, and no more than that.

use dispense_domain::registry::{Employee, Party, Person};
use dispense_domain::{DoctorAsWas, PartyAsWas, PersonAsWas};
use serde_json::json;

use crate::sample::{all_in_order, day, id, record, text};

fn person(last: &str, first: &str, second: Option<&str>, born: &str) -> Person {
    Person {
        id: id(0x7_0001),
        first_name: text(first),
        last_name: text(last),
        second_name: second.map(text),
        birth_date: day(born),
    }
}

#[test]
fn a_patient_is_shown_by_surname_and_initials() {
    for (last, first, second, short) in [
        ("Koval", "Olena", Some("Petrivna"), "Koval O. P."),
        ("Koval", "Anna-Maria", Some("Petrivna"), "Koval A.-M. P."),
        ("Koval", "Anna - Maria", Some("Petrivna"), "Koval A.-M. P."),
        ("Koval", "olena", Some("petrivna"), "Koval O. P."),
        ("Koval", "Olena", None, "Koval O."),
        ("Koval", "Olena", Some("-"), "Koval O."),
        ("Koval", " Olena", Some(" "), "Koval O."),
        ("Нечуй-Левицька", "Їжакіна", Some("ґудзівна"), "Нечуй-Левицька Ї. Ґ."),
    ] {
        let shown = PersonAsWas::on(&person(last, first, second, "1960-03-01"), day("2026-03-01"));
        assert_eq!(shown.short_name, short);
        assert_eq!(shown.id, id(0x7_0001));
    }
}

#[test]
fn age_is_in_full_years() {
    let age =
        |born: &str, on: &str| PersonAsWas::on(&person("Koval", "Olena", None, born), day(on)).age;
    assert_eq!(age("1960-03-01", "2026-03-01"), 66, "on the birthday");
    assert_eq!(age("1960-03-02", "2026-03-01"), 65, "on the day before");
    assert_eq!(age("1960-12-31", "2026-01-01"), 65);
    assert_eq!(age("2026-03-01", "2026-03-01"), 0, "a newborn");
    assert_eq!(age("2004-02-29", "2025-02-28"), 20, "29 February comes after the 28th");
    assert_eq!(age("2004-02-29", "2025-03-01"), 21);
    assert_eq!(age("2004-02-29", "2024-02-29"), 20);
}

/// The day of prescribing counts, not the day of dispensing.
#[test]
fn the_patient_is_as_old_as_on_the_day_of_prescribing() {
    let body = |created: Option<&str>| {
        let events = all_in_order().but(|it| it.request().created_at = created.map(day)).granted();
        let text = events[0].personal().unwrap().text().unwrap().clone();
        serde_json::from_str::<dispense_domain::HoldBody>(&text).unwrap().person.age
    };
    // Born on 1 March 1960; it is 10 March 2026.
    assert_eq!(body(Some("2026-02-28")), 65);
    assert_eq!(body(None), 66, "today, where nobody knows the day of prescribing");
}

#[test]
fn people_who_work_are_shown_with_their_full_name() {
    let name = |second: Option<&str>| {
        let party = json!({
            "id": crate::sample::uuid(1), "first_name": "Maria", "last_name": "Shevchuk",
            "second_name": second
        });
        PartyAsWas::from(record::<Party>(&party).as_ref()).full_name()
    };
    assert_eq!(name(Some("Ivanivna")), "Shevchuk Maria Ivanivna");
    assert_eq!(name(None), "Shevchuk Maria");
}

/// Of a doctor, day of birth and tax marks are nobody's business; of a pharmacist they are shown.
#[test]
fn a_doctor_is_shown_without_birthday_and_tax_marks() {
    let party = record::<Party>(&json!({
        "id": crate::sample::uuid(1), "first_name": "Ivan", "last_name": "Melnyk",
        "birth_date": "1970-05-05", "tax_id": "1234567890", "no_tax_id": true
    }));
    let job = record::<Employee>(&json!({
        "id": crate::sample::uuid(2), "party_id": crate::sample::uuid(1),
        "legal_entity_id": crate::sample::uuid(3), "employee_type": "DOCTOR", "position": "P1",
        "status": "APPROVED"
    }));
    let doctor = DoctorAsWas::of(job.as_ref(), party.as_ref());
    assert_eq!((doctor.party.birth_date, doctor.party.no_tax_id), (None, None));
    assert_eq!(doctor.position, Some(text("P1")));
    let pharmacist = PartyAsWas::from(party.as_ref());
    assert_eq!(pharmacist.birth_date, Some(day("1970-05-05")));
    assert_eq!(pharmacist.no_tax_id, Some(true));
}
