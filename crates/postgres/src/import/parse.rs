//! From the bytes of a line to a record, or to a sentence about what is wrong with it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dispensary::{FaultyLine, Line};
use dispense_domain::Partitions;
use dispense_domain::registry::{
    CarePlan, CarePlanActivity, Contract, Division, Employee, HealthcareService, LegalEntity,
    MedicalProgram, MedicalProgramProvision, Medication, MedicationRequest, Party, PartyUser,
    Person, ProgramMedication, RegistryKind,
};
use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Part;
use super::found_by::FoundBy;
use super::merge::Entry;
use super::{place, stamps};

/// The longest line that is looked at.
const LONGEST: usize = 64 * 1024;

/// The longest message; a list of all members of a record fits.
const LONGEST_MESSAGE: usize = 1_500;

/// Lines that were understood, and those that were not.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// Those that were not.
    pub faulty: Vec<FaultyLine>,
    /// Those that were, with what they are locked together with, in the order of the lines.
    pub parts: BTreeMap<Part, Vec<Entry>>,
}

/// What is wrong with a line.
#[derive(Debug)]
struct Wrong {
    code: &'static str,
    message: String,
}

impl Wrong {
    fn schema(message: impl Into<String>) -> Self {
        Self { code: "schema", message: message.into() }
    }

    fn not_json(message: impl Into<String>) -> Self {
        Self { code: "not-json", message: message.into() }
    }

    fn other_kind(expected: RegistryKind, found: RegistryKind) -> Self {
        let (expected, found) = (expected.as_str(), found.as_str());
        let message = format!(
            "kind: expected {expected}, for which this topic is, but found {found}; send it to the \
             topic of its kind"
        );
        Self { code: "other-kind", message }
    }

    fn on(self, line: &Line) -> FaultyLine {
        let message = self.message.chars().take(LONGEST_MESSAGE).collect();
        FaultyLine { line: line.number, code: self.code, message }
    }

    /// What `serde_json` has against the value at `root`.
    fn of(error: &serde_json::Error, root: &str, json: &str) -> Self {
        let message = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        let message = message.strip_suffix(&position).unwrap_or(&message);
        if !error.is_data() {
            let root = if root.is_empty() { "line" } else { root };
            let byte = error.column();
            return Self::not_json(format!("{root}: expected JSON: {message} at byte {byte}"));
        }
        let path = match error.line() {
            1 if message.starts_with("missing field") => {
                place::path_of_object(json, error.column())
            }
            1 => place::path(json, error.column()),
            _ => String::new(),
        };
        let path = format!("{root}{path}");
        let path = path.trim_start_matches('.');
        let message = worded(message);
        Self::schema(if path.is_empty() { message } else { format!("{path}: {message}") })
    }
}

/// Says what is expected where a library only says what is wrong.
fn worded(message: &str) -> String {
    const DATES: [&str; 6] = [
        "input is out of range",
        "no possible date and time matching input",
        "input is not enough for unique date and time",
        "input contains invalid characters",
        "premature end of input",
        "trailing input",
    ];
    if DATES.contains(&message) {
        return format!("expected a date such as 2026-01-31, but {message}");
    }
    if message.starts_with("UUID parsing failed") {
        return format!(
            "expected an id such as 6f0d1c4e-3b5a-4d2f-9a61-0c8e7b5a9d13, but {message}"
        );
    }
    match message.split_once(", expected struct ") {
        Some((found, _)) => format!("{found}, expected an object"),
        None => message.to_owned(),
    }
}

/// What stands on a line.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Parsed {
    /// Reads each line by itself; blank ones are nothing.
    pub(super) fn from_lines(lines: &[Line], partitions: Partitions) -> Self {
        let mut parsed = Self::default();
        for line in lines {
            match entry(line) {
                Ok(None) => {}
                Ok(Some(entry)) => {
                    let part = Part::of(&entry, partitions);
                    parsed.parts.entry(part).or_default().push(entry);
                }
                Err(wrong) => parsed.faulty.push(wrong.on(line)),
            }
        }
        parsed
    }
}

impl Part {
    /// What a line is locked together with.
    fn of(entry: &Entry, partitions: Partitions) -> Self {
        match entry.kind {
            RegistryKind::MedicationRequest => {
                Self::Requests(partitions.of_request(entry.id.into()))
            }
            RegistryKind::LegalEntity
            | RegistryKind::Division
            | RegistryKind::HealthcareService
            | RegistryKind::Party
            | RegistryKind::PartyUser
            | RegistryKind::Employee
            | RegistryKind::Medication
            | RegistryKind::MedicalProgram
            | RegistryKind::ProgramMedication
            | RegistryKind::Contract
            | RegistryKind::MedicalProgramProvision
            | RegistryKind::Person
            | RegistryKind::CarePlan
            | RegistryKind::CarePlanActivity => Self::Rest,
        }
    }
}

