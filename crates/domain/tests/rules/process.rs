//! Rules for a hand-over: who signed, what was signed, and whether the hold still lives.

use std::sync::Arc;

use dispense_domain::command::key_digest;
use dispense_domain::registry::{DivisionStatus, ProgramSettings};
use dispense_domain::{
    AmountPaid, Code, DispenseEvent, LegalEntityId, Place, Reach, SignatureFault, SignedContent,
    Signer, Status, Switch,
};
use serde_json::json;

use crate::content::{document, sign};
use crate::hand_over::{HandOver, all_signed, pharmacist, signed_after};
use crate::sample::{
    OTHER_PHARMACY, PHARMACY, all_in_order, id, in_parts, noon_and, params, program, text, uuid,
};

#[test]
fn what_was_signed_is_recorded_with_what_remains() {
    let it = all_signed();
    let [DispenseEvent::Processed(done)] = &it.decided().unwrap()[..] else { panic!() };
    assert_eq!(done.dispense_id, it.command.dispense_id);
    assert!(done.signed);
    assert_eq!(done.payment_amount, it.command.content.as_ref().unwrap().payment_amount);
    assert_eq!(done.content.as_ref(), Some(&it.command.stored));
    assert_eq!(done.key_digest, Some(it.command.key_digest));
    assert_eq!(done.request_digest, Some(it.command.request_digest()));
    assert_eq!(serde_json::to_value(done.remaining).unwrap(), "30");
    // The receipt number is free text, so it is beside the event.
    let body = done.personal.as_ref().unwrap().text().unwrap();
    assert!(body.contains("receipt 4711"), "{body}");
    assert!(!serde_json::to_string(done).unwrap().contains("4711"));
}

#[test]
fn the_last_part_leaves_nothing() {
    let mut first = all_signed();
    first.happens();
    let mut scene = all_in_order().but(|it| it.under(in_parts())).but(|it| it.wants(&["30"]));
    scene.given = first.given;
    scene.asks(PHARMACY, "second");
    let mut second = signed_after(scene);
    let [DispenseEvent::Processed(done)] = &second.decided().unwrap()[..] else { panic!() };
    assert!(done.remaining.is_nothing());
    assert!(!second.dispensing().is_completed());
    second.happens();
    assert!(second.dispensing().is_completed());
}

#[test]
fn a_foreign_hold_is_unknown_to_all_but_the_payer() {
    let foreign = |reach| {
        all_signed().but(|it| {
            it.command.client = id::<LegalEntityId>(OTHER_PHARMACY);
            it.command.reach = reach;
        })
    };
    assert_eq!(foreign(Reach::Own).the_refusal().code, Code::DispenseNotFound);
    assert!(foreign(Reach::All).codes().is_empty(), "the outlet is the holder's");
    let unknown = all_signed().but(|it| it.command.dispense_id = id(0x77));
    assert_eq!(unknown.the_refusal().code, Code::DispenseNotFound);
}

#[test]
fn a_document_is_signed_once_and_by_a_person() {
    let no = all_signed()
        .but(|it| {
            it.command.signature =
                Err(SignatureFault::Count { signatures: 2, stamps: 1, why: None });
        })
        .the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::SignatureCount, Some(Place::Content)));
    assert_eq!(
        no.message,
        "document must contain 1 signature and 0 stamps but contains 2 signature(s) and 1 stamp(s)"
    );
    assert_eq!(params(&no), json!({"signatures": "2", "stamps": "1"}));
    let why = Some("not DER".to_owned());
    let no = all_signed()
        .but(|it| {
            it.command.signature = Err(SignatureFault::Count { signatures: 0, stamps: 0, why });
        })
        .the_refusal();
    assert_eq!(no.params["why"], "not DER");
}

#[test]
fn a_signature_that_does_not_hold_is_refused_with_its_reason() {
    let why = "the certificate has expired".to_owned();
    let no = all_signed()
        .but(|it| it.command.signature = Err(SignatureFault::Invalid { why: why.clone() }))
        .the_refusal();
    assert_eq!((no.code, no.message), (Code::SignatureInvalid, why));
}

#[test]
fn a_user_without_a_person_cannot_have_signed() {
    let no = all_signed().but(|it| it.sight.evidence.party = None).the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::SignerUnknown, Some(Place::Asker)));
}

