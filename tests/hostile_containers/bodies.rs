//! Bodies around a container.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use serde_json::{Value, json};

use super::{Target, why};
use crate::harness::{Answer, Order, PAID};

/// How many bytes a body may have.
const LONGEST: usize = 256 * 1024;

/// The members of a body in either API.
const PLATFORM: [&str; 2] = ["signedContent", "signedContentEncoding"];
const REGISTER: [&str; 2] = ["signed_medication_dispense", "signed_content_encoding"];

impl Target {
    /// Sends a body of either API, as it is.
    async fn sent(
        &self,
        [content, encoding]: [&str; 2],
        body: impl Fn([&str; 2]) -> String,
    ) -> Answer {
        let (method, path) = if content == PLATFORM[0] {
            ("POST", format!("/api/v1/dispenses/{}/process", self.held))
        } else {
            ("PATCH", format!("/api/medication_dispenses/{}/actions/process", self.held))
        };
        let request = self.pharmacy.request(method, &path);
        let request = request.header("Content-Type", "application/json");
        Answer::to(request.body(body([content, encoding]))).await.unwrap()
    }

    /// Both APIs refuse such a body for that reason.
    async fn refuses_body(&self, what: &str, code: &str, body: impl Fn([&str; 2]) -> String) {
        for names in [PLATFORM, REGISTER] {
            let answer = self.sent(names, &body).await;
            assert_eq!(answer.code(), code, "{what}: {answer:#?}");
        }
    }

    async fn refuses_text(&self, what: &str, code: &str, text: &Value) {
        let body = |[content, encoding]: [&str; 2]| json!({content: text, encoding: "base64"});
        self.refuses_body(what, code, |names| body(names).to_string()).await;
    }
}

/// RFC 4648: the alphabet of section 4, with its padding, and without anything in between (3.1, 3.3).
/// Two texts for one container would be two readings.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_written_in_one_way() {
    let target = Target::new().await;
    let mut container = target.pharmacy.sign(&target.document, PAID);
    // So that every alphabet has something to say, and there is something to pad.
    while !STANDARD.encode(&container).contains(['+', '/']) || container.len() % 3 == 0 {
        container = target.pharmacy.sign(&target.document, PAID);
    }
    let whole = STANDARD.encode(&container);
    let lines: Vec<&str> =
        whole.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    for (what, text) in [
        ("line breaks", lines.join("\n")),
        ("line breaks of mail", lines.join("\r\n")),
        ("a line break at the end", format!("{whole}\n")),
        ("a blank in front", format!(" {whole}")),
        ("the alphabet for addresses", URL_SAFE.encode(&container)),
        ("no padding", STANDARD_NO_PAD.encode(&container)),
        ("more padding", format!("{whole}=")),
        ("twice", STANDARD.encode(&whole)),
        ("hexadecimal", hex::encode(&container)),
        ("an address of data", format!("data:application/pkcs7-mime;base64,{whole}")),
        ("PEM", format!("-----BEGIN CMS-----\n{whole}\n-----END CMS-----")),
        ("NUL in it", format!("{whole}\0")),
        ("nothing", String::new()),
        ("other letters", "підпис".to_owned()),
    ] {
        target.refuses_text(what, "signature-count", &json!(text)).await;
    }
    let lines = json!({PLATFORM[0]: lines.join("\n"), PLATFORM[1]: "base64"}).to_string();
    let answer = target.sent(PLATFORM, |_| lines.clone()).await;
    assert!(why(&answer).contains("base64"), "says what may be wrong: {answer:#?}");
    target.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_none_is_refused() {
    let target = Target::new().await;
    let whole = STANDARD.encode(target.pharmacy.sign(&target.document, PAID));
    for (what, text) in [
        ("null", Value::Null),
        ("a number", json!(1)),
        ("a list", json!([whole])),
        ("an object", json!({"content": whole})),
        ("false", json!(false)),
    ] {
        target.refuses_text(what, "schema", &text).await;
    }
    for encoding in ["hex", "BASE64", "base64url", ""] {
        let body = |names: [&str; 2]| json!({names[0]: whole, names[1]: encoding}).to_string();
        target.refuses_body(encoding, "schema", body).await;
    }
    let schema = |what, body: fn([&str; 2]) -> String| target.refuses_body(what, "schema", body);
    schema("no member", |_| "{}".to_owned()).await;
    schema("a list", |_| "[]".to_owned()).await;
    schema("a lone surrogate", |names| {
        format!(r#"{{"{}":"\ud800","{}":"base64"}}"#, names[0], names[1])
    })
    .await;
    let no_json =
        |what, body: fn([&str; 2]) -> String| target.refuses_body(what, "malformed-json", body);
    no_json("nothing", |_| String::new()).await;
    no_json("half a body", |names| format!(r#"{{"{}":"MII"#, names[0])).await;
    no_json("many levels", |_| "[".repeat(200_000)).await;
    no_json("NUL", |_| "\0".repeat(1_000)).await;
    target.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_read_up_to_its_longest_and_no_further() {
    let target = Target::new().await;
    let of_length = |length: usize| {
        move |[content, encoding]: [&str; 2]| {
            let around = json!({content: "", encoding: "base64"}).to_string().len();
            json!({content: "A".repeat(length - around), encoding: "base64"}).to_string()
        }
    };
    for names in [PLATFORM, REGISTER] {
        assert_eq!(of_length(LONGEST)(names).len(), LONGEST);
    }
    for length in [LONGEST - 4, LONGEST - 1, LONGEST] {
        target.refuses_body("as long as it may be", "signature-count", of_length(length)).await;
    }
    for length in [LONGEST + 1, LONGEST * 2, LONGEST * 16] {
        target.refuses_body("too long", "too-large", of_length(length)).await;
    }
    // The longest that can count: blanks in the document until the body is full.
    let mut document = target.signable();
    let mut orders = target.orders(&target.pharmacy.identity().sign(&document).unwrap());
    let room = LONGEST - orders[0].body.to_string().len();
    document.resize(document.len() + room / 4 * 3 - 8, b' ');
    orders = target.orders(&target.pharmacy.identity().sign(&document).unwrap());
    let [order, ..] = &orders;
    let length = order.body.to_string().len();
    assert!((LONGEST - 64..=LONGEST).contains(&length), "{length}");
    let Target { pharmacy, held, .. } = &target;
    let done = pharmacy.send(order).await.expect(200);
    assert_eq!((done.id(), &done.body["status"]), (*held, &json!("COMPLETED")));
    let again = Order { key: order.key.clone(), ..Order::processing(*held, b"") };
    pharmacy.send(&again).await.refused(400, "signature-count");
}
