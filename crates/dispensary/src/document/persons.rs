//! Persons in a document. They are named here member by member: what is not listed never leaves.

use chrono::NaiveDate;
use dispense_domain::{
    Carried, DoctorAsWas, EmployeeId, PartyAsWas, PartyId, PersonAsWas, PersonId, Text,
};
use serde::Serialize;

/// The pharmacist.
#[derive(Serialize)]
pub(super) struct Pharmacist<'a> {
    id: PartyId,
    first_name: Option<&'a Text>,
    last_name: Option<&'a Text>,
    second_name: Option<&'a Text>,
    birth_date: Option<NaiveDate>,
    no_tax_id: Option<bool>,
    phones: Option<&'a Carried>,
}

impl<'a> Pharmacist<'a> {
    pub(super) fn of(id: PartyId, party: Option<&'a PartyAsWas>) -> Self {
        Self {
            id,
            first_name: party.map(|party| &party.first_name),
            last_name: party.map(|party| &party.last_name),
            second_name: party.and_then(|party| party.second_name.as_ref()),
            birth_date: party.and_then(|party| party.birth_date),
            no_tax_id: party.and_then(|party| party.no_tax_id),
            phones: party.and_then(|party| party.phones.as_ref()),
        }
    }
}

/// The doctor's job.
#[derive(Serialize)]
pub(super) struct Employee<'a> {
    id: EmployeeId,
    position: Option<&'a Text>,
    party: Option<Doctor<'a>>,
}

/// The doctor, without day of birth and tax marks.
#[derive(Serialize)]
struct Doctor<'a> {
    id: PartyId,
    first_name: &'a Text,
    last_name: &'a Text,
    second_name: Option<&'a Text>,
    phones: Option<&'a Carried>,
}

impl<'a> Employee<'a> {
    pub(super) fn of(id: EmployeeId, doctor: Option<&'a DoctorAsWas>) -> Self {
        Self {
            id,
            position: doctor.and_then(|doctor| doctor.position.as_ref()),
            party: doctor.map(|doctor| Doctor::of(&doctor.party)),
        }
    }
}

impl<'a> Doctor<'a> {
    fn of(party: &'a PartyAsWas) -> Self {
        Self {
            id: party.id,
            first_name: &party.first_name,
            last_name: &party.last_name,
            second_name: party.second_name.as_ref(),
            phones: party.phones.as_ref(),
        }
    }
}

/// The patient, never by full name.
#[derive(Serialize)]
pub(super) struct Person<'a> {
    id: PersonId,
    short_name: Option<&'a str>,
    age: Option<i32>,
}

impl<'a> Person<'a> {
    pub(super) fn of(id: PersonId, person: Option<&'a PersonAsWas>) -> Self {
        Self {
            id,
            short_name: person.map(|person| person.short_name.as_str()),
            age: person.map(|person| person.age),
        }
    }
}