#[test]
fn a_certificate_names_a_tax_id_and_a_surname() {
    let no = all_signed().but(|it| it.signer().tax_id = None).the_refusal();
    assert_eq!((no.code, &*no.message), (Code::SignerTaxIdMissing, "Invalid drfo"));
    let no = all_signed().but(|it| it.signer().surname = None).the_refusal();
    assert_eq!((no.code, &*no.message), (Code::SignerSurnameMissing, "Invalid surname"));
}

/// Cases X-39 and P-10.
#[test]
fn the_tax_id_is_compared_without_blanks_and_with_look_alikes() {
    let compared = |own: &str, signed: &str| {
        let it = all_signed().but(|it| {
            it.party().tax_id = Some(text(own));
            it.signer().tax_id = Some(signed.to_owned());
        });
        it.codes()
    };
    for (own, signed) in [
        ("2953710241", "2953710241"),
        ("2953710241", " 295 371 0241 "),
        ("29 5371 0241", "2953710241"),
        ("АВ123456", "AB123456"),
        ("AB 123456", "ав123456"),
        ("МК123456", "mk123456"),
        ("ІК123456", "IK123456"),
        ("ЇЖ123456", "їж123456"),
    ] {
        assert!(compared(own, signed).is_empty(), "{own} {signed}");
    }
    for (own, signed) in [
        ("2953710241", "2953710242"),
        ("2953710241", "29537102410"),
        ("АВ123456", "AC123456"),
        ("ЖЖ123456", "XX123456"),
        ("2953710241", "\u{2003}"),
        ("2953710241", "2953710241\0"),
    ] {
        assert_eq!(compared(own, signed), ["signer-tax-id"], "{own} {signed}");
    }
    let unknown = all_signed().but(|it| it.party().tax_id = None);
    assert_eq!(unknown.codes(), ["signer-tax-id"], "a person without a tax id signs nothing");
}

/// Case P-12.
#[test]
fn the_surname_is_compared_without_letter_case() {
    let compared = |own: &str, signed: &str| {
        let it = all_signed().but(|it| {
            it.party().last_name = text(own);
            it.signer().surname = Some(signed.to_owned());
        });
        it.codes()
    };
    for (own, signed) in [("Shevchuk", "SHEVCHUK"), ("Їжак", "їЖАК"), ("Й", "И\u{306}")] {
        assert!(compared(own, signed).is_empty(), "{own} {signed}");
    }
    for (own, signed) in [("Shevchuk", "Shevchenko"), ("Шевчук", "Shevchuk"), ("Ш", "Ш\0")]
    {
        assert_eq!(compared(own, signed), ["signer-surname"], "{own} {signed}");
    }
}

#[test]
fn the_outlet_is_judged_as_for_a_hold() {
    let outlet = |it: &mut HandOver| it.sight.evidence.division = None;
    assert_eq!(all_signed().but(outlet).codes(), ["division-not-found"]);
    let closed = all_signed().but(|it| {
        let outlet = Arc::make_mut(it.sight.evidence.division.as_mut().unwrap());
        outlet.status = DivisionStatus::Inactive;
    });
    assert_eq!(closed.codes(), ["division-not-active"]);
    let sold = all_signed().but(|it| {
        let outlet = Arc::make_mut(it.sight.evidence.division.as_mut().unwrap());
        outlet.legal_entity_id = id(OTHER_PHARMACY);
    });
    assert_eq!(sold.codes(), ["division-foreign"]);
}

