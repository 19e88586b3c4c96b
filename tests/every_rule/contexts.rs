//! Who sees and changes what: each type of client, each operation, each scope (5.1).

use serde_json::json;
use uuid::Uuid;

use crate::harness::{Answer, Case, Opened, Order, PAID, Pharmacy};

const UNKNOWN: &str = "There is no such dispense";

/// A client of that type, of another company.
fn stranger(case: &Opened, client_type: &str) -> Pharmacy {
    case.other.with_token(&case.other.token().with("client_type", client_type))
}

async fn listed(pharmacy: &Pharmacy, query: &str) -> Answer {
    pharmacy.get(&format!("/api/medication_dispenses?{query}")).await.expect(200)
}

#[tokio::test]
async fn personal_clients_see_their_own_alone_and_others_see_everybodys() {
    let case = Case::new().discount(50).open().await;
    let held = case.asks().held().await.id();
    let query = format!("medication_request_id={}", case.id("request"));
    for (client_type, sees) in [
        ("PHARMACY", false),
        ("MSP_PHARMACY", false),
        ("MSP", false),
        ("NHS", true),
        ("MIS", true),
        ("CABINET", true),
    ] {
        let stranger = stranger(&case, client_type);
        let (register, platform) = (stranger.ehealth_get(held).await, stranger.look_at(held).await);
        let found = listed(&stranger, &query).await;
        if sees {
            assert_eq!(register.expect(200).data()["id"], json!(held), "{client_type}");
            platform.expect(200);
            assert_eq!(found.data()[0]["id"], json!(held), "{client_type}");
        } else {
            register.said(404, "not_found", UNKNOWN);
            platform.refused(404, "not-found");
            assert_eq!(found.data(), &json!([]), "{client_type}");
        }
        // Asked for another company, a personal client finds nothing; the others find its own.
        let of_company = format!("{query}&legal_entity_id={}", case.one.legal_entity);
        let count = listed(&stranger, &of_company).await.body["paging"]["total_entries"].clone();
        assert_eq!(count, u32::from(sees), "{client_type}");
    }
}

/// Whoever may see a request sees who holds it: that is how double dispensing is noticed.
#[tokio::test]
async fn a_request_is_seen_by_every_pharmacy_and_by_the_clinic_that_made_it() {
    let case = Case::new().discount(50).open().await;
    let held = case.asks().held().await.id();
    let path = format!("/api/medication_requests/{}/dispenses", case.id("request"));
    for client_type in ["PHARMACY", "MSP_PHARMACY", "NHS"] {
        let listed = stranger(&case, client_type).get(&path).await.expect(200);
        assert_eq!(listed.data()[0]["id"], json!(held), "{client_type}");
    }
    let text = "There is no such medication request";
    stranger(&case, "MSP").get(&path).await.said(404, "not_found", text);
    let clinic = case.one.token().with("client_type", "MSP");
    let clinic = clinic.with("client_id", case.id("clinic").to_string());
    let listed = case.one.with_token(&clinic).get(&path).await.expect(200);
    assert_eq!(listed.data()[0]["id"], json!(held));
}

/// Only the payer acts on what is not its own.
#[tokio::test]
async fn a_foreign_hold_is_processed_and_rejected_by_the_payer_alone() {
    let case = Case::new().discount(50).open().await;
    let held = case.asks().held().await;
    let container = case.other.sign(held.data(), PAID);
    for client_type in ["PHARMACY", "MSP_PHARMACY", "MSP", "MIS", "CABINET"] {
        let stranger = stranger(&case, client_type);
        for order in
            [Order::processing_in_register(held.id(), &container), Order::rejecting(held.id())]
        {
            stranger.send(&order).await.said(404, "not_found", UNKNOWN);
        }
        for order in [Order::processing(held.id(), &container), Order::cancelling(held.id())] {
            stranger.send(&order).await.refused(404, "not-found");
        }
    }
    let payer = stranger(&case, "NHS");
    let rejected = payer.send(&Order::rejecting(held.id())).await.expect(200);
    assert_eq!(rejected.data()["status"], "REJECTED");
}

#[tokio::test]
async fn every_operation_of_the_platform_asks_for_its_scope() {
    let case = Case::new().discount(50).open().await;
    let held = case.asks().held().await.id();
    let request = case.id("request");
    let all = "medication_dispense:write medication_dispense:read medication_dispense:process \
               medication_dispense:reject medication_request:details registry:write";
    for (method, path, scope) in [
        ("POST", "/api/v1/dispenses".to_owned(), "medication_dispense:write"),
        ("POST", "/api/v1/dispenses?dryRun=true".to_owned(), "medication_dispense:write"),
        ("POST", format!("/api/v1/dispenses/{held}/process"), "medication_dispense:process"),
        ("POST", format!("/api/v1/dispenses/{held}/cancel"), "medication_dispense:reject"),
        ("GET", format!("/api/v1/dispenses/{held}"), "medication_dispense:read"),
        ("GET", format!("/api/v1/dispenses/{held}/content"), "medication_dispense:read"),
        ("GET", format!("/api/v1/prescriptions/{request}"), "medication_dispense:read"),
        ("POST", format!("/api/v1/prescriptions/{request}/qualify"), "medication_request:details"),
        ("POST", "/api/v1/registry/import".to_owned(), "registry:write"),
    ] {
        let others: Vec<&str> =
            all.split(' ').filter(|it| !it.is_empty() && *it != scope).collect();
        let powerless = case.with_claim("scope", others.join(" "));
        let refused = Answer::to(powerless.request(method, &path)).await.unwrap();
        let refused = refused.refused(403, "missing-scope");
        assert_eq!(refused.body["errors"][0]["params"]["scope"], scope, "{method} {path}");
    }
    assert_eq!(case.one.look_at(held).await.expect(200).body["version"], 1, "nothing was done");
}

#[tokio::test]
async fn a_malformed_id_names_nothing_for_anybody() {
    let case = Case::new().open().await;
    for client_type in ["PHARMACY", "NHS"] {
        let asker = stranger(&case, client_type);
        for id in ["17".to_owned(), Uuid::nil().to_string()] {
            let path = format!("/api/medication_dispenses/{id}");
            asker.get(&path).await.said(404, "not_found", UNKNOWN);
        }
    }
}
