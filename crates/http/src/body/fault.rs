//! What is wrong with one member, in the words of the register's schema library.

use std::borrow::Cow;
use std::fmt::Display;

use dispense_domain::{InvalidMoney, InvalidQuantity, InvalidText};

use crate::problem::Param;

/// What is wrong with one member.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The kind of violation.
    pub(crate) rule: &'static str,
    /// What is wrong and what would be right.
    pub(crate) message: Cow<'static, str>,
    /// The values that matter.
    pub(crate) params: Vec<(&'static str, Param)>,
}

impl Fault {
    fn new(rule: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { rule, message: message.into(), params: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<Param>) -> Self {
        self.params.push((name, value.into()));
        self
    }

    /// The member is missing.
    pub(crate) fn required(name: &str) -> Self {
        Self::new("required", format!("required property {name} was not present"))
    }

    /// The value is of another type.
    pub(crate) fn cast(expected: &str, actual: &str) -> Self {
        Self::new("cast", format!("type mismatch. Expected {expected} but got {actual}"))
            .with("expected", Param::text(expected))
            .with("actual", Param::text(actual))
    }

    /// As it reads for a value that may be of that type too.
    pub(crate) fn or(self, kind: &str) -> Self {
        match self.params.as_slice() {
            [(_, Param::Text(expected)), (_, Param::Text(actual))] if self.rule == "cast" => {
                Self::cast(&format!("{expected}, {kind}"), actual)
            }
            _ => self,
        }
    }

    /// The member is not known.
    pub(crate) fn unknown_member() -> Self {
        Self::new("schema", "schema does not allow additional properties")
    }

    /// The member is there more than once.
    pub(crate) fn repeated(name: &str) -> Self {
        Self::new("schema", format!("property {name} is present more than once"))
    }

    /// The text has another form.
    pub(crate) fn format(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("format", message)
    }

    /// The text does not match a pattern.
    pub(crate) fn pattern(pattern: &'static str) -> Self {
        Self::format(format!("string does not match pattern \"{pattern}\""))
    }

    /// The text is none of these, which alone may stand here.
    pub(crate) fn not_in_enum<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let values = values.into_iter().map(str::to_owned).collect();
        Self::new("inclusion", "value is not allowed in enum").with("values", Param::List(values))
    }

    /// The list has too few items, or too many.
    pub(crate) fn count(least: usize, most: usize, actual: usize) -> Self {
        if actual < least {
            Self::new("length", format!("expected a minimum of {least} items but got {actual}"))
                .with("min", least)
        } else {
            Self::new("length", format!("expected a maximum of {most} items but got {actual}"))
                .with("max", most)
        }
        .with("actual", actual)
    }

    /// The number is zero or less.
    pub(crate) fn not_positive() -> Self {
        Self::new("number", "expected the value to be > 0").with("greater_than", 0_u32)
    }

    /// The number is less than zero.
    fn negative() -> Self {
        Self::new("number", "expected the value to be >= 0").with("greater_than_or_equal_to", 0_u32)
    }

    /// The number is less than that.
    pub(crate) fn at_least(bound: u64) -> Self {
        Self::new("number", format!("expected the value to be >= {bound}"))
            .with("greater_than_or_equal_to", Param::Number(bound.into()))
    }

    /// The number is more than that.
    pub(crate) fn at_most(bound: u64) -> Self {
        Self::new("number", format!("expected the value to be <= {bound}"))
            .with("less_than_or_equal_to", Param::Number(bound.into()))
    }

    /// The end of a range lies before its beginning.
    pub(crate) fn before(beginning: &impl Display) -> Self {
        let beginning = beginning.to_string();
        Self::new("inclusion", format!("expected {beginning} or later, where the range begins"))
            .with("from", Param::Text(beginning))
    }

    /// No amount is equal to the number: too great by far, or too fine.
    pub(crate) fn no_amount(limit: u32, places: u32) -> Self {
        let message =
            format!("expected the value to be < {limit}, with at most {places} decimal places");
        Self::new("number", message).with("less_than", limit).with("decimal_places", places)
    }
}

impl From<InvalidText> for Fault {
    fn from(invalid: InvalidText) -> Self {
        let message = invalid.to_string();
        match invalid {
            InvalidText::Empty => Self::new("length", message).with("min", 1_u32),
            InvalidText::TooLong { most, actual } => {
                Self::new("length", message).with("max", most).with("actual", actual)
            }
            InvalidText::Control(_) => Self::format(message),
        }
    }
}

impl From<InvalidQuantity> for Fault {
    fn from(invalid: InvalidQuantity) -> Self {
        use dispense_domain::Quantity;
        let message = invalid.to_string();
        match invalid {
            InvalidQuantity::NotPositive => Self::not_positive(),
            InvalidQuantity::Negative => Self::negative(),
            InvalidQuantity::TooLarge => {
                Self::new("number", message).with("less_than", Quantity::LIMIT)
            }
            InvalidQuantity::TooFine => {
                Self::new("number", message).with("decimal_places", Quantity::SCALE)
            }
        }
    }
}

impl From<InvalidMoney> for Fault {
    fn from(invalid: InvalidMoney) -> Self {
        use dispense_domain::Money;
        let message = invalid.to_string();
        match invalid {
            InvalidMoney::Negative => Self::negative(),
            InvalidMoney::TooLarge => Self::new("number", message).with("less_than", Money::LIMIT),
            InvalidMoney::TooFine => {
                Self::new("number", message).with("decimal_places", Money::SCALE)
            }
        }
    }
}
