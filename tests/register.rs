//! The register's API in the cases that its own systems are known by. Each test has the ids of its
//! cases in its name: `c_` create, `p_` process, `r_` reject, `q_` qualify, `g_` get and list, `s_`
//! what is stored, `t_` the reimbursement report, `h_` what once was otherwise, `x_` what follows from
//! the rules.
//! `docs/conformance.md` lists them all.

mod asking;
mod created;
mod creating;
mod dispensing;
mod looking;
mod paying;
mod processing;
mod qualifying;
mod rejecting;
mod reporting;
mod requests;
mod storing;

use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use crate::handing_over::opened;
use crate::harness::world::request;
use crate::harness::{Answer, Order, Pharmacy, Prescribed, line};

/// The text for a dispense that is not there, or not the asker's.
const UNKNOWN: &str = "There is no such dispense";

/// Imports a medication request for which nobody pays but the patient.
async fn without_program(pharmacy: &Pharmacy, what: &Prescribed) {
    let mut prescribed = request(what);
    prescribed.as_object_mut().unwrap().remove("medical_program_id");
    pharmacy.import(&line("medication_request", &prescribed)).await.expect(200);
}

/// An order for all of what was prescribed, outside any program.
fn outside(pharmacy: &Pharmacy, what: &Prescribed) -> Order {
    let mut order = pharmacy.ehealth_order(what, 60);
    let dispense = order.body["medication_dispense"].as_object_mut().unwrap();
    dispense.remove("medical_program_id");
    dispense["dispense_details"][0].as_object_mut().unwrap().remove("program_medication_id");
    order
}

/// A hold, and its document as the register shows it.
async fn held(pharmacy: &Pharmacy, what: &Prescribed) -> (Uuid, Value) {
    let held = pharmacy.ehealth_hold(what, 20).await.expect(201);
    (held.id(), held.data().clone())
}

/// Sends a container through both APIs: what the platform's answers, and what the register's does.
async fn refused_by_both(pharmacy: &Pharmacy, id: Uuid, container: &[u8]) -> [Answer; 2] {
    let platform = pharmacy.send(&Order::processing(id, container)).await;
    let register = pharmacy.send(&Order::processing_in_register(id, container)).await;
    assert!(platform.status >= 400 && register.status >= 400, "{platform:#?} {register:#?}");
    [platform, register]
}

/// What the platform's API blames: the code and the path of each violation.
fn blamed(answer: &Answer) -> Vec<(&str, &str)> {
    let errors = answer.body["errors"].as_array().unwrap().iter();
    errors.map(|it| (it["code"].as_str().unwrap(), it["path"].as_str().unwrap_or(""))).collect()
}

/// What is blamed where the register says that the request as a whole is to blame.
fn as_a_whole() -> Value {
    json!([{"entry_type": "request", "rules": [{"rule": "json"}]}])
}