/// 10d is judged with the program of the hold.
#[test]
fn the_outlet_is_confirmed_by_the_regulator_unless_the_program_of_the_hold_does_without() {
    let confirmed = |dls_verified, skipped| {
        let it = all_signed().but(|it| {
            let evidence = &mut it.sight.evidence;
            Arc::make_mut(&mut evidence.terms).division_dls_verify = Switch::On;
            Arc::make_mut(evidence.division.as_mut().unwrap()).dls_verified = dls_verified;
            let settings = ProgramSettings {
                skip_dispense_division_dls_verify: skipped,
                ..ProgramSettings::default()
            };
            evidence.program = Some(program(settings));
        });
        it.codes()
    };
    assert!(confirmed(Some(true), None).is_empty());
    for dls_verified in [None, Some(false)] {
        assert_eq!(confirmed(dls_verified, None), ["division-not-dls-verified"]);
        assert_eq!(confirmed(dls_verified, Some(false)), ["division-not-dls-verified"]);
        assert!(confirmed(dls_verified, Some(true)).is_empty());
    }
    let unknown = all_signed().but(|it| {
        let evidence = &mut it.sight.evidence;
        Arc::make_mut(&mut evidence.terms).division_dls_verify = Switch::On;
        Arc::make_mut(evidence.division.as_mut().unwrap()).dls_verified = None;
        evidence.program = None;
    });
    assert_eq!(unknown.codes(), ["division-not-dls-verified"], "or there is none");
    let unasked = all_signed().but(|it| {
        let outlet = it.sight.evidence.division.as_mut().unwrap();
        Arc::make_mut(outlet).dls_verified = None;
    });
    assert!(unasked.codes().is_empty());
}

/// What a hold alone needs is not asked for again.
#[test]
fn contracts_licences_and_participants_are_not_judged_again() {
    let it = all_signed().but(|it| {
        let evidence = &mut it.sight.evidence;
        let terms = Arc::make_mut(&mut evidence.terms);
        terms.program_provision_verify = Switch::On;
        terms.legal_entity_nhs_verify = Switch::On;
        evidence.legal_entity = None;
        evidence.contracts = Arc::default();
        evidence.provisions = Arc::default();
        evidence.healthcare_services = Arc::default();
        evidence.medications.clear();
        evidence.participants.clear();
        Arc::make_mut(evidence.program.as_mut().unwrap()).is_active = false;
    });
    assert!(it.codes().is_empty());
}

/// Case X-48.
#[test]
fn a_block_keeps_others_than_its_author_from_handing_over() {
    let blocked_by = |blocker: Option<u128>| {
        all_signed().but(|it| {
            let found = it.sight.evidence.request.as_mut().unwrap();
            let request = Arc::make_mut(&mut found.request);
            request.is_blocked = true;
            request.blocked_by_legal_entity_id = blocker.map(id);
        })
    };
    assert_eq!(blocked_by(None).codes(), ["medication-request-blocked"]);
    assert_eq!(blocked_by(Some(OTHER_PHARMACY)).codes(), ["medication-request-blocked"]);
    assert!(blocked_by(Some(PHARMACY)).codes().is_empty());
}

/// Case X-07.
#[test]
fn a_hold_is_processed_until_its_last_instant() {
    assert!(all_signed().but(|it| it.sight.at = noon_and(10)).codes().is_empty());
    let late = all_signed()
        .but(|it| it.sight.at = noon_and(10) + chrono::TimeDelta::microseconds(1))
        .the_refusal();
    assert_eq!(late.code, Code::WrongStatus);
    assert_eq!(late.message, "Can't update medication dispense status from EXPIRED to PROCESSED");
    let mut done = all_signed();
    done.happens();
    done.command.key_digest = key_digest(id(PHARMACY), "another key");
    assert_eq!(done.the_refusal().params["from"], "PROCESSED");
    assert_eq!(done.dispensing().dispenses()[0].recorded_status(), Status::Processed);
}

#[test]
fn the_days_of_dispensing_are_not_judged_again() {
    let it = all_signed().but(|it| {
        let found = it.sight.evidence.request.as_mut().unwrap();
        let request = Arc::make_mut(&mut found.request);
        request.dispense_valid_to = Some("2026-03-01".parse().unwrap());
        request.status = dispense_domain::registry::RequestStatus::Expired;
    });
    assert!(it.codes().is_empty());
}

#[test]
fn the_same_document_with_the_same_key_is_one_question() {
    let mut first = all_signed();
    first.happens();
    // Signed anew, long after, with a certificate that has expired since.
    let again = first.clone().but(|it| {
        it.sight.at = noon_and(500);
        it.command.signature = Err(SignatureFault::Invalid { why: "expired".to_owned() });
        it.command.stored.key = "another container".to_owned();
    });
    assert_eq!(again.decided().unwrap(), []);
    let other = first.clone().but(|it| {
        let mut document = document();
        document["payment_amount"] = json!(21);
        it.command.content = Some(sign(&document));
    });
    assert_eq!(other.codes(), ["idempotency-key-reused"]);
}

