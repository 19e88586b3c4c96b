//! Numbers and strings that may reach the log, both sides of every limit.

use dispense_domain::{
    Carried, InvalidMoney, InvalidQuantity, InvalidText, LongText, Money, Quantity, Remaining,
    Text, exact, exact_option, json_number,
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn json_numbers_are_read_exactly() {
    for (text, value) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("-0e5", "0"),
        ("0e999999999", "0"),
        ("0e-999999999", "0"),
        ("60", "60"),
        ("-1", "-1"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1e+3", "1000"),
        ("1E-2", "0.01"),
        ("1.5e1", "15"),
        ("100e-2", "1"),
        ("1e0", "1"),
        ("1.50000", "1.5"),
        ("0.00001", "0.00001"),
        ("9999999.9999", "9999999.9999"),
        ("1e28", "10000000000000000000000000000"),
        ("1e-28", "0.0000000000000000000000000001"),
        ("1200e-29", "0.000000000000000000000000012"),
        ("0.0120e5", "1200"),
        ("79228162514264337593543950335", "79228162514264337593543950335"),
    ] {
        assert_eq!(json_number(text), Some(decimal(value)), "{text}");
        assert_eq!(json_number(text).unwrap().to_string(), value, "{text}");
    }
}

#[test]
fn what_no_decimal_equals_is_no_number() {
    let sixty_four = "1".repeat(64);
    let zeros = format!("1.{}", "0".repeat(63));
    for text in [
        "1e400",
        "1e-400",
        "-1e400",
        "1e29",
        "1e-29",
        "1e2147483647",
        "1e-2147483648",
        "1e99999999999",
        "79228162514264337593543950336",
        "0.00000000000000000000000000001",
        &sixty_four,
        &zeros,
        "",
        "e",
        "1e",
        "e1",
        "NaN",
        "Infinity",
        "abc",
        "1.2.3",
    ] {
        assert_eq!(json_number(text), None, "{text}");
    }
    // The longest text that is looked at.
    assert_eq!(json_number(&format!("0e{}", "0".repeat(62))), Some(Decimal::ZERO));
    assert_eq!(json_number(&format!("0e{}", "0".repeat(63))), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever way it is written, a number is what it is.
    #[test]
    fn a_number_survives_every_way_to_write_it(mantissa in -1_000_000_000_000_000..1_000_000_000_000_000_i64, scale in 0..9u32) {
        let number = Decimal::new(mantissa, scale).normalize();
        prop_assert_eq!(json_number(&number.to_string()), Some(number));
        prop_assert_eq!(json_number(&format!("{mantissa}e-{scale}")), Some(number));
        prop_assert_eq!(json_number(&format!("{mantissa}00E-{}", scale + 2)), Some(number));
        prop_assert_eq!(json_number(&format!("{number:.12}")), Some(number));
    }

    /// Nothing that a caller can send makes it panic.
    #[test]
    fn no_text_is_too_strange(text in "[-+0-9.eE_]{0,70}") {
        let _ = json_number(&text);
    }
}

#[test]
fn quantities_are_positive_below_ten_million_and_four_places_fine() {
    let of = |text: &str| Quantity::try_from(decimal(text)).map(|it| it.to_string());
    assert_eq!(of("0.0001"), Ok("0.0001".to_owned()));
    assert_eq!(of("9999999.9999"), Ok("9999999.9999".to_owned()));
    assert_eq!(of("50.0000000"), Ok("50".to_owned()), "zeros at the end say nothing");
    assert_eq!(of("0"), Err(InvalidQuantity::NotPositive));
    assert_eq!(of("-0"), Err(InvalidQuantity::NotPositive));
    assert_eq!(of("-1"), Err(InvalidQuantity::NotPositive));
    assert_eq!(of("10000000"), Err(InvalidQuantity::TooLarge));
    assert_eq!(of("0.00001"), Err(InvalidQuantity::TooFine));
    assert_eq!(InvalidQuantity::NotPositive.to_string(), "expected the value to be > 0");
}

#[test]
fn what_is_left_may_be_nothing_but_never_less() {
    let of = |text: &str| Remaining::try_from(decimal(text)).map(|it| it.to_string());
    assert_eq!(of("0"), Ok("0".to_owned()));
    assert_eq!(of("-0.0001"), Err(InvalidQuantity::Negative));
    assert_eq!(of("10000000"), Err(InvalidQuantity::TooLarge));
    let sixty = Quantity::try_from(decimal("60")).unwrap();
    assert_eq!(Remaining::after(sixty, decimal("59.9999")).to_string(), "0.0001");
    assert!(Remaining::after(sixty, decimal("60.00")).is_nothing());
    assert_eq!(Remaining::after(sixty, Decimal::MAX), Remaining::NOTHING);
}

#[test]
fn money_is_not_negative_below_a_thousand_million_and_four_places_fine() {
    let of = |text: &str| Money::try_from(decimal(text)).map(|it| it.to_string());
    assert_eq!(of("0"), Ok("0".to_owned()));
    assert_eq!(of("-0.00"), Ok("0".to_owned()));
    assert_eq!(of("999999999.9999"), Ok("999999999.9999".to_owned()));
    assert_eq!(of("136.50"), Ok("136.5".to_owned()));
    assert_eq!(of("-0.0001"), Err(InvalidMoney::Negative));
    assert_eq!(of("1000000000"), Err(InvalidMoney::TooLarge));
    assert_eq!(of("0.00001"), Err(InvalidMoney::TooFine));
    assert_eq!(InvalidMoney::Negative.to_string(), "expected the value to be >= 0");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Amounts {
    #[serde(with = "exact")]
    quantity: Quantity,
    #[serde(default, with = "exact_option")]
    money: Option<Money>,
}

fn amounts(text: &str) -> Result<Amounts, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn amounts_cross_json_without_a_float_between() {
    for (text, written) in [
        (r#"{"quantity":50.0,"money":49.68}"#, r#"{"quantity":50,"money":49.68}"#),
        (r#"{"quantity":1e3,"money":null}"#, r#"{"quantity":1000,"money":null}"#),
        (r#"{"quantity":0.1}"#, r#"{"quantity":0.1,"money":null}"#),
        (r#"{"quantity":9999999.9999}"#, r#"{"quantity":9999999.9999,"money":null}"#),
    ] {
        assert_eq!(serde_json::to_string(&amounts(text).unwrap()).unwrap(), written);
    }
    for (text, reason) in [
        (r#"{"quantity":"50"}"#, "expected a number but got \"50\""),
        (r#"{"quantity":null}"#, "expected a number but got null"),
        (r#"{"quantity":{}}"#, "expected a number but got {}"),
        (r#"{"quantity":1e400}"#, "1e400 is out of range"),
        (r#"{"quantity":0}"#, "expected the value to be > 0"),
        (r#"{"quantity":0.00001}"#, "expected at most 4 decimal places"),
        (r#"{"quantity":1,"money":true}"#, "expected a number but got true"),
        (r#"{"quantity":1,"money":-1}"#, "expected the value to be >= 0"),
    ] {
        let error = amounts(text).unwrap_err();
        assert!(error.starts_with(reason), "{text}: {error}");
    }
}

#[test]
fn strings_are_brought_into_one_form() {
    let decomposed = "Cafe\u{301}";
    assert_eq!(Text::<255>::try_from(decomposed).unwrap().as_str(), "Caf\u{e9}");
    assert_eq!(Text::<255>::try_from("Ковал\u{44c}").unwrap().as_str(), "Коваль");
}

#[test]
fn strings_have_one_to_so_many_characters_whatever_their_bytes() {
    assert_eq!(Text::<255>::try_from(""), Err(InvalidText::Empty));
    for letter in ["a", "ї", "薬", "💊"] {
        assert!(Text::<255>::try_from(letter.repeat(255)).is_ok(), "{letter}");
        let error = Text::<255>::try_from(letter.repeat(256)).unwrap_err();
        assert_eq!(error, InvalidText::TooLong { most: 255, actual: 256 });
        assert_eq!(error.to_string(), "expected at most 255 characters but got 256");
        assert!(LongText::try_from(letter.repeat(1000)).is_ok(), "{letter}");
        assert!(LongText::try_from(letter.repeat(1001)).is_err(), "{letter}");
    }
    // Counted after they were brought into one form.
    assert!(Text::<255>::try_from("e\u{301}".repeat(255)).is_ok());
}

#[test]
fn control_characters_are_refused_wherever_they_stand() {
    for bad in ['\0', '\t', '\n', '\r', '\u{1b}', '\u{1f}', '\u{7f}', '\u{80}', '\u{85}', '\u{9f}']
    {
        for string in [format!("{bad}ab"), format!("a{bad}b"), format!("ab{bad}"), bad.to_string()]
        {
            let control = InvalidText::Control(bad.into());
            assert_eq!(Text::<255>::try_from(string.as_str()), Err(control.clone()));
            assert_eq!(Carried::try_from(json!(string)), Err(control.clone()));
            assert_eq!(Carried::try_from(json!([{"a": [string]}])), Err(control.clone()));
            assert_eq!(Carried::try_from(json!({string: 1})), Err(control));
        }
    }
    for good in [" ", "~", "\u{a0}", "\u{2028}", "\u{fffd}", "\u{10ffff}"] {
        assert!(Text::<255>::try_from(good).is_ok(), "{good:?}");
    }
}

#[test]
fn strings_are_judged_when_they_are_read() {
    assert!(serde_json::from_value::<Text>(json!("Siofor")).is_ok());
    for bad in [json!(""), json!("a\u{0}"), json!(1), json!(null), json!("x".repeat(256))] {
        assert!(serde_json::from_value::<Text>(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn what_is_carried_comes_out_as_it_went_in() {
    let value = json!({
        "text": "one tablet", "empty": "", "nothing": null, "yes": true, "number": 1.5,
        "list": [1, "two", {"three": []}]
    });
    let carried = Carried::try_from(value.clone()).unwrap();
    assert_eq!(carried.value(), &value);
    assert_eq!(*carried.value(), value);
}

#[test]
fn strings_that_are_carried_obey_the_same_rules() {
    let carried = Carried::try_from(json!({"Cafe\u{301}": "Cafe\u{301}"})).unwrap();
    assert_eq!(carried.value(), &json!({"Caf\u{e9}": "Caf\u{e9}"}));
    assert!(Carried::try_from(json!(["ї".repeat(1000)])).is_ok());
    assert!(Carried::try_from(json!(["ї".repeat(1001)])).is_err());
}
