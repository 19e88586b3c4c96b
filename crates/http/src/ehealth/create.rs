//! `POST /api/medication_dispenses`

use std::ops::RangeInclusive;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::{HttpRequest, HttpResponse, post, web};
use chrono::NaiveDate;
use dispensary::WantedHold;
use dispense_domain::{CodeTurn, DispenseDay, NewItem, Prices, Text};
use utoipa::ToSchema;
use uuid::Uuid;

use super::WRITE;
use super::answered::{answer_command, answered};
use super::described::{CreateErrors, DispenseCreated};
use crate::Door;
use crate::body::{self, Element, Fault, Json, Members, kinds};
use crate::problem::{Problem, Violation};
use crate::query::{DRY_RUN, asked, without};
use crate::visit::origin;

/// How many lines a dispense has: as many as fit on a till receipt, and some more.
const LINES: RangeInclusive<usize> = 1..=100;

/// How many codes were read from the packages of a line.
const CODES: RangeInclusive<usize> = 0..=100;

/// What is sent; other members beside these are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `wanted` reads; a test holds one against the other")]
struct MedicationDispenseToCreate {
    /// The code that the patient got; here, or in the query.
    #[schema(min_length = 1, max_length = 255)]
    code: Option<String>,
    /// What a pharmacy wants to dispense.
    medication_dispense: NewMedicationDispense,
}

/// What a pharmacy wants to dispense.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `dispense` reads; a test holds one against the other")]
struct NewMedicationDispense {
    /// What to dispense from.
    medication_request_id: Uuid,
    /// Day of dispensing.
    dispensed_at: NaiveDate,
    /// Who dispenses, where an owner's account is used.
    #[schema(min_length = 1, max_length = 255, nullable = false)]
    dispensed_by: Option<String>,
    /// The outlet.
    division_id: Uuid,
    /// Who pays; left out outside any program.
    #[schema(nullable = false)]
    medical_program_id: Option<Uuid>,
    /// Free text.
    #[schema(min_length = 1, max_length = 1000, nullable = false)]
    note: Option<String>,
    /// Receipt number; only under a program without signature.
    #[schema(min_length = 1, max_length = 255)]
    payment_id: Option<String>,
    /// What the patient paid; only under a program without signature, and required there.
    #[schema(minimum = 0, exclusive_maximum = 1_000_000_000, nullable = false)]
    payment_amount: Option<f64>,
    /// At least one medication; several makers of one substance may be mixed.
    #[schema(min_items = 1, max_items = 100)]
    dispense_details: Vec<NewDispenseDetail>,
}

/// One medication that is wanted.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `detail` reads; a test holds one against the other")]
struct NewDispenseDetail {
    /// The brand.
    medication_id: Uuid,
    /// The participant of the program, where the pharmacy names one.
    #[schema(nullable = false)]
    program_medication_id: Option<Uuid>,
    /// How much of it; at most 4 decimal places.
    #[schema(exclusive_minimum = 0, exclusive_maximum = 10_000_000, example = 10)]
    medication_qty: f64,
    /// Price of one unit that cannot be divided. Prices may be left out under a program that
    /// somebody else than the payer funds.
    #[schema(minimum = 0, exclusive_maximum = 1_000_000_000, nullable = false)]
    sell_price: Option<f64>,
    /// What the pharmacy asks for the line.
    #[schema(exclusive_minimum = 0, exclusive_maximum = 1_000_000_000, nullable = false)]
    sell_amount: Option<f64>,
    /// The part of it that the program pays.
    #[schema(minimum = 0, exclusive_maximum = 1_000_000_000, nullable = false)]
    discount_amount: Option<f64>,
    /// Codes read from the packages: each a text, or an object around it.
    #[schema(max_items = 100, nullable = false)]
    medication_2d_codes: Option<Vec<Code2d>>,
    /// Batch, as printed on the package.
    #[schema(min_length = 1, max_length = 255, nullable = false)]
    batch_number: Option<String>,
    /// Last day on which the medicine may be used.
    #[schema(nullable = false)]
    expiry_date: Option<NaiveDate>,
}

/// A code read from a package.
#[derive(ToSchema)]
#[schema(as = NewMedication2dCode)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes what `code_2d` reads")]
enum Code2d {
    /// As it was read.
    Text(String),
    /// The same in an object.
    Object(NewCode2d),
}

/// A code read from a package, in an object.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `code_2d` reads")]
struct NewCode2d {
    /// As it was read.
    #[schema(min_length = 1, max_length = 255)]
    medication_2d_code: String,
}

