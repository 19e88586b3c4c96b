//! Rule 9.1: what a pharmacist signs is what is dispensed.
//!
//! Signed is the register's document of the dispense as it was when the hold was made, plus what
//! the patient paid. Everything but the payment must equal the service's own document by value.

mod schema;
mod tree;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::{Digest, Money, Text};
use tree::{NoTree, Number, Tree};

/// A document that was signed, after a look at it.
#[derive(Debug, Clone)]
pub struct SignedContent {
    /// Digest of its value: of the same document, however it is written, and whichever of the
    /// service's own was signed.
    pub digest: Digest,
    /// Where it does not match the schema, in the order in which that is told.
    pub faults: Vec<ContentFault>,
    /// Where something else than the payment differs from the document of the dispense: the path of
    /// the first place. None if it is that document.
    pub difference: Option<String>,
    /// What the patient paid.
    pub payment_amount: Option<Money>,
    /// Receipt number.
    pub payment_id: Option<Text>,
}

/// A place where a document does not match its schema.
#[derive(Debug, Clone, PartialEq)]
pub struct ContentFault {
    /// JSON path, as `$.payment_amount`.
    pub path: String,
    /// The kind of violation: `required`, `cast`, `number`, `schema`, `format`, `inclusion`.
    pub rule: &'static str,
    /// What is wrong, in the words of the register's schema library.
    pub message: String,
    /// The values that matter.
    pub params: Map<String, Value>,
}

/// Whether the document must say what the patient paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountPaid {
    /// It must.
    Required,
    /// It may: the program is funded by somebody else than the payer (K-13).
    Optional,
}

impl SignedContent {
    /// Looks at a document. `own` are the service's documents of the dispense; any of them may have
    /// been signed.
    #[must_use]
    pub fn examine(document: &[u8], own: &[&str], amount: AmountPaid) -> Self {
        let nothing = |digest, fault| Self {
            digest,
            faults: vec![fault],
            difference: Some("$".to_owned()),
            payment_amount: None,
            payment_id: None,
        };
        let tree = match Tree::read(document) {
            Ok(tree) => tree,
            Err(why) => return nothing(Digest::of(&[document]), no_tree(why)),
        };
        let digest = Digest::of(&[tree.canonical().as_bytes()]);
        let Tree::Object(mut members) = tree else {
            return nothing(digest, ContentFault::cast("$".to_owned(), "object", tree.type_name()));
        };
        let faults = schema::faults(&members, amount);
        let paid = [members.remove("payment_amount"), members.remove("payment_id")];
        let payment_amount = paid[0].as_ref().and_then(money);
        let payment_id = paid[1].as_ref().and_then(text);
        let signed = Tree::Object(members);
        let own: Vec<Tree> = own.iter().filter_map(|own| unpaid(own)).collect();
        let difference = match own.first() {
            Some(_) if own.contains(&signed) => None,
            Some(whole) => Some(signed.difference(whole).unwrap_or_else(|| "$".to_owned())),
            None => Some("$".to_owned()),
        };
        // Of our own document only the payment is new, wherever and however it was read.
        let digest = match (own.first(), &difference) {
            (Some(whole), None) => {
                let paid = paid.map(|it| it.unwrap_or(Tree::Null).canonical());
                Digest::of(&[whole.canonical().as_bytes(), paid[0].as_bytes(), paid[1].as_bytes()])
            }
            _ => digest,
        };
        Self { digest, faults, difference, payment_amount, payment_id }
    }
}

/// A document of ours without its payment.
fn unpaid(own: &str) -> Option<Tree> {
    let Ok(Tree::Object(mut own)) = Tree::read(own.as_bytes()) else { return None };
    own.remove("payment_amount");
    own.remove("payment_id");
    Some(Tree::Object(own))
}

fn no_tree(why: NoTree) -> ContentFault {
    let message = match why {
        NoTree::NotJson => "expected the signed content to be one JSON object",
        NoTree::Repeated => "a property is present more than once",
    };
    ContentFault::new("$.content".to_owned(), "format", message)
}

fn money(value: &Tree) -> Option<Money> {
    match value {
        Tree::Number(Number::Exact(number)) => Money::try_from(*number).ok(),
        _ => None,
    }
}

fn text(value: &Tree) -> Option<Text> {
    match value {
        Tree::Text(text) => Text::try_from(text.as_str()).ok(),
        _ => None,
    }
}

impl ContentFault {
    fn new(path: String, rule: &'static str, message: impl Into<String>) -> Self {
        Self { path, rule, message: message.into(), params: Map::new() }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    fn required(name: &str) -> Self {
        let message = format!("required property {name} was not present");
        Self::new(format!("$.{name}"), "required", message)
    }

    fn cast(path: String, expected: &str, actual: &str) -> Self {
        let message = format!("type mismatch. Expected {expected} but got {actual}");
        Self::new(path, "cast", message).with("expected", expected).with("actual", actual)
    }

    fn unknown(path: String) -> Self {
        Self::new(path, "schema", "schema does not allow additional properties")
    }

    fn no_money(path: String, number: Decimal) -> Self {
        if number.is_sign_negative() {
            return Self::new(path, "number", "expected the value to be >= 0")
                .with("greater_than_or_equal_to", 0);
        }
        let (limit, scale) = (Money::LIMIT, Money::SCALE);
        let message =
            format!("expected the value to be < {limit}, with at most {scale} decimal places");
        Self::new(path, "number", message).with("less_than", limit).with("decimal_places", scale)
    }
}
