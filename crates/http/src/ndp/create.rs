//! `POST /api/v1/dispenses`

use std::ops::RangeInclusive;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use chrono::NaiveDate;
use chrono_tz::Tz;
use dispensary::WantedHold;
use dispense_domain::{CodeTurn, DispenseDay, NewItem, Prices};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::Held;
use super::decision::{self, GrantedDryRun};
use super::dispense;
use super::problems::CreateProblems;
use super::{WRITE, place};
use crate::Door;
use crate::answer::answer_command;
use crate::body::{self, Json, Members, kinds};
use crate::problem::Problem;
use crate::query::{DRY_RUN, one_word};
use crate::visit::origin;

/// How many items a dispense has: as many as fit on a till receipt, and some more.
const ITEMS: RangeInclusive<usize> = 1..=100;

/// How far a create goes.
#[derive(Debug, Clone, Copy)]
enum Extent {
    /// It is done.
    Done,
    /// It is tried: the rules are asked, and nothing is done.
    Tried,
}

/// What `dryRun` says.
const EXTENTS: [(&str, Extent); 2] = [("true", Extent::Tried), ("false", Extent::Done)];

/// What a pharmacy wants to dispense.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what `wanted` reads; a test holds one against the other")]
struct NewDispense {
    /// The prescription (medication request) to dispense from.
    prescription_id: Uuid,
    /// The outlet (division) that dispenses.
    pharmacy_id: Uuid,
    /// Who pays; left out or null outside any program.
    program_id: Option<Uuid>,
    /// Day of dispensing, or an RFC 3339 time, of which the day in the service's time zone counts.
    #[schema(example = "2026-03-02")]
    dispensed_at: String,
    /// The code that the patient got.
    #[schema(min_length = 1, max_length = 255)]
    verification_code: Option<String>,
    /// At least one medication; several makers of one substance may be mixed.
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<NewDispenseItem>,
    /// Free text.
    #[schema(min_length = 1, max_length = 1000)]
    note: Option<String>,
    /// Receipt number; only under a program without signature.
    #[schema(min_length = 1, max_length = 255)]
    payment_id: Option<String>,
    /// What the patient paid; only under a program without signature, and required there.
    #[schema(minimum = 0, exclusive_maximum = 1_000_000_000, nullable = false)]
    copayment: Option<f64>,
}

/// One medication that is wanted.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what `item` reads; a test holds one against the other")]
struct NewDispenseItem {
    /// The brand (medication).
    medicine_code: Uuid,
    /// How much of it, in the unit of the prescription; at most 4 decimal places.
    #[schema(exclusive_minimum = 0, exclusive_maximum = 10_000_000, example = 10)]
    quantity_dispensed: f64,
    /// Batch, as printed on the package.
    #[schema(min_length = 1, max_length = 255)]
    batch_number: String,
    /// Last day on which the medicine may be used.
    expiry_date: NaiveDate,
    /// Price of one unit that cannot be divided; at most 4 decimal places.
    #[schema(minimum = 0, exclusive_maximum = 1_000_000_000)]
    unit_price: f64,
    /// What the pharmacy asks for the line.
    #[schema(exclusive_minimum = 0, exclusive_maximum = 1_000_000_000)]
    total_price: f64,
    /// The part of it that the program pays.
    #[schema(minimum = 0, exclusive_maximum = 1_000_000_000)]
    discount_amount: Option<f64>,
    /// The participant of the program, where the pharmacy names one.
    program_medication_id: Option<Uuid>,
}