/// Hold medication
///
/// Reserves part of a medication request, so that no other pharmacy can dispense it. The hold runs
/// out after `MEDICATION_DISPENSE_EXPIRATION` unless it is processed. Under a program without
/// signature the dispense is recorded as handed over at once.
///
/// Sent twice with one `X-Idempotency-Key`, it is done once: the second answer is the first one
/// again, with `Idempotency-Replayed: true`.
///
/// There is no dry run here: with `dryRun` in the query, whatever it says, the create is refused.
#[utoipa::path(
    tag = "medication_dispenses",
    security(("bearer" = ["medication_dispense:write"])),
    request_body = MedicationDispenseToCreate,
    params(
        ("code" = Option<String>, Query, description = "The code that the patient got, if the body has none"),
        ("X-Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters; drawn where none is sent"),
    ),
    responses(DispenseCreated, CreateErrors)
)]
#[post("/medication_dispenses")]
pub(crate) async fn create_medication_dispense(
    request: HttpRequest,
    payload: web::Payload,
    door: web::Data<Door>,
) -> HttpResponse {
    answer_command(&request, payload, async |key, payload| {
        let asker = door.admit(&request, WRITE).await?;
        let key = key?;
        without(&request, DRY_RUN)?;
        let bytes = body::read(&request, payload).await?;
        body::is_json(request.headers())?;
        let mut wanted = Json::parse(&bytes)?.walk("$", wanted)?;
        if wanted.verification_code.is_none() {
            wanted.verification_code = code_in_query(&request)?;
        }
        let origin = origin(&request, &asker);
        let held = door.dispensary.hold(&asker, wanted, key.as_str(), origin).await?;
        let mut response = answered(&request, StatusCode::CREATED, &held)?;
        let id = held.shown.hold.dispense_id;
        if let Ok(there) = HeaderValue::try_from(format!("{}/{id}", request.path())) {
            response.headers_mut().insert(LOCATION, there);
        }
        Ok(response)
    })
    .await
}

/// The code of the patient, where the query has it.
fn code_in_query(request: &HttpRequest) -> Result<Option<Text>, Problem> {
    let Some(code) = asked(request, "code") else { return Ok(None) };
    let refused = |invalid| Violation::schema("$.code".to_owned(), Fault::from(invalid));
    Text::try_from(code).map(Some).map_err(|invalid| Problem::schema(vec![refused(invalid)]))
}

/// Believes nothing that has not been parsed; asks for every member before it gives up.
fn wanted(body: &mut Members<'_, '_>) -> Option<WantedHold> {
    let verification_code = body.optional("code", kinds::text);
    let wanted = body.object("medication_dispense", dispense);
    body.ignore_others();
    Some(WantedHold { verification_code, ..wanted? })
}

fn dispense(body: &mut Members<'_, '_>) -> Option<WantedHold> {
    let medication_request_id = body.required("medication_request_id", kinds::uuid);
    let dispensed_on = body.required("dispensed_at", kinds::day);
    let dispensed_by = body.given("dispensed_by", kinds::text);
    let division_id = body.required("division_id", kinds::uuid);
    let medical_program_id = body.given("medical_program_id", kinds::uuid);
    let note = body.given("note", kinds::text);
    let payment_id = body.stated_or_null("payment_id", kinds::text);
    let payment_amount = body.stated("payment_amount", kinds::money);
    let items = body.list("dispense_details", LINES, detail);
    Some(WantedHold {
        medication_request_id: medication_request_id?.into(),
        division_id: division_id?.into(),
        medical_program_id: medical_program_id.map(Into::into),
        dispensed_on: dispensed_on?,
        dispense_day: DispenseDay::AsStated,
        dispensed_by,
        verification_code: None,
        code_turn: CodeTurn::InPlace,
        items: items?,
        prices: Prices::UnlessFundedElsewhere,
        note,
        payment_id,
        payment_amount,
    })
}

fn detail(body: &mut Members<'_, '_>) -> Option<NewItem> {
    let medication_id = body.required("medication_id", kinds::uuid);
    let program_medication_id = body.given("program_medication_id", kinds::uuid);
    let quantity = body.required("medication_qty", kinds::quantity);
    let unit_price = body.given("sell_price", kinds::money);
    let total_price = body.given("sell_amount", kinds::price);
    let discount_amount = body.given("discount_amount", kinds::money);
    let medication_2d_codes = body.given_list("medication_2d_codes", CODES, code_2d);
    let batch_number = body.given("batch_number", kinds::text);
    let expiry_date = body.given("expiry_date", kinds::day);
    Some(NewItem {
        medication_id: medication_id?.into(),
        quantity: quantity?,
        unit_price,
        total_price,
        discount_amount,
        program_medication_id: program_medication_id.map(Into::into),
        batch_number,
        expiry_date,
        medication_2d_codes: medication_2d_codes?,
    })
}

/// A code as a text, or in an object, as the register shows it.
fn code_2d(element: Element<'_, '_>) -> Option<Text> {
    if element.is_object() {
        return element.object(|body| body.required("medication_2d_code", kinds::text));
    }
    element.value(|json| kinds::text(json).map_err(|fault| fault.or("object")))
}
