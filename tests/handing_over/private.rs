//! What no answer says of anybody: tax ids, documents, the patient's full name, the patient's code.

use serde_json::{Value, json};

use super::opened;
use crate::harness::world::{party, request};
use crate::harness::{Order, PAID, Pharmacy, Terms, line};

/// The code that the patient got.
const CODE: &str = "4Ж82";

/// What must be in no answer.
fn secrets(of: &Pharmacy) -> Vec<&str> {
    vec![
        &of.person.tax_id, // the pharmacist's, which the certificate alone says
        "2745810237",      // the doctor's
        "НС654321",        // the pharmacist's passport
        "Оксана",          // the patient
        "Петрівна",
        "1961-05-04",
        CODE,
        "\"tax_id\"",
        "documents",
        "verification_code",
        "salt",
    ]
}

/// Asks, and returns head and body of the answer as text.
async fn said(request: reqwest::RequestBuilder) -> (String, String) {
    let response = request.send().await.unwrap();
    let head = format!("{} {:?}", response.status(), response.headers());
    (head, response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_says_what_is_private() {
    let (_database, _instance, world, one, other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let mut prescribed = request(&what);
    prescribed["verification_code"] = json!(CODE);
    let mut pharmacist = party(&one);
    pharmacist["documents"] = json!([{"type": "PASSPORT", "number": "НС654321"}]);
    let lines = line("medication_request", &prescribed) + &line("party", &pharmacist);
    one.import(&lines).await.expect(200);

    let mut answers = Vec::new();
    let mut send = async |by: &Pharmacy, order: Order| {
        let request = by.request(order.method(), &order.path);
        let request = request.header(order.key_header(), &order.key).json(&order.body);
        let (head, body) = said(request).await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        answers.push(head + &body);
        answer
    };
    let id = |body: &Value| body["id"].as_str().unwrap().parse().unwrap();
    let with_code = |mut order: Order, member: &str| {
        order.body[member] = json!(CODE);
        order
    };

    // Holds through both APIs, one of them given back; a stranger who asks for the same.
    let hold = with_code(one.ehealth_order(&what, 20), "code");
    let first = id(&send(&one, hold).await["data"]);
    send(&other, with_code(other.order(&what, 20), "verificationCode")).await;
    send(&other, other.ehealth_order(&what, 20)).await;
    send(&one, Order::rejecting(first)).await;
    let hold = with_code(one.order(&what, 20), "verificationCode");
    let second = id(&send(&one, hold).await);
    // Signed by somebody else, of another document, and as it should be.
    let document = one.content(second).await;
    for container in [
        other.sign(&document, PAID),
        one.sign(&json!({"id": second}), PAID),
        one.sign(&document, PAID),
    ] {
        send(&one, Order::processing(second, &container)).await;
        send(&one, Order::processing_in_register(second, &container)).await;
    }
    for path in [
        format!("/api/v1/dispenses/{second}"),
        format!("/api/v1/dispenses/{second}/content"),
        format!("/api/v1/prescriptions/{}", what.id),
        format!("/api/medication_dispenses/{first}"),
        format!("/api/pharmacy/medication_dispenses/{second}"),
        "/api/medication_dispenses".to_owned(),
        format!("/api/medication_requests/{}", what.id),
        format!("/api/pharmacy/medication_requests/{}", what.id),
        format!("/api/medication_requests/{}/dispenses", what.id),
    ] {
        let (head, body) = said(one.request("GET", &path)).await;
        assert!(head.starts_with("200"), "{head} {body}");
        answers.push(head + &body);
    }

    let whole = answers.join("\n");
    assert!(whole.contains("Коваль О. П."), "the patient is named by the short name alone");
    for secret in secrets(&one) {
        let told = answers.iter().find(|answer| answer.contains(secret));
        assert_eq!(told, None, "{secret}");
    }
}
