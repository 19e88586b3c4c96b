//! Which of several broken rules is told: the register's API tells the first, the platform's all.

use dispense_signing::development::{Authority, Holder, Identity, Profile};
use serde_json::{Value, json};
use uuid::Uuid;

use super::opened;
use crate::harness::world::{division, request};
use crate::harness::{
    Answer, Instance, Order, PAID, Payment, Pharmacy, Terms, authority, line, sign_as,
};

/// A hand-over that can be mended rule by rule.
struct Attempt {
    pharmacy: Pharmacy,
    signer: Identity,
    dispense: Uuid,
    document: Value,
    payment: Payment,
}

impl Attempt {
    /// Sends it through both APIs: the platform's tells all these codes; returns what the register's
    /// tells.
    async fn tells(&self, codes: &[&str]) -> Answer {
        let container = sign_as(&self.signer, &self.document, self.payment);
        let platform = self.pharmacy.send(&Order::processing(self.dispense, &container)).await;
        assert_eq!(platform.codes(), codes, "{platform:#?}");
        let in_register = Order::processing_in_register(self.dispense, &container);
        let register = self.pharmacy.send(&in_register).await;
        assert_eq!(register.code(), codes[0], "the first of them: {register:#?}");
        register
    }
}

fn issued_by(authority: &Authority, person: &Holder) -> Identity {
    authority.issue(&Profile::of(person)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_that_breaks_every_rule_is_mended_rule_by_rule() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let given_back = one.dispense(&what, 20).await.expect(201).id();
    one.cancel(given_back).await.expect(200);
    let held = one.dispense(&what, 20).await.expect(201).id();
    let document = one.content(held).await;
    let mut altered = document.clone();
    altered["division"]["name"] = json!("Аптека № 8");

    let mut closed = division(&one);
    closed["status"] = json!("INACTIVE");
    let mut blocked = request(&what);
    blocked["is_blocked"] = json!(true);
    one.import(&(line("division", &closed) + &line("medication_request", &blocked)))
        .await
        .expect(200);
    let stranger = Authority::root("Nobody trusts it").unwrap();
    let somebody = Holder {
        tax_id: "1111111111".to_owned(),
        surname: "Інша".to_owned(),
        ..one.person.clone()
    };
    let unknown_user = one.token().with("sub", Uuid::new_v5(&held, b"nobody").to_string());

    let mut attempt = Attempt {
        pharmacy: one.with_token(&unknown_user),
        signer: issued_by(&stranger, &somebody),
        dispense: given_back,
        document: altered,
        payment: Payment { amount: "-1", ..PAID },
    };
    let standing = ["division-not-active", "medication-request-blocked"];
    let content = ["wrong-status", "schema", "content-mismatch"];
    let rest = [&standing[..], &content[..]].concat();
    let after = |first: &[&'static str]| [first, &rest[..]].concat();

    let told = attempt.tells(&after(&["signature-invalid", "signer-unknown"])).await;
    assert_eq!((told.status, &told.body["error"]["type"]), (400, &json!("request_malformed")));
    attempt.signer = issued_by(authority(), &somebody);
    let told = attempt.tells(&after(&["signer-unknown"])).await;
    told.said(403, "forbidden", "User is not allowed to this action by client_id");
    attempt.pharmacy = one.clone();
    let told = attempt.tells(&after(&["signer-tax-id", "signer-surname"])).await;
    told.said(422, "request_malformed", "Does not match the signer drfo");
    let surname = somebody.surname.clone();
    attempt.signer = issued_by(authority(), &Holder { surname, ..one.person.clone() });
    let told = attempt.tells(&after(&["signer-surname"])).await;
    told.said(422, "request_malformed", "Does not match the signer last name");
    attempt.signer = one.identity().clone();
    let told = attempt.tells(&rest).await;
    told.said(409, "request_conflict", "Division is not active");
    one.import(&line("division", &division(&one))).await.expect(200);
    let told = attempt.tells(&rest[1..]).await;
    told.said(422, "request_malformed", "Medication request is blocked");
    one.import(&line("medication_request", &request(&what))).await.expect(200);
    let text = "Can't update medication dispense status from REJECTED to PROCESSED";
    attempt.tells(&content).await.said(409, "request_conflict", text);
    attempt.dispense = held;
    let text = "expected the value to be >= 0";
    attempt.tells(&content[1..]).await.blames(&[["$.payment_amount", "number", text]]);
    attempt.payment = PAID;
    let text = "Signed content does not match the previously created content";
    attempt.tells(&content[2..]).await.blames(&[["$.content", "invalid", text]]);
    assert_eq!(database.stored(), [""; 0], "nothing is stored for what is refused");

    attempt.document = document;
    let container = sign_as(&attempt.signer, &attempt.document, attempt.payment);
    one.process(held, &container, "mended").await.expect(200);
}

/// Token, scope, schema and dispense come before every rule, and each of them alone.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_and_what_comes_before_the_rules() {
    let (_database, _instance, world, one, other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let held = one.dispense(&what, 20).await.expect(201).id();
    one.cancel(held).await.expect(200);
    let foreign = other.dispense(&what, 20).await.expect(201).id();
    let unsigned = b"no container";
    let no_body = |order: Order| Order { body: json!({"test": "test"}), ..order };
    let reader = one.with_token(&one.token().with("scope", "medication_dispense:read"));
    let expired = one.with_token(&one.token().with("exp", 1));
    let text = "Your scope does not allow to access this resource. Missing allowances: ";
    for (id, found) in [(held, true), (foreign, false), (Uuid::nil(), false)] {
        for (platform, register, scope) in [
            (
                Order::processing(id, unsigned),
                Order::processing_in_register(id, unsigned),
                "medication_dispense:process",
            ),
            (Order::cancelling(id), Order::rejecting(id), "medication_dispense:reject"),
        ] {
            let bare = [&platform, &register].map(|order| no_body(order.clone()));
            for [platform, register] in [bare, [platform.clone(), register.clone()]] {
                expired.send(&platform).await.refused(401, "invalid-token");
                expired.send(&register).await.said(401, "access_denied", "Invalid access token");
                reader.send(&platform).await.refused(403, "missing-scope");
                let text = format!("{text}{scope}");
                reader.send(&register).await.said(403, "forbidden", &text);
            }
            if !found {
                one.send(&platform).await.refused(404, "not-found");
                let text = "There is no such dispense";
                one.send(&register).await.said(404, "not_found", text);
            }
        }
        let bare = no_body(Order::processing(id, unsigned));
        one.send(&bare).await.refused(422, "schema");
        let malformed = Order { body: json!({"payment_id": 12345}), ..Order::rejecting(id) };
        let text = "type mismatch. Expected string, null but got integer";
        one.send(&malformed).await.blames(&[["$.payment_id", "cast", text]]);
        let malformed = Order { body: json!({"reason": 1}), ..Order::cancelling(id) };
        one.send(&malformed).await.refused(422, "schema");
    }
}

/// What a hand-over was refused for is looked at again as the registries say it now.
#[tokio::test(flavor = "multi_thread")]
async fn the_outlet_is_judged_as_it_is_now() {
    let (_database, _instance, world, one, other) = opened().await;
    let held = one.dispense(&world.prescribed(Terms::InParts, 0), 20).await.expect(201).id();
    let container = one.sign(&one.content(held).await, PAID);
    let in_register = Order::processing_in_register(held, &container);
    let mut inactive = division(&one);
    inactive["is_active"] = json!(false);
    let mut sold = division(&one);
    sold["legal_entity_id"] = json!(other.legal_entity);
    for (record, code, text) in [
        (inactive, "division-not-active", "Division is not active"),
        (sold, "division-foreign", "Division does not belong to user's legal entity"),
    ] {
        one.import(&line("division", &record)).await.expect(200);
        let platform = one.send(&Order::processing(held, &container)).await.refused(409, code);
        assert_eq!(platform.body["errors"][0]["path"], "$.pharmacyId");
        one.send(&in_register).await.said(409, "request_conflict", text);
    }
    one.import(&line("division", &division(&one))).await.expect(200);
    one.send(&in_register).await.expect(200);
}

/// Whoever was told that registry data was applied is believed at every instance at once, although
/// each keeps the small registries in memory.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_imported_counts_at_every_instance_at_once() {
    let (database, instance, world, one, _other) = opened().await;
    let elsewhere = Instance::start(&database).await;
    let [here, there] = [&instance, &elsewhere].map(|instance| one.at(instance));
    let mut closed = division(&one);
    closed["status"] = json!("INACTIVE");
    for n in 0..4 {
        let held = here.dispense(&world.prescribed(Terms::InParts, n), 20).await.expect(201).id();
        let container = here.sign(&here.content(held).await, PAID);
        here.import(&line("division", &closed)).await.expect(200);
        there.process(held, &container, "p1").await.refused(409, "division-not-active");
        here.import(&line("division", &division(&one))).await.expect(200);
        there.process(held, &container, "p1").await.expect(200);
    }
}
