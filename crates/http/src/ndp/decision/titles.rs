//! What each rule asks for, in a few words of this API: true where the rule is kept.

/// The rules by their numbers, in their order.
const TITLES: &[(&str, &str)] = &[
    ("2", "The day of dispensing is possible"),
    ("3a", "The company exists"),
    ("3b", "The company is neither closed nor reorganised"),
    ("4a", "The company is active"),
    ("4b", "The company is verified by the payer, where that is asked for"),
    ("4c", "The company is of a type that may dispense"),
    ("5", "The user is linked with a person"),
    ("6a", "The prescription exists"),
    ("6b", "The prescription is active"),
    ("6c", "Today is one of the days of dispensing of the prescription"),
    ("6d", "All that the prescription points at is found"),
    ("7", "The prescription is not blocked"),
    ("8", "The prescription is an order, not a plan"),
    ("9", "The person has an approved job in the company"),
    ("10a", "The pharmacy exists"),
    ("10b", "The pharmacy is active"),
    ("10c", "The pharmacy belongs to the company"),
    ("10d", "The regulator has confirmed the pharmacy, where that is asked for"),
    ("11a", "The pharmacy has a licence of a type that the program asks for"),
    ("11b", "The pharmacy may produce, if it dispenses what it made itself"),
    ("12b", "A program is named, if the prescription has one"),
    ("12c", "The program exists"),
    ("12d", "The program is active"),
    ("12e", "The program is that of the prescription, or takes over from others"),
    ("13a", "The company has a contract for the program that is in force today"),
    ("13b", "The contract is not suspended"),
    ("13c", "The pharmacy takes part in the contract"),
    ("14", "The pharmacy provides the program, where that is asked for"),
    ("5.3", "Every price is stated, where the program asks for it"),
    ("15a", "Every medicine exists"),
    ("15b", "Every medicine is active"),
    ("15c", "Every medicine is of the dosage that was prescribed"),
    ("15d", "Every medicine takes part in the program"),
    ("15e", "Every medicine takes part in the program today, as it is named"),
    ("15e+", "No medicine is expired"),
    ("15f", "Every discount is within its bounds"),
    ("16a", "The code of the patient is right"),
    ("16b", "The care plan and its activity allow it"),
    ("16c", "The prescription qualifies for its program"),
    ("17", "Nobody holds medication on the prescription"),
    ("18", "Something is left of the prescription"),
    ("19", "The quantity is what is left, or a part of it where parts are allowed"),
    ("20", "Every quantity is a multiple of what can be divided"),
    ("21", "A payment is stated if no signature follows, and only then"),
    ("limit", "The prescription has room for another dispense"),
];

/// What the rule of that number asks for.
pub(super) fn title(rule: &'static str) -> &'static str {
    TITLES.iter().find(|(number, _)| *number == rule).map_or(rule, |(_, title)| *title)
}

#[cfg(test)]
mod tests {
    use dispense_domain::decide::create_hold;

    use super::*;

    #[test]
    fn every_rule_has_its_title_and_every_title_its_rule() {
        let titled = TITLES.iter().map(|(number, _)| *number);
        assert!(titled.eq(create_hold::order()));
    }
}
