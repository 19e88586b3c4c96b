//! The rules of dispensing: given events, when a command, then events or refusals.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod aggregate;
mod asker;
mod cancel;
mod care;
mod content;
mod contracts;
mod divisible;
mod expire;
mod explain;
mod golden;
mod hand_over;
mod hole_properties;
mod holes;
mod ids;
mod items;
mod licences;
mod no_personal_data;
mod numbers;
mod odd_registries;
mod participants;
mod patient;
mod payment;
mod personal;
mod precedence;
mod price;
mod price_properties;
mod process;
mod program;
mod properties;
mod provisions;
mod qualified;
mod qualify;
mod qualify_property;
mod qualify_texts;
mod quantity;
mod recorded;
mod records;
mod replay;
mod request;
mod sample;
mod skip_sign;
mod texts;
mod time;
mod vectors;
