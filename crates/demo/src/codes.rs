//! Codes of companies and persons, numbers of papers and telephones.
//!
//! They have the form of real ones. Company codes and tax ids end in a check digit that is wrong on
//! purpose, so that none of them can belong to anybody.

use chrono::NaiveDate;

use crate::names::Identity;
use crate::seed::{Draw, Seed};

/// The letters of numbers that people read to each other; those that look alike are left out.
const ALPHABET: &[u8; 18] = b"0123456789AEHKMPTX";

/// How many numbers twelve of these letters can tell apart.
const NUMBERS: u64 = 18_u64.pow(12);

/// The `n`-th number of a series, `0000-XXXX-XXXX-XXXX`. No two of a series are equal.
pub(crate) fn number(seed: &Seed, series: &str, n: u32) -> String {
    // A multiplier without a factor in common with 18 visits every number once.
    const STEP: u64 = 741_455_214_893_657;
    let place = u128::from(n) * u128::from(STEP) + u128::from(seed.offset(series, NUMBERS));
    let mut rest = place % u128::from(NUMBERS);
    let mut letters = String::from("0000");
    for i in 0..12 {
        if i % 4 == 0 {
            letters.push('-');
        }
        letters.push(char::from(ALPHABET[usize::try_from(rest % 18).unwrap_or_default()]));
        rest /= 18;
    }
    letters
}

/// The code of the `n`-th company. No two are equal.
pub(crate) fn edrpou(seed: &Seed, n: u32) -> String {
    let place = (u64::from(n) * 7_919 + seed.offset("edrpou", 900_000)) % 900_000;
    let digits = format!("{}", 3_100_000 + place);
    let sum = |weights: [u32; 7]| -> u32 { weighted(&digits, &weights) % 11 };
    let mut check = sum([7, 1, 2, 3, 4, 5, 6]);
    if check > 9 {
        check = sum([9, 3, 4, 5, 6, 7, 8]) % 10;
    }
    format!("{digits}{}", (check + 5) % 10)
}

/// A tax id: the day of birth, a running number whose parity says man or woman, a check digit.
pub(crate) fn tax_id(person: &Identity, draw: &mut Draw) -> String {
    let first_day = NaiveDate::from_ymd_opt(1899, 12, 31).unwrap_or_default();
    let days = (person.birth_date - first_day).num_days();
    let running = draw.below(4_999) * 2 + u32::from(!person.female);
    let digits = format!("{days:05}{running:04}");
    // The first weight of the rule is -1, which is 10 modulo 11.
    let check = weighted(&digits, &[10, 5, 7, 9, 4, 6, 10, 5, 7]) % 11 % 10;
    format!("{digits}{}", (check + 5) % 10)
}

fn weighted(digits: &str, weights: &[u32]) -> u32 {
    digits.chars().filter_map(|digit| digit.to_digit(10)).zip(weights).map(|(d, w)| d * w).sum()
}

/// A telephone in a town; no town has numbers that begin with a zero.
pub(crate) fn landline(town_code: &str, draw: &mut Draw) -> String {
    let digits = 8 - town_code.len();
    let number = format!("{:08}", draw.below(100_000_000));
    format!("+380{town_code}0{}", &number[..digits])
}

/// A mobile telephone.
pub(crate) fn mobile(draw: &mut Draw) -> String {
    let operator = draw.one_of(&["50", "63", "66", "67", "68", "73", "93", "95", "97", "98"]);
    format!("+380{operator}000{:04}", draw.below(10_000))
}

/// Two letters and digits, as on a licence.
pub(crate) fn licence_number(draw: &mut Draw) -> String {
    format!("{}{:06}", draw.one_of(&["АЕ", "АВ", "АГ", "АД"]), draw.below(1_000_000))
}