/// Hold medication
///
/// Reserves part of a prescription, so that no other pharmacy can dispense it. The hold runs out
/// after `MEDICATION_DISPENSE_EXPIRATION` unless it is processed. Under a program without signature
/// the dispense is recorded as handed over at once.
///
/// Sent twice with one `Idempotency-Key`, it is done once: the second answer is the first one again,
/// with `Idempotency-Replayed: true`.
///
/// With `dryRun=true` nothing is done: the answer tells what every rule says now, be the dispense
/// granted (200) or refused (the problem that it would meet, as `RefusedDryRun`). Whether the key was
/// used before does not matter then. A wrong verification code counts all the same.
#[utoipa::path(
    tag = "dispenses",
    security(("bearer" = ["medication_dispense:write"])),
    request_body = NewDispense,
    params(
        ("dryRun" = Option<bool>, Query, description = "Whether to tell what would be, and do nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters; drawn where none is sent"),
    ),
    responses(
        (status = 200, description = "A dry run: the dispense could begin now", body = GrantedDryRun,
         headers(
            ("Dispense-Position" = String, description = "`<partition>:<position>` that the rules knew"),
            ("Idempotency-Key" = String, description = "The key, sent or drawn"),
            ("X-Request-ID" = String, description = "Names the request"),
         )),
        Held,
        CreateProblems,
    )
)]
#[post("/api/v1/dispenses")]
pub(crate) async fn create_dispense(
    request: HttpRequest,
    payload: web::Payload,
    door: web::Data<Door>,
) -> HttpResponse {
    answer_command(&request, payload, async |key, payload| {
        let asker = door.admit(&request, WRITE).await?;
        let key = key?;
        let extent = one_word(&request, DRY_RUN, &EXTENTS)?.unwrap_or(Extent::Done);
        let bytes = body::read(&request, payload).await?;
        body::is_json(request.headers())?;
        let wanted = read(&bytes, door.zone)?;
        let origin = origin(&request, &asker);
        let refused = |error| Problem::of_command(&error, place::path);
        match extent {
            Extent::Done => {
                let held = door.dispensary.hold(&asker, wanted, key.as_str(), origin).await;
                Ok(dispense::answered(StatusCode::CREATED, &held.map_err(refused)?))
            }
            Extent::Tried => {
                let tried = door.dispensary.try_hold(&asker, wanted, key.as_str(), origin).await;
                Ok(decision::answered(&request, &tried.map_err(refused)?))
            }
        }
    })
    .await
}

/// What a body asks for.
///
/// # Errors
///
/// `malformed-json`, `schema`.
pub(crate) fn read(body: &[u8], zone: Tz) -> Result<WantedHold, Problem> {
    Json::parse(body)?.walk("$", |members| wanted(members, zone))
}

/// Believes nothing that has not been parsed; asks for every member before it gives up.
fn wanted(body: &mut Members<'_, '_>, zone: Tz) -> Option<WantedHold> {
    let medication_request_id = body.required("prescriptionId", kinds::uuid);
    let division_id = body.required("pharmacyId", kinds::uuid);
    let medical_program_id = body.optional("programId", kinds::uuid);
    let dispensed_on = body.required("dispensedAt", |json| kinds::day_or_instant(json, zone));
    let verification_code = body.optional("verificationCode", kinds::text);
    let items = body.list("items", ITEMS, item);
    let note = body.optional("note", kinds::text);
    let payment_id = body.stated_or_null("paymentId", kinds::text);
    let payment_amount = body.stated("copayment", kinds::money);
    Some(WantedHold {
        medication_request_id: medication_request_id?.into(),
        division_id: division_id?.into(),
        medical_program_id: medical_program_id.map(Into::into),
        dispensed_on: dispensed_on?,
        dispense_day: DispenseDay::Bounded,
        dispensed_by: None,
        verification_code,
        code_turn: CodeTurn::Last,
        items: items?,
        prices: Prices::AsStated,
        note,
        payment_id,
        payment_amount,
    })
}

fn item(body: &mut Members<'_, '_>) -> Option<NewItem> {
    let medication_id = body.required("medicineCode", kinds::uuid);
    let quantity = body.required("quantityDispensed", kinds::quantity);
    let batch_number = body.required("batchNumber", kinds::text);
    let expiry_date = body.required("expiryDate", kinds::day);
    let unit_price = body.required("unitPrice", kinds::money);
    let total_price = body.required("totalPrice", kinds::price);
    let discount_amount = body.optional("discountAmount", kinds::money);
    let program_medication_id = body.optional("programMedicationId", kinds::uuid);
    Some(NewItem {
        medication_id: medication_id?.into(),
        quantity: quantity?,
        unit_price: Some(unit_price?),
        total_price: Some(total_price?),
        discount_amount,
        program_medication_id: program_medication_id.map(Into::into),
        batch_number: Some(batch_number?),
        expiry_date: Some(expiry_date?),
        medication_2d_codes: Vec::new(),
    })
}
