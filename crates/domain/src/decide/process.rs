//! The rules for handing over, in order of precedence.

use super::table::{self, Judgement, PASSED, Row, failed};
use super::{asked_before, reached, standing, still_held};
use crate::registry::Party;
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

type Rule = fn(&Case<'_>) -> Judgement;

/// The order of refusals is a contract: this table is it. The rules with a `P` are those of a
/// hand-over alone.
const ORDER: &[Row<Rule>] = &[
    Row("P4a", signed_once),
    Row("P4b", signature_holds),
    Row("P5a", signer_known),
    Row("P5b", tax_id_stated),
    Row("P5c", tax_id_same),
    Row("P5d", surname_same),
    Row("10a", division_exists),
    Row("10b", |case| standing::division_active(case.sight.evidence.division.as_deref())),
    Row("10c", division_own),
    Row("10d", |case| standing::dls_verified(&case.sight.evidence)),
    Row("7", |case| standing::not_blocked(case.sight, case.dispense.client)),
    Row("4.1", held),
    Row("P9", content_in_form),
    Row("P10", content_same),
];

/// The numbers of the rules in order.
pub fn order() -> impl Iterator<Item = &'static str> {
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
    table::verdict(table::ask(ORDER, |rule| rule(&case)))?;

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
fn signed_once(case: &Case<'_>) -> Judgement {
    let Err(SignatureFault::Count { signatures, stamps, why }) = &case.command.signature else {
        return PASSED;
    };
    let message = format!(
        "document must contain 1 signature and 0 stamps but contains {signatures} signature(s) \
         and {stamps} stamp(s)"
    );
    let refusal = Refusal::saying(Code::SignatureCount, message)
        .at(Place::Content)
        .with("signatures", signatures)
        .with("stamps", stamps);
    failed(match why {
        Some(why) => refusal.with("why", why),
        None => refusal,
    })
}

/// Rule P4b: it holds.
fn signature_holds(case: &Case<'_>) -> Judgement {
    let Err(SignatureFault::Invalid { why }) = &case.command.signature else { return PASSED };
    failed(Refusal::saying(Code::SignatureInvalid, why).at(Place::Content))
}

/// Rule P5a: the token's user is linked with a person, who can have signed.
fn signer_known(case: &Case<'_>) -> Judgement {
    if case.sight.evidence.party.is_some() {
        return PASSED;
    }
    failed(Refusal::of(Code::SignerUnknown).at(Place::Asker).with("userId", case.command.user))
}

fn signer<'a>(case: &'a Case<'_>) -> Option<&'a Signer> {
    case.command.signature.as_ref().ok()
}

/// Rule P5b: the certificate says whose tax id it is.
fn tax_id_stated(case: &Case<'_>) -> Judgement {
    match signer(case) {
        Some(Signer { tax_id: None, .. }) => {
            failed(Refusal::of(Code::SignerTaxIdMissing).at(Place::Content))
        }
        Some(Signer { tax_id: Some(_), .. }) => PASSED,
        None => None,
    }
}

/// Rule P5c: it is the tax id of the token's user.
fn tax_id_same(case: &Case<'_>) -> Judgement {
    let (Some(Signer { tax_id: Some(signed), .. }), Some(party)) =
        (signer(case), &case.sight.evidence.party)
    else {
        return None;
    };
    if party.tax_id.as_ref().is_some_and(|own| same_tax_id(signed, own.as_str())) {
        return PASSED;
    }
    failed(Refusal::of(Code::SignerTaxId).at(Place::Content))
}

/// Rule P5d: so is the surname. Letter case does not count.
fn surname_same(case: &Case<'_>) -> Judgement {
    let Some(surname) = &signer(case)?.surname else {
        return failed(Refusal::of(Code::SignerSurnameMissing).at(Place::Content));
    };
    let party = case.sight.evidence.party.as_ref()?;
    if lowered(surname) == lowered(party.last_name.as_str()) {
        return PASSED;
    }
    failed(Refusal::of(Code::SignerSurname).at(Place::Content))
}

fn division_exists(case: &Case<'_>) -> Judgement {
    standing::division_exists(case.sight.evidence.division.as_deref(), case.command.division_id)
}

/// The outlet belongs to whose hold it is, whoever hands over.
fn division_own(case: &Case<'_>) -> Judgement {
    standing::division_of(case.sight.evidence.division.as_deref(), case.dispense.client)
}

/// Rule 4.1: the hold is alive.
fn held(case: &Case<'_>) -> Judgement {
    still_held(case.dispense, Status::Processed, case.sight.at).map_or_else(failed, |()| PASSED)
}

/// Rule P9: the signed document is one.
fn content_in_form(case: &Case<'_>) -> Judgement {
    let faults = case.command.content.as_ref()?.faults.iter();
    let refusals = faults.map(|fault| {
        let place = match fault.path.as_str() {
            "$.payment_amount" => Place::PaymentAmount,
            "$.payment_id" => Place::PaymentId,
            "$.content" => Place::Content,
            path => Place::Document(path.into()),
        };
        let mut refusal =
            Refusal::saying(Code::ContentSchema, &fault.message).at(place).by_schema(fault.rule);
        refusal.params.clone_from(&fault.params);
        refusal
    });
    Some(refusals.collect())
}

/// Rule P10: it is the document of this dispense.
fn content_same(case: &Case<'_>) -> Judgement {
    let mismatch = Refusal::of(Code::ContentMismatch).at(Place::Content);
    match (&case.command.content, &case.command.signature) {
        (Some(content), _) => match &content.difference {
            None => PASSED,
            Some(place) => failed(mismatch.with("difference", place)),
        },
        // Then rule P4a has said why.
        (None, Err(_)) => None,
        (None, Ok(_)) => failed(mismatch),
    }
}

/// Whether the holder of a certificate is that person, as rules P5b to P5d have it.
#[must_use]
pub fn is_signer(signer: &Signer, party: &Party) -> bool {
    let Signer { tax_id: Some(tax_id), surname: Some(surname) } = signer else { return false };
    party.tax_id.as_ref().is_some_and(|own| same_tax_id(tax_id, own.as_str()))
        && lowered(surname) == lowered(party.last_name.as_str())
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