#[test]
fn of_a_container_that_cannot_be_opened_only_that_is_told() {
    let nothing = Err(SignatureFault::Count { signatures: 0, stamps: 0, why: None });
    let broken = all_signed().but(|it| {
        it.command.signature = nothing.clone();
        it.command.content = None;
    });
    assert_eq!(broken.codes(), ["signature-count"]);
    // Nor is it another question under a key that was used.
    let mut done = all_signed();
    done.happens();
    done.command.signature = nothing;
    done.command.content = None;
    assert_eq!(done.codes(), ["signature-count", "wrong-status"]);
    // A verifier that believes a signature under nothing is not believed.
    let empty = all_signed().but(|it| it.command.content = None);
    assert_eq!(empty.codes(), ["content-mismatch"]);
}

#[test]
fn every_broken_rule_is_told_in_order_and_mended_one_by_one() {
    type Mend = fn(&mut HandOver);
    let mends: [(&str, Mend); 16] = [
        ("signature-count", |it| {
            it.command.signature = Err(SignatureFault::Invalid { why: "expired".to_owned() });
        }),
        ("signature-invalid", |it| {
            it.command.signature = Ok(Signer { tax_id: None, surname: None });
        }),
        ("signer-unknown", |it| it.sight.evidence.party = Some(pharmacist())),
        ("signer-tax-id-missing", |it| it.signer().tax_id = Some("1".to_owned())),
        ("signer-tax-id", |it| it.signer().tax_id = Some("2953710241".to_owned())),
        ("signer-surname-missing", |it| it.signer().surname = Some("Melnyk".to_owned())),
        ("signer-surname", |it| it.signer().surname = Some("Shevchuk".to_owned())),
        ("division-not-found", |it| {
            let outlet = it.sight.evidence.division.insert(all_signed().outlet());
            Arc::make_mut(outlet).status = DivisionStatus::Inactive;
            Arc::make_mut(outlet).legal_entity_id = id(OTHER_PHARMACY);
            Arc::make_mut(outlet).dls_verified = Some(false);
        }),
        ("division-not-active", |it| {
            let outlet = it.sight.evidence.division.as_mut().unwrap();
            Arc::make_mut(outlet).status = DivisionStatus::Active;
        }),
        ("division-foreign", |it| {
            let outlet = it.sight.evidence.division.as_mut().unwrap();
            Arc::make_mut(outlet).legal_entity_id = id(PHARMACY);
        }),
        ("division-not-dls-verified", |it| {
            it.sight.evidence.division = Some(all_signed().outlet());
        }),
        ("medication-request-blocked", |it| {
            it.sight.evidence.request = all_signed().sight.evidence.request;
        }),
        ("wrong-status", |it| it.sight.at = noon_and(5)),
        ("schema", |it| {
            let mut document = document();
            document["id"] = json!(uuid(1));
            document["status"] = json!("PROCESSED");
            it.command.content = Some(sign(&document));
        }),
        ("schema", |it| {
            let mut document = document();
            document["id"] = json!(uuid(1));
            it.command.content = Some(sign(&document));
        }),
        ("content-mismatch", |it| it.command.content = Some(sign(&document()))),
    ];
    let mut it = all_signed();
    it.command.signature = Err(SignatureFault::Count { signatures: 2, stamps: 0, why: None });
    it.sight.evidence.party = None;
    it.sight.evidence.division = None;
    Arc::make_mut(&mut it.sight.evidence.terms).division_dls_verify = Switch::On;
    let found = it.sight.evidence.request.as_mut().unwrap();
    Arc::make_mut(&mut found.request).is_blocked = true;
    it.sight.at = noon_and(11);
    it.command.content = Some(SignedContent::examine(b"{}", &["{}x"], AmountPaid::Required));
    assert_eq!(it.codes().len(), 1 + 1 + 1 + 1 + 1 + 12 + 1, "{:?}", it.codes());
    for (code, mend) in mends {
        assert_eq!(it.codes().first(), Some(&code));
        for no in it.decided().unwrap_err() {
            let promised = no.code.definition().params;
            assert!(no.params.keys().all(|name| promised.contains(&name.as_str())), "{no:?}");
        }
        mend(&mut it);
    }
    assert!(it.codes().is_empty());
}
