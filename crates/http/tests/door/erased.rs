//! What is shown of a dispense whose patient was erased, by both APIs.

use actix_web::test::TestRequest;
use serde_json::{Value, json};
use uuid::Uuid;

use super::verifying::handed_over;
use super::world::sample::{self, IN_PARTS, PERSON, REQUEST, REQUEST_IN_PARTS};
use super::world::{Answer, World};

async fn get(world: &World, path: &str) -> Answer {
    let read = ["medication_dispense:read", "medication_request:details"].join(" ");
    world.send_as(&world.token(&read), TestRequest::get().uri(path)).await
}

/// A dispense of a patient who was erased: the bodies are gone, and so is the record.
async fn erased() -> (World, String) {
    let world = World::new().await;
    let held = world.create("held", &sample::part(IN_PARTS, 10)).await;
    let id = held.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(world.cancel(&id, "cancel").await.status, 200);
    let mut inner = world.state.get();
    for (_, recorded) in &mut inner.events {
        recorded.body = None;
    }
    inner.erased.push(PERSON.parse::<Uuid>().unwrap());
    drop(inner);
    world.change(|ground| {
        for records in &mut ground.requests {
            records.person = None;
        }
    });
    (world, id)
}

#[actix_web::test]
async fn a_dispense_says_that_something_is_missing_and_keeps_its_amounts() {
    let (world, id) = erased().await;
    let ours = get(&world, &format!("/api/v1/dispenses/{id}")).await;
    assert_eq!(ours.status, 200);
    let ours = ours.json();
    assert_eq!((&ours["erased"], &ours["pharmacistName"]), (&json!(true), &json!(null)));
    assert_eq!(ours["items"][0]["quantityDispensed"], 10);

    for path in [
        format!("/api/medication_dispenses/{id}"),
        format!("/api/pharmacy/medication_dispenses/{id}"),
    ] {
        let theirs = get(&world, &path).await;
        assert_eq!(theirs.status, 200, "{path}");
        let theirs = &theirs.json()["data"];
        assert_eq!(theirs["erased"], true);
        assert_eq!(theirs["party"]["last_name"], json!(null));
        assert_eq!(theirs["medication_request"]["person"]["short_name"], json!(null));
        assert_eq!(theirs["details"][0]["medication_qty"], 10);
    }
}

#[actix_web::test]
async fn lists_show_it_among_the_others() {
    let (world, id) = erased().await;
    for path in [
        format!("/api/medication_requests/{REQUEST_IN_PARTS}/dispenses"),
        "/api/medication_dispenses".to_owned(),
    ] {
        let answer = get(&world, &path).await;
        assert_eq!(answer.status, 200, "{path}");
        let data = &answer.json()["data"][0];
        assert_eq!((&data["id"], &data["erased"]), (&json!(id), &json!(true)), "{path}");
    }
    let path = format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}/dispenses");
    assert_eq!(get(&world, &path).await.json()["items"][0]["erased"], true);
}

#[actix_web::test]
async fn the_balance_is_what_it_was() {
    let (world, _) = erased().await;
    let answer = get(&world, &format!("/api/v1/prescriptions/{REQUEST_IN_PARTS}")).await;
    assert_eq!(answer.json()["prescribed"], 30);
}

#[actix_web::test]
async fn a_document_without_its_names_is_none() {
    let (world, id) = erased().await;
    let content = get(&world, &format!("/api/v1/dispenses/{id}/content")).await;
    assert_eq!(content.problem(), (410, "erased".to_owned()));
}

#[actix_web::test]
async fn a_theft_of_names_alone_is_no_erasure() {
    let world = World::new().await;
    let id = handed_over(&world).await;
    let chain = async || {
        let answer = world.send(TestRequest::post().uri(&format!("/api/v1/dispenses/{id}/verify")));
        let answer = answer.await.json();
        assert_eq!(answer["checks"][1]["name"], "hash_chain");
        answer["checks"][1]["ok"].clone()
    };
    assert_eq!(chain().await, true);
    world.state.get().events.iter_mut().for_each(|(_, recorded)| {
        recorded.body = recorded.body.take().map(|body| body.replace("salt", "Salt").into());
    });
    assert_eq!(chain().await, false, "the body is another one");
    world.state.get().events.iter_mut().for_each(|(_, recorded)| recorded.body = None);
    assert_eq!(chain().await, false, "no record names the body that is gone");
    world.state.get().erased.push(PERSON.parse::<Uuid>().unwrap());
    assert_eq!(chain().await, true);
}

#[actix_web::test]
async fn a_theft_of_names_and_container_is_no_erasure() {
    let world = World::new().await;
    let id = handed_over(&world).await;
    let stolen: Vec<String> = {
        let mut inner = world.state.get();
        for (_, recorded) in &mut inner.events {
            recorded.body = None;
        }
        // That the patient was erased does not say that the container was: it may have been kept.
        inner.erased.push(PERSON.parse::<Uuid>().unwrap());
        std::mem::take(&mut inner.contents).into_keys().collect()
    };
    let (no, unsaid) = (json!(false), json!(null));
    assert_eq!(evidence(&world, &id).await, [no.clone(), no.clone(), no]);
    assert_eq!(container(&world, &id).await, 503);

    world.state.get().erased_containers = stolen;
    assert_eq!(evidence(&world, &id).await, [json!(true), unsaid.clone(), unsaid]);
    assert_eq!(container(&world, &id).await, 410);
}

/// How the signed container of a dispense is answered for.
async fn container(world: &World, id: &str) -> u16 {
    let asked = TestRequest::get().uri(&format!("/api/v1/dispenses/{id}/content"));
    world.send(asked.insert_header(("Accept", "application/pkcs7-mime"))).await.status.as_u16()
}

/// Whether all evidence of a dispense holds, whether its signature does, and its container.
async fn evidence(world: &World, id: &str) -> [Value; 3] {
    let answer = world.send(TestRequest::post().uri(&format!("/api/v1/dispenses/{id}/verify")));
    let answer = answer.await.json();
    assert_eq!(answer["checks"][4]["name"], "stored_content");
    [&answer["valid"], &answer["checks"][3]["ok"], &answer["checks"][4]["ok"]].map(Value::clone)
}

#[actix_web::test]
async fn a_medication_request_of_somebody_erased_is_gone_and_no_bug() {
    let (world, _) = erased().await;
    let answer = get(&world, &format!("/api/medication_requests/{REQUEST}")).await;
    assert_eq!(answer.status, 410);
    let error = &answer.json()["error"];
    assert_eq!((&error["type"], &error["code"]), (&json!("gone"), &json!("erased")));
    // Where nobody was erased, it is a broken reference as ever.
    world.state.get().erased.clear();
    assert_eq!(get(&world, &format!("/api/medication_requests/{REQUEST}")).await.status, 500);
}
