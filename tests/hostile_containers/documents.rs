//! Documents that are signed as they have to be.

use super::Target;
use crate::harness::{Order, PAID};

const SCHEMA: &str = "schema";
const MISMATCH: &str = "content-mismatch";

impl Target {
    fn signed(&self, document: &[u8]) -> Vec<u8> {
        self.pharmacy.identity().sign(document).unwrap()
    }

    /// The document, with that text in place of the amount that was paid.
    fn paying(&self, amount: &str) -> Vec<u8> {
        self.with("payment_amount", amount)
    }

    /// The document, with that text as the value of a member.
    fn with(&self, name: &str, value: &str) -> Vec<u8> {
        let mut document = PAID.in_document(&self.document);
        document.as_object_mut().unwrap().remove(name);
        let text = document.to_string();
        format!(r#"{{"{name}":{value},{}"#, &text[1..]).into_bytes()
    }
}

/// Members that no document has.
fn unknown_members() -> String {
    (0..15_000).fold(String::new(), |members, n| members + &format!(r#""m{n}":1,"#))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_but_not_the_document_is_refused() {
    let target = Target::new().await;
    let whole = target.signable();
    let text = String::from_utf8(whole.clone()).unwrap();
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let members = unknown_members();
    let more = format!("{{{members}{}", &text[1..]).into_bytes();
    let double = text.replace(r#""medication_qty":10"#, r#""medication_qty":20"#).into_bytes();
    let long_name = "n".repeat(100_000);
    let none: &[(&str, &[u8])] = &[
        ("nothing", b""),
        ("a word", b"yes"),
        ("null", b"null"),
        ("a list", b"[]"),
        ("a number", b"1e400"),
        ("another container", &target.signed(&whole)),
        ("half of it", &whole[..whole.len() / 2]),
        ("two of it", &[&whole[..], &whole].concat()),
        ("something behind it", &[&whole[..], b"\0"].concat()),
        ("a mark in front", &[b"\xef\xbb\xbf", &whole[..]].concat()),
        ("UTF-16", &utf_16),
        ("no UTF-8", b"{\"id\":\"\xff\"}"),
        ("32 levels", &target.with("note", &deep(32))),
        ("many levels", &target.with("note", &deep(90_000))),
        ("a member twice", &target.with("status\":\"NEW\",\"status", r#""NEW""#)),
        ("a member twice, escaped", &target.with(r"\u0073tatus", r#""NEW""#)),
        ("a lone surrogate", &target.with("payment_id", r#""\ud800""#)),
        ("a lone surrogate as a name", &target.with(r"\udfff", "1")),
        ("NUL", &target.with("payment_id", r#""\u0000""#)),
        ("NUL, as it is", &target.with("payment_id", "\"\0\"")),
        ("an amount without bounds", &target.paying("1e400")),
        ("an amount next to nothing", &target.paying("1e-400")),
        ("an amount with an odd exponent", &target.paying("1e99999999999999999999")),
        ("an amount of many digits", &target.paying(&"9".repeat(100_000))),
        ("an amount below zero", &target.paying("-1")),
        ("an amount as a text", &target.paying(r#""20""#)),
        ("no amount", &target.paying("null")),
        ("more members", &more),
        ("a long name", &target.with(&long_name, "1")),
        ("another status", &target.with("status", r#""PROCESSED""#)),
    ];
    for (what, document) in none {
        target.refuses(what, &target.signed(document), SCHEMA).await;
    }
    let other: &[(&str, &[u8])] = &[
        ("another quantity", &double),
        ("another id", &target.with("id", r#""00000000-0000-4000-8000-000000000000""#)),
        ("a note with NUL", &target.with("note", r#""\u0000""#)),
    ];
    for (what, document) in other {
        assert_ne!(*document, whole, "{what}");
        target.refuses(what, &target.signed(document), MISMATCH).await;
    }
    target.unharmed().await;
}

/// Whatever is wrong with a document, the answer stays small.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_tells_only_so_much_of_what_is_wrong() {
    let target = Target::new().await;
    let members = unknown_members();
    let container = target.signed(format!("{{{members}\"id\":1}}").as_bytes());
    for order in target.orders(&container) {
        let answer = target.pharmacy.send(&order).await;
        assert_eq!(answer.code(), SCHEMA);
        assert!(answer.body.to_string().len() < 64 * 1024, "{}", answer.body);
    }
    // The same document with blanks in it is the same document.
    let roomy = serde_json::to_vec_pretty(&PAID.in_document(&target.document)).unwrap();
    let done = target.pharmacy.send(&Order::processing(target.held, &target.signed(&roomy))).await;
    assert_eq!(done.expect(200).body["status"], "COMPLETED");
}
