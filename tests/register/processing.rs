//! `PATCH /api/medication_dispenses/{id}/actions/process`, and the same on the platform's API.

use std::time::Duration;

use dispense_signing::development::{Holder, Profile};
use openssl::asn1::Asn1Type;
use openssl::nid::Nid;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{UNKNOWN, as_a_whole, blamed, held, opened, refused_by_both};
use crate::harness::world::{party, request};
use crate::harness::{
    Audit, Database, Instance, Order, PAID, Payment, Pharmacy, Terms, World, authority, eventually,
    line, sign_as,
};

#[tokio::test(flavor = "multi_thread")]
async fn p_01_what_was_held_is_signed_and_processed() {
    let (_database, _instance, world, one, _other) = opened().await;
    let (id, document) = held(&one, &world.prescribed(Terms::InParts, 0)).await;
    let container = one.sign(&document, PAID);
    let processed = one.ehealth_process(id, &container, "p-01").await.expect(200);
    let data = processed.data();
    assert_eq!(data["id"], json!(id));
    assert_eq!(data["status"], "PROCESSED");
    assert_eq!(data["payment_id"], "12345");
    assert_eq!(data["payment_amount"], 20);
    assert_eq!(processed.body["meta"]["code"], 200);
    assert_eq!(processed.body["meta"]["type"], "object");

    let id = one.dispense(&world.prescribed(Terms::InParts, 1), 20).await.expect(201).id();
    let processed = one.hand_over(id, PAID).await.expect(200);
    assert_eq!(processed.body["status"], "COMPLETED");
    assert_eq!(processed.body["paymentId"], "12345");
    assert_eq!(processed.body["copayment"], 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn p_03_an_unknown_dispense_is_not_found() {
    let (_database, _instance, world, one, _other) = opened().await;
    let (_, document) = held(&one, &world.prescribed(Terms::InParts, 0)).await;
    let unknown = [Uuid::nil(), world.prescribed(Terms::InParts, 0).id, one.user];
    for id in unknown {
        let [platform, register] = refused_by_both(&one, id, &one.sign(&document, PAID)).await;
        platform.refused(404, "not-found");
        register.said(404, "not_found", UNKNOWN);
    }
    for path in ["/api/v1/dispenses/17/process", "/api/medication_dispenses/17/actions/process"] {
        let good = if path.starts_with("/api/v1/") {
            Order::processing(one.user, &one.sign(&document, PAID))
        } else {
            Order::processing_in_register(one.user, &one.sign(&document, PAID))
        };
        one.send(&Order { path: path.to_owned(), ..good }).await.expect(404);
    }
}

/// P-04: decided before the signature is looked at. P-15: the dispense of another legal entity.
#[tokio::test(flavor = "multi_thread")]
async fn p_04_p_15_a_foreign_dispense_is_not_found_before_its_signature_is_looked_at() {
    let (database, _instance, world, one, other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let (id, document) = held(&one, &what).await;
    let empty = other.identity().sign(b"{}").unwrap();
    for container in [empty, b"no container".to_vec(), one.sign(&document, PAID)] {
        let [platform, register] = refused_by_both(&other, id, &container).await;
        platform.refused(404, "not-found");
        register.said(404, "not_found", UNKNOWN);
    }
    assert_eq!(Audit::of(&database).await.kinds(what.id), ["HoldCreated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn p_06_what_is_missing_is_told_at_once_before_the_dispense_is_looked_for() {
    let (_database, _instance, _world, one, _other) = opened().await;
    let body = json!({"test": "test"});
    let order = Order::processing_in_register(Uuid::nil(), b"");
    let members = ["signed_medication_dispense", "signed_content_encoding"];
    let texts = members.map(|name| format!("required property {name} was not present"));
    one.send(&Order { body: body.clone(), ..order }).await.blames(&[
        ["$.signed_medication_dispense", "required", &texts[0]],
        ["$.signed_content_encoding", "required", &texts[1]],
    ]);

    let order = Order { body, ..Order::processing(Uuid::nil(), b"") };
    let refused = one.send(&order).await.refused(422, "schema");
    let paths = ["$.signedContent", "$.signedContentEncoding", "$.test"];
    assert_eq!(blamed(&refused), paths.map(|path| ("schema", path)));
}

/// A document with other members for the payment, signed.
fn with_payment(pharmacy: &Pharmacy, document: &Value, payment: &Value) -> Vec<u8> {
    let mut document = document.clone();
    let members = document.as_object_mut().unwrap();
    members.remove("payment_id");
    members.remove("payment_amount");
    members.extend(payment.as_object().unwrap().clone());
    pharmacy.identity().sign(document.to_string().as_bytes()).unwrap()
}

/// P-07, P-09, and the types beside them.
#[tokio::test(flavor = "multi_thread")]
async fn p_07_p_09_a_payment_has_an_amount_that_is_a_number_from_zero() {
    let (database, _instance, world, one, _other) = opened().await;
    let (id, document) = held(&one, &world.prescribed(Terms::InParts, 0)).await;
    let cast =
        |expected: &str, found: &str| format!("type mismatch. Expected {expected} but got {found}");
    let amount = |rule, text: &str| ("$.payment_amount", "$.copayment", rule, text.to_owned());
    let receipt = |rule, text: &str| ("$.payment_id", "$.paymentId", rule, text.to_owned());
    let missing = "required property payment_amount was not present";
    for (payment, told) in [
        (json!({}), vec![amount("required", missing)]),
        (json!({"payment_id": "12345"}), vec![amount("required", missing)]),
        (
            json!({"payment_id": "12345", "payment_amount": -1}),
            vec![amount("number", "expected the value to be >= 0")],
        ),
        (json!({"payment_amount": "20"}), vec![amount("cast", &cast("number", "string"))]),
        (json!({"payment_amount": null}), vec![amount("cast", &cast("number", "null"))]),
        (
            json!({"payment_id": 12345, "payment_amount": 20}),
            vec![receipt("cast", &cast("string, null", "integer"))],
        ),
        (
            json!({"payment_id": 12345, "payment_amount": "20"}),
            vec![
                amount("cast", &cast("number", "string")),
                receipt("cast", &cast("string, null", "integer")),
            ],
        ),
    ] {
        let container = with_payment(&one, &document, &payment);
        let [platform, register] = refused_by_both(&one, id, &container).await;
        let expected: Vec<_> =
            told.iter().map(|(path, _, rule, text)| [*path, rule, text.as_str()]).collect();
        let register = register.blames(&expected);
        let expected: Vec<_> = told.iter().map(|(_, path, ..)| ("schema", *path)).collect();
        assert_eq!(blamed(&platform.refused(422, "schema")), expected);
        if payment["payment_amount"] == -1 {
            let rule = &register.body["error"]["invalid"][0]["rules"][0];
            assert_eq!(rule["params"], json!({"greater_than_or_equal_to": 0}));
            let raw = "expected the value to be >= %{greater_than_or_equal_to}";
            assert_eq!(rule["raw_description"], raw);
        }
    }
    assert_eq!(database.stored(), [""; 0]);
}

/// H-03: once a receipt had to have a number.
#[tokio::test(flavor = "multi_thread")]
async fn h_03_a_payment_needs_no_receipt() {
    let (_database, _instance, world, one, _other) = opened().await;
    for (n, payment) in
        [json!({"payment_amount": 20}), json!({"payment_id": null, "payment_amount": 0})]
            .into_iter()
            .enumerate()
    {
        let (id, document) = held(&one, &world.prescribed(Terms::InParts, n)).await;
        let container = with_payment(&one, &document, &payment);
        let processed = one.ehealth_process(id, &container, "h-03").await.expect(200);
        assert_eq!(processed.data()["payment_id"], Value::Null);
        assert_eq!(processed.data()["payment_amount"], payment["payment_amount"]);
        // What was signed without the member is shown with it.
        assert_eq!(one.content(id).await["payment_id"], Value::Null);
    }
}

/// P-10: the tax id (DRFO), P-12: the surname.
#[tokio::test(flavor = "multi_thread")]
async fn p_10_p_12_who_signs_is_who_asks() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let (id, document) = held(&one, &what).await;
    let own = || one.person.clone();
    let profile = |person: &Holder| Profile::of(person);
    for (profile, code, text) in [
        (
            profile(&Holder { tax_id: "2953710249".to_owned(), ..own() }),
            "signer-tax-id",
            "Does not match the signer drfo",
        ),
        (
            profile(&Holder { surname: "Шевченко".to_owned(), ..own() }),
            "signer-surname",
            "Does not match the signer last name",
        ),
        (profile(&own()).without(Nid::SERIALNUMBER), "signer-tax-id-missing", "Invalid drfo"),
        (profile(&own()).without(Nid::SURNAME), "signer-surname-missing", "Invalid surname"),
    ] {
        let who = authority().issue(&profile).unwrap();
        let [platform, register] = refused_by_both(&one, id, &sign_as(&who, &document, PAID)).await;
        assert_eq!(blamed(&platform.refused(422, code)), [(code, "$.signedContent")]);
        let register = register.said(422, "request_malformed", text);
        assert_eq!(register.body["error"]["invalid"], as_a_whole());
    }
    assert_eq!(Audit::of(&database).await.kinds(what.id), ["HoldCreated"]);
}

/// Two Cyrillic letters that look like Latin ones, in a tax id.
const CYRILLIC: &str = "ае654321";

/// blanks do not count, nor do letter case and Latin letters that look Cyrillic.
#[tokio::test(flavor = "multi_thread")]
async fn x_39_a_tax_id_is_the_same_however_it_is_written() {
    let (_database, _instance, world, one, _other) = opened().await;
    for (n, (registered, signed)) in
        [("2953710241", " 29537 10241 "), ("СН123456", "CH 123456"), ("AE654321", CYRILLIC)]
            .into_iter()
            .enumerate()
    {
        let person = |tax_id: &str, surname: &str| Holder {
            tax_id: tax_id.to_owned(),
            surname: surname.to_owned(),
            ..one.person.clone()
        };
        let pharmacist = one.clone().of_person(person(registered, "Шевчук"));
        one.import(&line("party", &party(&pharmacist))).await.expect(200);
        let (id, document) = held(&one, &world.prescribed(Terms::InParts, n)).await;
        let profile = Profile::of(&person("", "ШЕВЧУК")).without(Nid::SERIALNUMBER);
        let tax_id = format!("TINUA-{signed}");
        let profile = profile.also_written(Nid::SERIALNUMBER, Asn1Type::UTF8STRING, &tax_id);
        let who = authority().issue(&profile).unwrap();
        let container = sign_as(&who, &document, PAID);
        one.ehealth_process(id, &container, "x-39").await.expect(200);
    }
}

/// `organizationIdentifier`, where certificates of companies have their code.
const ORGANISATION: i32 = 1_089;

/// P-13, H-02: pharmacists sign with certificates of their own, of whatever company.
#[tokio::test(flavor = "multi_thread")]
async fn p_13_h_02_the_company_in_a_certificate_is_ignored() {
    let (_database, _instance, world, one, _other) = opened().await;
    let profile = Profile::of(&one.person)
        .also_named(Nid::ORGANIZATIONNAME, "Інша аптека")
        .also_named(Nid::from_raw(ORGANISATION), "NTRUA-39999999");
    let who = authority().issue(&profile).unwrap();
    let (id, document) = held(&one, &world.prescribed(Terms::InParts, 0)).await;
    let container = sign_as(&who, &document, PAID);
    one.ehealth_process(id, &container, "p-13").await.expect(200);

    let id = one.dispense(&world.prescribed(Terms::InParts, 1), 20).await.expect(201).id();
    let container = sign_as(&who, &one.content(id).await, PAID);
    one.process(id, &container, "p-13").await.expect(200);
}

/// P-16, otherwise: the outlet has to belong to the legal entity of the dispense, not to the payer;
/// and a payer may process only with the scope for it.
#[tokio::test(flavor = "multi_thread")]
async fn p_16_the_payer_processes_what_a_pharmacy_holds() {
    let (_database, _instance, world, one, other) = opened().await;
    // A user of the payer who is linked with a person, and works nowhere near the pharmacy.
    let payer = other.token().with("client_type", "NHS").with("client_id", json!(other.party));
    let reads = "medication_dispense:read medication_dispense:reject";
    let may_read = other.with_token(&payer.clone().with("scope", reads));
    let may_process = other.with_token(&payer);
    let hold = async |n: usize| held(&one, &world.prescribed(Terms::InParts, n)).await;

    let (id, document) = hold(0).await;
    let container = other.sign(&document, PAID);
    let text = "Your scope does not allow to access this resource. Missing allowances: \
                medication_dispense:process";
    let [platform, register] = refused_by_both(&may_read, id, &container).await;
    platform.refused(403, "missing-scope");
    register.said(403, "forbidden", text);
    let processed = may_process.ehealth_process(id, &container, "p-16").await.expect(200);
    assert_eq!(processed.data()["status"], "PROCESSED");
    assert_eq!(processed.data()["updated_by"], json!(other.user));
    assert_eq!(processed.data()["party"]["id"], json!(one.party), "who held it is still named");

    let (id, document) = hold(1).await;
    let text = "Does not match the signer drfo";
    let by_pharmacist = one.sign(&document, PAID);
    let [platform, register] = refused_by_both(&may_process, id, &by_pharmacist).await;
    platform.refused(422, "signer-tax-id");
    register.said(422, "request_malformed", text);
    let by_payer = other.sign(&document, PAID);
    may_process.process(id, &by_payer, "p-16").await.expect(200);
}

/// a hold that ran out is over before anybody has written it down. The follower is held
/// back, so that the sweep learns of nothing.
#[tokio::test(flavor = "multi_thread")]
async fn x_06_x_07_a_hold_that_ran_out_is_over_before_it_is_written_down() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let short = [("MEDICATION_DISPENSE_EXPIRATION", "2s")];
    let instance = Instance::start_with(&database, &short).await;
    let one = world.pharmacies[0].at(&instance);
    let what = world.prescribed(Terms::InParts, 0);
    database.followed().await;
    let mut lease = database.pool.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM followers FOR UPDATE").execute(&mut *lease).await.unwrap();

    let (id, document) = held(&one, &what).await;
    let container = one.sign(&document, PAID);
    eventually("a hold that has run out", Duration::from_mins(1), async || {
        (one.ehealth_get(id).await.data()["status"] == "EXPIRED").then_some(())
    })
    .await;
    let [platform, register] = refused_by_both(&one, id, &container).await;
    platform.refused(409, "wrong-status");
    let text = "Can't update medication dispense status from EXPIRED to PROCESSED";
    register.said(409, "request_conflict", text);
    assert_eq!(Audit::of(&database).await.kinds(what.id), ["HoldCreated"], "not yet recorded");
    assert_eq!(database.stored(), [""; 0]);

    one.ehealth_hold(&what, 60).await.expect(201);
    let kinds = ["HoldCreated", "Expired", "HoldCreated"];
    assert_eq!(Audit::of(&database).await.kinds(what.id), kinds);
    lease.rollback().await.unwrap();
}

/// a program that skips the signature. There is nothing to store, and no hold to see.
#[tokio::test(flavor = "multi_thread")]
async fn x_24_without_a_signature_it_is_processed_at_once() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::WholeAtOnce, 0);
    let mut order = one.ehealth_order(&what, 60);
    let dispense = order.body["medication_dispense"].as_object_mut().unwrap();
    dispense["payment_amount"] = json!(100);
    dispense.remove("payment_id");
    let created = one.send(&order).await.expect(201);
    assert_eq!(created.data()["status"], "PROCESSED");
    assert_eq!(created.data()["payment_amount"], 100);
    assert_eq!(created.data()["payment_id"], Value::Null);
    let request = one.get(&format!("/api/medication_requests/{}", what.id)).await.expect(200);
    assert_eq!(request.data()["status"], "COMPLETED");

    let container = one.sign(created.data(), PAID);
    let [platform, register] = refused_by_both(&one, created.id(), &container).await;
    assert!(platform.refused(409, "wrong-status").codes().contains(&"schema"), "NEW is signed");
    let text = "Can't update medication dispense status from PROCESSED to PROCESSED";
    register.said(409, "request_conflict", text);
    assert_eq!(database.stored(), [""; 0], "there is no signed content");
    assert_eq!(Audit::of(&database).await.kinds(what.id), ["HoldCreated", "Processed"]);
}

/// X-40, and what was processed: each end is final.
#[tokio::test(flavor = "multi_thread")]
async fn x_40_what_has_ended_is_neither_processed_nor_rejected() {
    let (_database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    for (from, processes) in [("REJECTED", false), ("PROCESSED", true)] {
        let (id, document) = held(&one, &what).await;
        let container = one.sign(&document, PAID);
        if processes {
            one.ehealth_process(id, &container, "x-40").await.expect(200);
        } else {
            one.ehealth_reject(id).await.expect(200);
        }
        let to = |to| format!("Can't update medication dispense status from {from} to {to}");
        let [platform, register] = refused_by_both(&one, id, &container).await;
        let params = json!({"from": from, "to": "PROCESSED"});
        assert_eq!(platform.refused(409, "wrong-status").body["errors"][0]["params"], params);
        register.said(409, "request_conflict", &to("PROCESSED"));
        one.cancel(id).await.refused(409, "wrong-status");
        let refused = one.ehealth_reject(id).await;
        refused.said(409, "request_conflict", &to("REJECTED"));
    }
}

/// the block of a medication request stops holds and hand-overs, but of whoever blocked it.
#[tokio::test(flavor = "multi_thread")]
async fn x_48_what_is_blocked_is_neither_held_nor_processed() {
    let (_database, _instance, world, one, other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let (id, document) = held(&one, &what).await;
    let container = one.sign(&document, PAID);
    let mut blocked = request(&what);
    blocked["is_blocked"] = json!(true);
    one.import(&line("medication_request", &blocked)).await.expect(200);

    let text = "Medication request is blocked";
    let [platform, register] = refused_by_both(&one, id, &container).await;
    let expected = [("medication-request-blocked", "$.prescriptionId")];
    assert_eq!(blamed(&platform.refused(422, "medication-request-blocked")), expected);
    let register = register.said(422, "request_malformed", text);
    assert_eq!(register.body["error"]["invalid"], as_a_whole());
    one.dispense(&what, 20).await.refused(422, "medication-request-blocked");
    let refused = one.ehealth_hold(&what, 20).await.said(422, "request_malformed", text);
    assert_eq!(refused.body["error"]["invalid"], as_a_whole());

    blocked["blocked_by_legal_entity_id"] = json!(other.legal_entity);
    one.import(&line("medication_request", &blocked)).await.expect(200);
    refused_by_both(&one, id, &container).await;
    blocked["blocked_by_legal_entity_id"] = json!(one.legal_entity);
    one.import(&line("medication_request", &blocked)).await.expect(200);
    let payment = Payment { amount: "0", receipt: None };
    one.ehealth_process(id, &one.sign(&document, payment), "x-48").await.expect(200);
}
