//! Who is let in. Every way to spoil a token is tested beside the door; here is that the service as
//! it runs looks at them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::harness::{Answer, Audit, Database, Instance, Terms, Token, World};

#[tokio::test(flavor = "multi_thread")]
async fn only_good_tokens_of_the_issuer_are_let_in() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let what = world.prescribed(Terms::InParts, 0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();

    let good = pharmacy.token();
    let spoiled: [(&str, Value); 6] = [
        ("exp", (now - 600).into()),
        ("nbf", (now + 600).into()),
        ("iss", "https://elsewhere.example.org/".into()),
        ("aud", "somebody else".into()),
        ("client_id", Value::Null),
        ("client_type", "BAKERY".into()),
    ];
    for (claim, value) in spoiled {
        let stranger = pharmacy.with_token(&good.clone().with(claim, value));
        let refused = stranger.dispense(&what, 10).await.refused(401, "invalid-token");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"), "{claim}");
    }
    let read_only = good.clone().with("scope", "medication_dispense:read");
    let reader = pharmacy.with_token(&read_only);
    let refused = reader.dispense(&what, 10).await.refused(403, "missing-scope");
    assert_eq!(refused.body["errors"][0]["params"]["scope"], "medication_dispense:write");
    reader.balance(&what).await.expect(200);
    assert!(Audit::of(&database).await.entries.is_empty(), "who is not let in leaves no trace");

    let newer = good.with("scope", "medication_dispense:create medication_dispense:read");
    pharmacy.with_token(&newer).dispense(&what, 10).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_token_is_none() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let signed = pharmacy.token().signed();
    let (message, signature) = signed.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let admin = Token::of(pharmacy.user, pharmacy.legal_entity, "NHS").signed();
    let others = admin.split('.').nth(1).unwrap();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for forged in [
        format!("{none}.{claims}."),
        format!("{header}.{others}.{signature}"),
        format!("{header}.{claims}."),
        message.to_owned(),
        String::new(),
    ] {
        let url = format!("{}/api/v1/prescriptions/{}", instance.url, pharmacy.user);
        let request = reqwest::Client::new().get(url).bearer_auth(&forged);
        Answer::to(request).await.unwrap().refused(401, "invalid-token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payer_sees_and_cancels_what_pharmacies_hold() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let held = pharmacy.dispense(&world.prescribed(Terms::InParts, 0), 10).await.expect(201);
    let payer = Token::of(world.pharmacies[0].party, world.pharmacies[0].division, "NHS");
    let payer = pharmacy.with_token(&payer);
    payer.look_at(held.id()).await.expect(200);
    payer.cancel(held.id()).await.expect(200);
}
