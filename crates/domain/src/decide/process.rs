//! The rules for handing over, in order of precedence.

use super::table::Row::{self, Awaited, Judged};
use super::{asked_before, reached, standing, still_held, table};
use crate::{
    Code, Dispense, DispenseEvent, Dispensing, Personal, Place, Process, Processed, ProcessedBody,
    Question, Refusal, Refusals, Remaining, Sight, SignatureFault, Signer, Status, salt_for,
};

/// What a rule looks at.
struct Case<'a> {
    dispense: &'a Dispense,
    command: &'a Process,
    sight: &'a Sight,
}

type Rule = fn(&Case<'_>) -> Vec<Refusal>;

/// The order of refusals is a contract: this table is it. The rules with a `P` are those of a
/// hand-over alone.
const ORDER: &[Row<Rule>] = &[
    Judged("P4a", signed_once),
    Judged("P4b", signature_holds),
    Judged("P5a", signer_known),
    Judged("P5b", tax_id_stated),
    Judged("P5c", tax_id_same),
    Judged("P5d", surname_same),
    Judged("10a", |case| standing::division_exists(&case.sight.evidence, case.command.division_id)),
    Judged("10b", |case| standing::division_active(&case.sight.evidence)),
    Judged("10c", |case| standing::division_of(&case.sight.evidence, case.dispense.client)),
    Awaited("10d"),
    Judged("7", |case| standing::not_blocked(case.sight, case.dispense.client)),
    Judged("4.1", held),
    Judged("P9", content_in_form),
    Judged("P10", content_same),
];

/// The numbers of the rules in order, each with whether this version judges it.
pub fn order() -> impl Iterator<Item = (&'static str, bool)> {
    table::order(ORDER)
}

/// Rule 5.5: only what was signed by the asker, and is what was held, is handed over.
pub(super) fn process(
    dispensing: &Dispensing,
    command: &Process,
    sight: &Sight,
) -> Result<Vec<DispenseEvent>, Refusals> {
    let dispense = reached(dispensing, command.dispense_id, command.reach, command.client)?;
    let request_digest = command.request_digest();
    let asked = Question { key: command.key_digest, request: request_digest };
    // Of a container that cannot be opened, nobody knows what it asks.
    let understood = command.content.is_some() && dispense.recorded_status() == Status::Processed;
    if understood && asked_before(dispense.closed_by, asked)? {
        return Ok(Vec::new());
    }
    let case = Case { dispense, command, sight };
    table::judge(ORDER, |rule| rule(&case))?;

    // A dispense belongs to a medication request with a prescribed quantity: its hold said so.
    let prescribed =
        dispensing.prescribed().ok_or_else(|| Refusal::of(Code::MedicationRequestInvalid))?;
    let taken = dispensing.processed().saturating_add(dispense.taken);
    let content = command.content.as_ref().ok_or_else(|| Refusal::of(Code::ContentMismatch))?;
    let personal = content.payment_id.clone().map(|payment_id| {
        let salt = salt_for(&sight.salt, "Processed");
        Personal::seal(&ProcessedBody { salt, payment_id: Some(payment_id) })
    });
    Ok(vec![DispenseEvent::Processed(Processed {
        dispense_id: command.dispense_id,
        signed: true,
        payment_amount: content.payment_amount,
        remaining: Remaining::after(prescribed, taken),
        content: Some(command.stored.clone()),
        key_digest: Some(command.key_digest),
        request_digest: Some(request_digest),
        personal: personal.flatten(),
    })])
}

/// Rule P4a: there is one signature, of a person.
fn signed_once(case: &Case<'_>) -> Vec<Refusal> {
    let Err(SignatureFault::Count { signatures, stamps, why }) = &case.command.signature else {
        return Vec::new();
    };
    let message = format!(
        "document must contain 1 signature and 0 stamps but contains {signatures} signature(s) \
         and {stamps} stamp(s)"
    );
    let refusal = Refusal::saying(Code::SignatureCount, message)
        .at(Place::Content)
        .with("signatures", signatures)
        .with("stamps", stamps);
    vec![match why {
        Some(why) => refusal.with("why", why),
        None => refusal,
    }]
}

/// Rule P4b: it holds.
fn signature_holds(case: &Case<'_>) -> Vec<Refusal> {
    let Err(SignatureFault::Invalid { why }) = &case.command.signature else { return Vec::new() };
    vec![Refusal::saying(Code::SignatureInvalid, why).at(Place::Content)]
}

/// Rule P5a: the token's user is linked with a person, who can have signed.
fn signer_known(case: &Case<'_>) -> Vec<Refusal> {
    if case.sight.evidence.party.is_some() {
        return Vec::new();
    }
    vec![Refusal::of(Code::SignerUnknown).at(Place::Asker).with("userId", case.command.user)]
}

fn signer<'a>(case: &'a Case<'_>) -> Option<&'a Signer> {
    case.command.signature.as_ref().ok()
}

/// Rule P5b: the certificate says whose tax id it is.
fn tax_id_stated(case: &Case<'_>) -> Vec<Refusal> {
    match signer(case) {
        Some(Signer { tax_id: None, .. }) => {
            vec![Refusal::of(Code::SignerTaxIdMissing).at(Place::Content)]
        }
        Some(Signer { tax_id: Some(_), .. }) | None => Vec::new(),
    }
}

/// Rule P5c: it is the tax id of the token's user.
fn tax_id_same(case: &Case<'_>) -> Vec<Refusal> {
    let (Some(Signer { tax_id: Some(signed), .. }), Some(party)) =
        (signer(case), &case.sight.evidence.party)
    else {
        return Vec::new();
    };
    if party.tax_id.as_ref().is_some_and(|own| same_tax_id(signed, own.as_str())) {
        return Vec::new();
    }
    vec![Refusal::of(Code::SignerTaxId).at(Place::Content)]
}

/// Rule P5d: so is the surname. Letter case does not count.
fn surname_same(case: &Case<'_>) -> Vec<Refusal> {
    let Some(signer) = signer(case) else { return Vec::new() };
    let Some(surname) = &signer.surname else {
        return vec![Refusal::of(Code::SignerSurnameMissing).at(Place::Content)];
    };
    let Some(party) = &case.sight.evidence.party else { return Vec::new() };
    if lowered(surname) == lowered(party.last_name.as_str()) {
        return Vec::new();
    }
    vec![Refusal::of(Code::SignerSurname).at(Place::Content)]
}

/// Rule 4.1: the hold is alive.
fn held(case: &Case<'_>) -> Vec<Refusal> {
    still_held(case.dispense, Status::Processed, case.sight.at).err().into_iter().collect()
}

/// Rule P9: the signed document is one.
fn content_in_form(case: &Case<'_>) -> Vec<Refusal> {
    let faults = case.command.content.iter().flat_map(|content| &content.faults);
    faults
        .map(|fault| {
            let place = match fault.path.as_str() {
                "$.payment_amount" => Place::PaymentAmount,
                "$.payment_id" => Place::PaymentId,
                "$.content" => Place::Content,
                path => Place::Document(path.into()),
            };
            let mut refusal = Refusal::saying(Code::ContentSchema, &fault.message)
                .at(place)
                .by_schema(fault.rule);
            refusal.params.clone_from(&fault.params);
            refusal
        })
        .collect()
}

/// Rule P10: it is the document of this dispense.
fn content_same(case: &Case<'_>) -> Vec<Refusal> {
    let mismatch = Refusal::of(Code::ContentMismatch).at(Place::Content);
    match (&case.command.content, &case.command.signature) {
        (Some(content), _) => match &content.difference {
            None => Vec::new(),
            Some(place) => vec![mismatch.with("difference", place)],
        },
        // Then rule P4a has said why.
        (None, Err(_)) => Vec::new(),
        (None, Ok(_)) => vec![mismatch],
    }
}

/// Whether two tax ids are the same (rule 9.1): blanks do not count, and letters of a passport
/// series may be Latin ones that look like the Cyrillic.
fn same_tax_id(one: &str, other: &str) -> bool {
    let bare = |text: &str| text.chars().filter(|it| !it.is_whitespace()).collect::<String>();
    let (one, other) = (bare(one), bare(other));
    !one.is_empty() && (one == other || in_cyrillic(&one) == in_cyrillic(&other))
}

/// Upper case, with each Latin letter that looks like a Cyrillic one in its place.
fn in_cyrillic(text: &str) -> String {
    let upper = text.chars().flat_map(char::to_uppercase);
    upper
        .map(|letter| match letter {
            'A' => 'А',
            'B' => 'В',
            'C' => 'С',
            'E' => 'Е',
            'H' => 'Н',
            'I' => 'І',
            'K' => 'К',
            'M' => 'М',
            'O' => 'О',
            'P' => 'Р',
            'T' => 'Т',
            'X' => 'Х',
            'Y' => 'У',
            other => other,
        })
        .collect()
}

/// A surname as it is compared.
fn lowered(surname: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    surname.trim().nfc().flat_map(char::to_lowercase).collect()
}
