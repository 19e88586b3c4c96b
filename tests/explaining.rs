//! `dispense explain` says what the service would: the same rules, the same facts, and no trace.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Database, Instance, Order, Terms, World, temporary};

/// How long an explanation may take; debug builds on busy machines are slow.
const WITHIN: Duration = Duration::from_mins(1);

/// What the command line says of a body: its exit code, and the document that it prints.
fn explained(database: &Database, body: &str) -> (i32, Value) {
    let (code, document, _) = explained_with(database, body, &[]);
    (code, document)
}

/// As [`explained`], with more arguments, and with all that was said.
fn explained_with(database: &Database, body: &str, more: &[&str]) -> (i32, Value, String) {
    let folder = temporary();
    let file = folder.path().join("body.json");
    std::fs::write(&file, body).unwrap();
    let path = file.display().to_string();
    let arguments = [&["explain", "--json", "--request", &path], more].concat();
    let mut explain = database.command(folder.path(), &arguments, &[]);
    let status = explain.wait(WITHIN);
    let said = explain.said();
    let document = said.lines().find(|line| line.starts_with('{'));
    let document = document.unwrap_or_else(|| panic!("no document:\n{said}"));
    (status.code().unwrap(), serde_json::from_str(document).unwrap(), said.clone())
}

/// What is in the database, as far as a command could have changed it.
async fn traces(database: &Database) -> Value {
    sqlx::query_scalar(
        "SELECT json_build_array((SELECT json_agg(h ORDER BY partition) FROM log_head h),
             (SELECT count(*) FROM events), (SELECT json_agg(w) FROM wrong_codes w))",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap()
}

fn dry_run(order: &Order) -> Order {
    Order { path: "/api/v1/dispenses?dryRun=true".to_owned(), ..order.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_is_a_dry_run_that_leaves_no_trace() {
    let database = Database::new().await;
    let world = World::new(2, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let [one, other] = [0, 1].map(|n| world.pharmacies[n].at(&instance));
    let what = world.prescribed(Terms::InParts, 0);
    let order = other.order(&what, 20);

    let before = traces(&database).await;
    let (code, granted) = explained(&database, &order.body.to_string());
    assert_eq!((code, &granted["wouldBe"]), (0, &json!("HELD")));
    let mut guess = order.clone();
    guess.body["verificationCode"] = json!("1357");
    let (code, wrong) = explained(&database, &guess.body.to_string());
    assert_eq!((code, &wrong["code"]), (1, &json!("wrong-code")));
    assert_eq!(traces(&database).await, before);
    assert_eq!(other.send(&dry_run(&order)).await.expect(200).body["rules"], granted["rules"]);

    one.dispense(&what, 20).await.expect(201);
    let mut tried = other.send(&dry_run(&guess)).await.refused(403, "already-held").body;
    let (code, mut refused) = explained(&database, &guess.body.to_string());
    for document in [&mut tried, &mut refused] {
        document["requestId"].take();
    }
    assert_eq!((code, refused), (1, tried));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_knows_the_tries_of_a_code_and_uses_none_up() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let mut guess = pharmacy.order(&world.prescribed(Terms::InParts, 0), 20);
    guess.body["verificationCode"] = json!("1357");
    for _ in 0..4 {
        pharmacy.send(&dry_run(&guess)).await.refused(401, "wrong-code");
    }
    for _ in 0..3 {
        let (_, told) = explained(&database, &guess.body.to_string());
        assert_eq!(told["errors"][0]["params"]["triesLeft"], 0, "{told}");
    }
    pharmacy.send(&dry_run(&guess)).await.refused(401, "wrong-code");
    let (_, told) = explained(&database, &guess.body.to_string());
    assert_eq!((&told["status"], &told["code"]), (&json!(429), &json!("too-many-wrong-codes")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_understood_is_told_as_at_the_door() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let mut order = pharmacy.order(&world.prescribed(Terms::InParts, 0), 20);
    order.body["items"][0]["quantityDispensed"] = json!("twenty");
    order.body["shoeSize"] = json!(42);
    let mut answered = pharmacy.send(&order).await.refused(422, "schema").body;
    let (code, mut told) = explained(&database, &order.body.to_string());
    for document in [&mut answered, &mut told] {
        document["requestId"].take();
    }
    assert_eq!((code, told), (1, answered));
    let (code, told) = explained(&database, "{\"items\": [");
    assert_eq!((code, &told["code"]), (1, &json!("malformed-json")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pharmacy_that_nobody_knows_is_a_broken_rule_if_it_is_said_who_asks() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    let mut order = pharmacy.order(&world.prescribed(Terms::InParts, 0), 20);
    let user = pharmacy.user.to_string();
    let client = pharmacy.legal_entity.to_string();
    let (code, _, said) = explained_with(&database, &order.body.to_string(), &["--user", &user]);
    assert!(code == 0 && said.contains(&format!("of company {client}; --client names")), "{said}");

    order.body["pharmacyId"] = json!("00000000-0000-4000-8000-000000000000");
    let body = order.body.to_string();
    let (code, told, _) = explained_with(&database, &body, &["--client", &client]);
    let rules = told["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["rule"] == "10a").unwrap();
    assert_eq!((code, &rule["result"]), (1, &json!("failed")), "{told}");
    for nobody in [&[][..], &["--user", &user]] {
        let (code, told, said) = explained_with(&database, &body, nobody);
        assert_eq!((code, &told["title"]), (1, &json!("It could not be explained")));
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.contains("no pharmacy") && detail.contains("--client ID"), "{detail}");
        assert!(said.contains(&format!("dispense: {detail}")), "{said}");
        assert!(told.get("status").is_none() && told.get("code").is_none(), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_is_told_apart_from_a_refusal() {
    let database = Database::new().await;
    let folder = temporary();
    let mut nothing = database.command(folder.path(), &["explain"], &[]);
    assert_eq!(nothing.wait(WITHIN).code(), Some(2), "{}", nothing.said());
    let arguments = ["explain", "--request", "/dev/null"];
    let mut wrong = database.command(folder.path(), &arguments, &[("DEVIATION", "10%")]);
    assert_eq!(wrong.wait(WITHIN).code(), Some(2), "{}", wrong.said());
    assert!(wrong.said().contains("DEVIATION: expected"), "{}", wrong.said());
}
