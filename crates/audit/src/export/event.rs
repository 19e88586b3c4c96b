//! What a row says of its event, as far as quantities and the order of events depend on it.

use uuid::Uuid;

use super::amount::Amount;
use super::broken::{Fault, Kind};
use super::json::Json;
use crate::instant;
use crate::line::Line;

/// The only version of every kind of event so far.
const VERSION: &str = "1.0";

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    /// Medication was reserved.
    Held {
        prescribed: Amount,
        taken: Amount,
        /// The last instant of the hold; absent where it is processed at once.
        expires_at: Option<i64>,
    },
    /// It was handed over.
    Processed { remaining: Amount },
    /// The hold was given back.
    Cancelled,
    /// The hold ran out.
    Expired { expires_at: i64 },
}

/// An event of a medication request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) medication_request: Uuid,
    pub(super) dispense: Uuid,
    pub(super) sequence: i64,
    pub(super) recorded_at: i64,
    pub(super) happened: Happened,
}

fn malformed(what: &str) -> Fault {
    Fault::new(Kind::Event, format!("a well-formed {what}"), "another")
}

/// Reads the event of a row.
///
/// # Errors
///
/// [`Kind::Event`], and [`Kind::Partition`] if the medication request belongs to another one.
pub(super) fn read(line: &Line<'_>, partitions: u16) -> Result<Event, Fault> {
    let medication_request =
        canonical(line.medication_request_id).ok_or_else(|| malformed("medicationRequestId"))?;
    let slice = crc32fast::hash(medication_request.as_bytes()) & 0xffff;
    let partition = slice % u32::from(partitions);
    if partition != u32::from(line.partition) {
        let found = format!("its stream in partition {}", line.partition);
        let expected = format!("the medication request in partition {partition}");
        return Err(Fault::new(Kind::Partition, expected, found));
    }
    if line.event_version != VERSION {
        let found = format!("version {}", line.event_version);
        return Err(Fault::new(Kind::Event, format!("version {VERSION}"), found));
    }
    let id = Uuid::new_v5(&line.dispense_id, line.event_type.as_bytes());
    if id != line.event_id {
        return Err(Fault::new(Kind::Event, format!("eventId {id}"), line.event_id));
    }
    metadata(line.metadata)?;
    let payload = Json::read(line.payload)
        .map_err(|why| Fault::new(Kind::Event, "a payload without doubled members", why))?;
    let says = |name| payload.member(name).and_then(Json::text);
    if says("type") != Some(line.event_type) {
        return Err(malformed("member type of the payload"));
    }
    if says("dispense_id").and_then(canonical) != Some(line.dispense_id) {
        return Err(malformed("member dispense_id of the payload"));
    }
    Ok(Event {
        medication_request,
        dispense: line.dispense_id,
        sequence: line.sequence,
        recorded_at: line.recorded_at,
        happened: happened(line.event_type, &payload, line.medication_request_id)?,
    })
}

fn metadata(text: &str) -> Result<(), Fault> {
    let flat = match Json::read(text) {
        Ok(Json::Object(members)) => members.values().all(|value| value.text().is_some()),
        Ok(_) | Err(_) => false,
    };
    flat.then_some(()).ok_or_else(|| malformed("metadata: an object of texts"))
}

fn happened(kind: &str, payload: &Json<'_>, request: &str) -> Result<Happened, Fault> {
    match kind {
        "HoldCreated" => held(payload, request),
        "Processed" => Ok(Happened::Processed { remaining: amount(payload, "remaining")? }),
        "Cancelled" => Ok(Happened::Cancelled),
        "Expired" => Ok(Happened::Expired { expires_at: time(payload, "expires_at")? }),
        other => {
            let kinds = "HoldCreated, Processed, Cancelled or Expired";
            Err(Fault::new(Kind::Event, kinds, other))
        }
    }
}

fn held(payload: &Json<'_>, request: &str) -> Result<Happened, Fault> {
    let named = payload.member("medication_request").and_then(|it| it.member("id"));
    if named.and_then(Json::text) != Some(request) {
        return Err(malformed("member medication_request of the payload"));
    }
    let prescribed = amount(payload, "prescribed")?;
    let items = payload.member("items").and_then(Json::list).filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| malformed("member items of the payload"))?;
    let mut taken = Amount::default();
    for item in items {
        let quantity = amount(item, "quantity")?;
        if quantity.is_zero() {
            return Err(malformed("member quantity of the payload"));
        }
        taken = taken.plus(quantity);
    }
    let at_once = payload.member("processed_at_once").and_then(Json::bool);
    let expires_at = match at_once {
        Some(true) if payload.member("expires_at").is_none() => None,
        Some(false) => Some(time(payload, "expires_at")?),
        Some(true) | None => return Err(malformed("member processed_at_once of the payload")),
    };
    Ok(Happened::Held { prescribed, taken, expires_at })
}

fn amount(object: &Json<'_>, name: &str) -> Result<Amount, Fault> {
    let amount = object.member(name).and_then(Json::text).and_then(Amount::read);
    amount.ok_or_else(|| malformed(&format!("member {name} of the payload")))
}

/// Payloads write no decimals of a second where there are none, and three where three suffice.
fn time(object: &Json<'_>, name: &str) -> Result<i64, Fault> {
    let text = object.member(name).and_then(Json::text);
    let time = text.and_then(|text| {
        let text = text.strip_suffix('Z')?;
        match text.len() {
            19 => instant::read(&format!("{text}.000000Z")),
            23 => instant::read(&format!("{text}000Z")),
            26 => instant::read(&format!("{text}Z")),
            _ => None,
        }
    });
    time.ok_or_else(|| malformed(&format!("member {name} of the payload")))
}

/// An id in its one form.
fn canonical(text: &str) -> Option<Uuid> {
    let id = Uuid::parse_str(text).ok()?;
    (id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(id)
}
