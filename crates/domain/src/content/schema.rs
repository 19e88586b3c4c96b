//! The schema of a signed document: which members it has, and of which types.

use std::collections::BTreeMap;

use super::tree::{Number, Tree, clipped};
use super::{AmountPaid, ContentFault};
use crate::{Money, Text};

/// What a member may be.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    TextOrNull,
    /// The one status that is signed.
    New,
    /// The amount that the patient paid.
    Amount,
    /// The receipt number.
    Receipt,
    Object,
    List,
}

/// The members that must be there, in the order in which missing ones are told.
const REQUIRED: &[&str] = &[
    "id",
    "medication_request",
    "dispensed_at",
    "party",
    "legal_entity",
    "division",
    "payment_amount",
    "status",
    "inserted_at",
    "inserted_by",
    "updated_at",
    "updated_by",
];

/// Every member, in alphabetical order, which is the order in which wrong ones are told.
const MEMBERS: &[(&str, Kind)] = &[
    ("details", Kind::List),
    ("dispensed_at", Kind::Text),
    ("dispensed_by", Kind::TextOrNull),
    ("division", Kind::Object),
    ("id", Kind::Text),
    ("inserted_at", Kind::Text),
    ("inserted_by", Kind::Text),
    ("legal_entity", Kind::Object),
    ("medical_program", Kind::Object),
    ("medication_request", Kind::Object),
    ("note", Kind::TextOrNull),
    ("party", Kind::Object),
    ("payment_amount", Kind::Amount),
    ("payment_id", Kind::Receipt),
    ("status", Kind::New),
    ("updated_at", Kind::Text),
    ("updated_by", Kind::Text),
];

/// The members of the patient: nothing that says more of a person.
const PERSON: &[&str] = &["age", "id", "short_name"];

/// The members of a line.
const DETAIL: &[&str] = &[
    "batch_number",
    "discount_amount",
    "expiry_date",
    "medication",
    "medication_2d_codes",
    "medication_qty",
    "program_medication_id",
    "reimbursement_amount",
    "sell_amount",
    "sell_price",
];

/// What must never be signed of a doctor.
const NOT_OF_A_DOCTOR: &[&str] = &["documents", "tax_id"];

/// The most faults that are told of one document.
const MOST_TOLD: usize = 100;

type Members = BTreeMap<String, Tree>;

/// Every fault: missing members first, then wrong ones, then unknown ones.
pub(super) fn faults(members: &Members, amount: AmountPaid) -> Vec<ContentFault> {
    let wanted = |name: &&str| amount == AmountPaid::Required || *name != "payment_amount";
    let missing =
        REQUIRED.iter().copied().filter(wanted).filter(|name| !members.contains_key(*name));
    let mut faults: Vec<ContentFault> = missing.map(ContentFault::required).collect();
    for (name, kind) in MEMBERS {
        if let Some(value) = members.get(*name) {
            faults.extend(wrong(name, *kind, value, amount));
            if let Tree::Object(inside) = value {
                faults.extend(inside_of(name, inside));
            }
        }
    }
    if let Some(Tree::List(details)) = members.get("details") {
        for (index, detail) in details.iter().enumerate() {
            faults.extend(detail_faults(index, detail));
        }
    }
    let known = |name: &str| MEMBERS.iter().any(|(known, _)| *known == name);
    let unknown = members.keys().filter(|name| !known(name));
    faults.extend(unknown.map(|name| ContentFault::unknown(format!("$.{}", clipped(name)))));
    faults.truncate(MOST_TOLD);
    faults
}

fn wrong(name: &str, kind: Kind, value: &Tree, amount: AmountPaid) -> Option<ContentFault> {
    let path = format!("$.{name}");
    let cast = |expected| Some(ContentFault::cast(path.clone(), expected, value.type_name()));
    match (kind, value) {
        (Kind::Text | Kind::TextOrNull, Tree::Text(_))
        | (Kind::TextOrNull | Kind::Receipt, Tree::Null)
        | (Kind::Object, Tree::Object(_))
        | (Kind::List, Tree::List(_)) => None,
        (Kind::Amount, Tree::Null) if amount == AmountPaid::Optional => None,
        (Kind::Receipt, Tree::Text(text)) => {
            let invalid = Text::<255>::try_from(text.as_str()).err()?;
            Some(ContentFault::new(path, "format", invalid.to_string()))
        }
        (Kind::New, Tree::Text(text)) => (text != "NEW").then(|| {
            ContentFault::new(path, "inclusion", "value is not allowed in enum")
                .with("values", vec!["NEW"])
        }),
        (Kind::Amount, Tree::Number(Number::Exact(number))) => {
            Money::try_from(*number).is_err().then(|| ContentFault::no_money(path, *number))
        }
        (Kind::Amount, Tree::Number(Number::Odd(_))) => {
            Some(ContentFault::no_money(path, rust_decimal::Decimal::MAX))
        }
        (Kind::Text | Kind::New, _) => cast("string"),
        (Kind::TextOrNull | Kind::Receipt, _) => cast("string, null"),
        (Kind::Amount, _) => cast("number"),
        (Kind::Object, _) => cast("object"),
        (Kind::List, _) => cast("array"),
    }
}

/// Faults inside the medication request, the one object of which the schema says more.
fn inside_of(name: &str, members: &Members) -> Vec<ContentFault> {
    if name != "medication_request" {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let doctor = object(members, "employee").and_then(|employee| object(employee, "party"));
    if let Some(doctor) = doctor {
        let private = doctor.keys().filter(|name| NOT_OF_A_DOCTOR.contains(&name.as_str()));
        faults.extend(private.map(|name| {
            ContentFault::unknown(format!("$.medication_request.employee.party.{name}"))
        }));
    }
    if let Some(person) = object(members, "person") {
        let unknown = person.keys().filter(|name| !PERSON.contains(&name.as_str()));
        faults.extend(unknown.map(|name| {
            ContentFault::unknown(format!("$.medication_request.person.{}", clipped(name)))
        }));
    }
    faults
}

/// The members of that member, if it is an object.
fn object<'t>(of: &'t Members, name: &str) -> Option<&'t Members> {
    match of.get(name) {
        Some(Tree::Object(members)) => Some(members),
        _ => None,
    }
}

fn detail_faults(index: usize, detail: &Tree) -> Vec<ContentFault> {
    let path = format!("$.details.[{index}]");
    let Tree::Object(members) = detail else {
        return vec![ContentFault::cast(path, "object", detail.type_name())];
    };
    let unknown = members.keys().filter(|name| !DETAIL.contains(&name.as_str()));
    unknown.map(|name| ContentFault::unknown(format!("{path}.{}", clipped(name)))).collect()
}
