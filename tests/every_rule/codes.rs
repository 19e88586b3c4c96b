//! Rule 16a: the patient's code, and how often it may be guessed.

use futures::future::join_all;
use serde_json::json;

use crate::harness::{Answer, Asking, Case};

/// How many guess at once.
const GUESSES: usize = 64;

/// How many of them may be judged.
const MOST_WRONG_CODES: usize = 5;

const TOO_MANY: &str = "Too many wrong verification codes for this medication request";

async fn guess(asks: Asking, n: usize) -> Answer {
    // Neither the right one nor one that two guesses have in common.
    let asks = asks.code(&format!("9{n:03}"));
    if n.is_multiple_of(2) { asks.ehealth().await } else { asks.ndp().await }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_guess_at_once_few_are_judged() {
    let case = Case::new().code("1234").discount(50).with_other_request(&json!({})).open().await;
    let guesses = (0..GUESSES).map(|n| tokio::spawn(guess(case.asks(), n)));
    let mut statuses = Vec::new();
    for answer in join_all(guesses).await {
        let answer = answer.unwrap();
        let code = if answer.status == 401 { "wrong-code" } else { "too-many-wrong-codes" };
        assert_eq!(answer.code(), code, "{answer:#?}");
        assert_eq!(answer.header("retry-after").is_some(), answer.status == 429);
        statuses.push(answer.status);
    }
    let judged = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!(judged, MOST_WRONG_CODES);
    assert_eq!(statuses.len() - judged, statuses.iter().filter(|it| **it == 429).count());

    // The right code is not judged any more, through either API.
    let rules = [("too-many-wrong-codes", "$.verificationCode")];
    case.asks().refused(429, TOO_MANY, &rules).await;
    let again = case.asks().ndp().await;
    assert!(again.body["errors"][0]["params"]["retryAt"].is_string(), "{again:#?}");
    // Another request of the same patient is not locked, nor is another company.
    case.asks().request(case.id("other request")).held().await;
    case.other_asks().held().await;
}

/// A try without a code is refused and counts for nothing; nor does what other rules refuse.
#[tokio::test]
async fn only_a_code_that_was_judged_counts() {
    let case = Case::new().code("1234").discount(50).open().await;
    for _ in 0..2 * MOST_WRONG_CODES {
        case.asks().without_code().ehealth().await.refused(401, "wrong-code");
        case.asks()
            .code("9999")
            .quantity(20)
            .discount(100)
            .ndp()
            .await
            .refused(422, "quantity-not-equal");
        case.asks()
            .code("9999")
            .discount(150)
            .ehealth()
            .await
            .refused(422, "discount-out-of-bounds");
    }
    case.asks().held().await;
}

#[tokio::test]
async fn codes_that_are_tried_out_count_as_well() {
    let case = Case::new().code("1234").discount(50).open().await;
    for left in (0..MOST_WRONG_CODES).rev() {
        let mut order = case.asks().code("9999").platform_order();
        order.path += "?dryRun=true";
        let refused = case.one.send(&order).await.refused(401, "wrong-code");
        assert_eq!(refused.body["errors"][0]["params"]["triesLeft"], json!(left));
    }
    case.asks().ehealth().await.said(429, "too_many_requests", TOO_MANY);
}

#[tokio::test]
async fn the_code_may_stand_in_the_query() {
    let case = Case::new().code("1234").discount(50).open().await;
    let mut order = case.asks().without_code().order();
    order.path += "?code=1234";
    case.one.send(&order).await.expect(201);
}