/// Reads a line that came by itself, where only that kind is expected; a blank one says nothing that
/// anybody could have meant.
pub(super) fn alone(
    line: &Line,
    kind: RegistryKind,
    partitions: Partitions,
) -> Result<(Part, Entry), FaultyLine> {
    match entry(line) {
        Ok(Some(entry)) if entry.kind == kind => Ok((Part::of(&entry, partitions), entry)),
        Ok(Some(entry)) => Err(Wrong::other_kind(kind, entry.kind).on(line)),
        Ok(None) => Err(Wrong::not_json("line: expected JSON but found nothing").on(line)),
        Err(wrong) => Err(wrong.on(line)),
    }
}

fn entry(line: &Line) -> Result<Option<Entry>, Wrong> {
    if line.bytes.len() > LONGEST {
        let message = format!("expected at most {LONGEST} bytes; is the line end missing?");
        return Err(Wrong { code: "line-too-long", message });
    }
    let json = std::str::from_utf8(&line.bytes).map_err(|error| {
        let at = error.valid_up_to() + 1;
        Wrong::not_json(format!("expected UTF-8, but byte {at} is not; convert the file to UTF-8"))
    })?;
    let json = json.trim_ascii();
    if json.is_empty() {
        return Ok(None);
    }
    if place::is_too_deep(json) {
        let most = place::DEEPEST;
        return Err(Wrong::not_json(format!("expected at most {most} levels of nesting")));
    }
    let envelope: Envelope<'_> = object(json, "")?;
    let kind = RegistryKind::named(&envelope.kind).ok_or_else(|| unknown(&envelope.kind))?;
    let stamped = stamps::take_off(envelope.data).map_err(Wrong::schema)?;
    let ((id, found_by), data) = record(kind, &stamped.record)?;
    let updated_at = stamped.updated_at;
    Ok(Some(Entry { line: line.number, kind, id, data, found_by, updated_at }))
}

fn unknown(kind: &str) -> Wrong {
    let known: Vec<&str> = RegistryKind::ALL.into_iter().map(RegistryKind::as_str).collect();
    let known = known.join(", ");
    let message = format!("kind: expected one of {known} but found `{kind:.64}`");
    Wrong { code: "unknown-kind", message }
}

fn object<'a, T: Deserialize<'a>>(json: &'a str, root: &str) -> Result<T, Wrong> {
    // A list of the members' values would be taken for the object.
    let value: Result<T, _> = if json.starts_with('{') {
        serde_json::from_str(json)
    } else {
        serde_json::from_str::<serde::de::IgnoredAny>(json)
            .and_then(|_| Err(serde::de::Error::custom("expected an object")))
    };
    value.map_err(|error| Wrong::of(&error, root, json))
}

/// What a record is found by, and the text in which it is kept: normal form, members in a fixed
/// order.
fn record(kind: RegistryKind, json: &str) -> Result<((Uuid, FoundBy), String), Wrong> {
    match kind {
        RegistryKind::LegalEntity => read(json, |it: &LegalEntity| it.id.uuid()),
        RegistryKind::Division => read(json, |it: &Division| it.id.uuid()),
        RegistryKind::HealthcareService => read(json, |it: &HealthcareService| it.id),
        RegistryKind::Party => read(json, |it: &Party| it.id.uuid()),
        RegistryKind::PartyUser => read(json, |it: &PartyUser| it.user_id.uuid()),
        RegistryKind::Employee => read(json, |it: &Employee| it.id.uuid()),
        RegistryKind::Contract => read(json, |it: &Contract| it.id),
        RegistryKind::MedicalProgram => read(json, |it: &MedicalProgram| it.id.uuid()),
        RegistryKind::MedicalProgramProvision => read(json, |it: &MedicalProgramProvision| it.id),
        RegistryKind::Medication => read(json, |it: &Medication| it.id.uuid()),
        RegistryKind::ProgramMedication => read(json, |it: &ProgramMedication| it.id.uuid()),
        RegistryKind::Person => read(json, |it: &Person| it.id.uuid()),
        RegistryKind::MedicationRequest => {
            parsed(json, |it: &MedicationRequest| (it.id.uuid(), FoundBy::of(it)))
        }
        RegistryKind::CarePlan => read(json, |it: &CarePlan| it.id),
        RegistryKind::CarePlanActivity => read(json, |it: &CarePlanActivity| it.id),
    }
}

/// A record that is found by its id alone.
fn read<T: DeserializeOwned + Serialize>(
    json: &str,
    id: impl Fn(&T) -> Uuid,
) -> Result<((Uuid, FoundBy), String), Wrong> {
    parsed(json, |record| (id(record), FoundBy::default()))
}

fn parsed<T: DeserializeOwned + Serialize, Key>(
    json: &str,
    key: impl Fn(&T) -> Key,
) -> Result<(Key, String), Wrong> {
    let record: T = object(json, "data")?;
    let text = serde_json::to_string(&record).map_err(|error| Wrong::schema(error.to_string()))?;
    Ok((key(&record), text))
}
