//! The settings that decide, which every instance must share.

use std::time::Duration;

use dispense_domain::{Deviation, Money, Switch, Terms};
use rust_decimal::Decimal;

use super::{Reader, duration};

/// Reads them; what is wrong is noted in the reader.
pub(crate) fn read(from: &mut Reader) -> Option<Terms> {
    let zone = from.value("TIME_ZONE", |name| name.parse().ok());
    let hold_lasts = from.value("MEDICATION_DISPENSE_EXPIRATION", hold_lasts);
    let types = from.value("MEDICATION_DISPENSE_LEGAL_ENTITY_TYPES", words);
    let in_parts = from.value("MULTI_DISPENSE_WITHOUT_PROGRAM", |text| text.parse().ok());
    let dls = from.value("DISPENSE_DIVISION_DLS_VERIFY", switch);
    let provision = from.value("MEDICAL_PROGRAM_PROVISION_VERIFY", switch);
    let nhs = from.value("LEGAL_ENTITY_NHS_VERIFY", switch);
    let deviation = from.value("DEVIATION", deviation);
    let tolerance = from.value("TOLERANCE", money);
    Some(Terms {
        zone: zone?,
        hold_lasts: hold_lasts?,
        legal_entity_types: types?,
        multi_dispense_without_program: in_parts?,
        division_dls_verify: dls?,
        program_provision_verify: provision?,
        legal_entity_nhs_verify: nhs?,
        deviation: deviation?,
        tolerance: tolerance?,
    })
}

/// The settings in force, as a file would have them: what means the same is written alike, so that
/// instances can be compared.
pub(crate) fn written(terms: &Terms) -> String {
    let Terms {
        zone,
        hold_lasts,
        legal_entity_types,
        multi_dispense_without_program,
        division_dls_verify,
        program_provision_verify,
        legal_entity_nhs_verify,
        deviation,
        tolerance,
    } = terms;
    let hold_lasts = match hold_lasts.subsec_millis() {
        0 => format!("{}s", hold_lasts.as_secs()),
        _ => format!("{}ms", hold_lasts.as_millis()),
    };
    let settings = [
        ("TIME_ZONE", zone.to_string()),
        ("MEDICATION_DISPENSE_EXPIRATION", hold_lasts),
        ("MEDICATION_DISPENSE_LEGAL_ENTITY_TYPES", legal_entity_types.join(",")),
        ("MULTI_DISPENSE_WITHOUT_PROGRAM", multi_dispense_without_program.to_string()),
        ("DISPENSE_DIVISION_DLS_VERIFY", division_dls_verify.is_on().to_string()),
        ("MEDICAL_PROGRAM_PROVISION_VERIFY", program_provision_verify.is_on().to_string()),
        ("LEGAL_ENTITY_NHS_VERIFY", legal_entity_nhs_verify.is_on().to_string()),
        ("DEVIATION", deviation.decimal().normalize().to_string()),
        ("TOLERANCE", tolerance.decimal().normalize().to_string()),
    ];
    settings.map(|(name, value)| format!("{name}={value}")).join(" ")
}

/// Words with commas between; at least one.
fn words(text: &str) -> Option<Vec<String>> {
    let words: Vec<String> = text.split(',').map(|word| word.trim().to_owned()).collect();
    words.iter().all(|word| !word.is_empty()).then_some(words)
}

/// Whole minutes, or a duration; from a second to a day.
fn hold_lasts(text: &str) -> Option<Duration> {
    let span = match text.parse::<u64>() {
        Ok(minutes) => Duration::from_secs(minutes.checked_mul(60)?),
        Err(_) => duration(text)?,
    };
    (Duration::from_secs(1)..=Duration::from_hours(24)).contains(&span).then_some(span)
}

fn switch(text: &str) -> Option<Switch> {
    match text {
        "true" => Some(Switch::On),
        "false" => Some(Switch::Off),
        _ => None,
    }
}

fn deviation(text: &str) -> Option<Deviation> {
    decimal(text)?.try_into().ok()
}

fn money(text: &str) -> Option<Money> {
    decimal(text)?.try_into().ok()
}

/// Digits, and a point among them: a comma or a blank may mean a thousand, and is not guessed at.
fn decimal(text: &str) -> Option<Decimal> {
    let plain = text.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    plain.then(|| Decimal::from_str_exact(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read from a file with these lines.
    fn terms(settings: &str) -> Result<Terms, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), settings).unwrap();
        let mut reader = Reader::open(Some(file.path())).unwrap();
        let terms = read(&mut reader);
        match reader.mistakes() {
            None => Ok(terms.unwrap()),
            Some(mistakes) => Err(mistakes.to_string()),
        }
    }

    #[test]
    fn what_is_not_set_is_as_the_rules_have_it() {
        assert_eq!(terms(""), Ok(Terms::default()));
    }

    #[test]
    fn what_is_set_is_read_exactly() {
        let read = terms(
            "DISPENSE_DIVISION_DLS_VERIFY=true\nMEDICAL_PROGRAM_PROVISION_VERIFY=true\n\
             LEGAL_ENTITY_NHS_VERIFY=true\nDEVIATION=0.29\nTOLERANCE=0.0001\n",
        );
        let expected = Terms {
            division_dls_verify: Switch::On,
            program_provision_verify: Switch::On,
            legal_entity_nhs_verify: Switch::On,
            deviation: Decimal::new(29, 2).try_into().unwrap(),
            tolerance: Decimal::new(1, 4).try_into().unwrap(),
            ..Terms::default()
        };
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn what_is_in_force_is_written_as_it_is_read() {
        assert_eq!(
            written(&Terms::default()),
            "TIME_ZONE=Europe/Kyiv MEDICATION_DISPENSE_EXPIRATION=600s \
             MEDICATION_DISPENSE_LEGAL_ENTITY_TYPES=PHARMACY,MSP_PHARMACY \
             MULTI_DISPENSE_WITHOUT_PROGRAM=false DISPENSE_DIVISION_DLS_VERIFY=false \
             MEDICAL_PROGRAM_PROVISION_VERIFY=false LEGAL_ENTITY_NHS_VERIFY=false DEVIATION=0.1 \
             TOLERANCE=0.01"
        );
        let other = Terms {
            zone: chrono_tz::Tz::UTC,
            hold_lasts: Duration::from_millis(1_500),
            legal_entity_types: vec!["MSP".to_owned()],
            multi_dispense_without_program: true,
            division_dls_verify: Switch::On,
            program_provision_verify: Switch::On,
            legal_entity_nhs_verify: Switch::On,
            deviation: Decimal::new(29, 2).try_into().unwrap(),
            tolerance: Decimal::new(1, 4).try_into().unwrap(),
        };
        assert_eq!(terms(&written(&other).replace(' ', "\n")), Ok(other));
    }

    #[test]
    fn what_means_the_same_is_written_alike() {
        let settings = [
            "DEVIATION=0.10\nMEDICATION_DISPENSE_EXPIRATION=5",
            "DEVIATION=0.1\n\
             MEDICATION_DISPENSE_EXPIRATION=300s",
        ];
        let [one, other] = settings.map(|it| written(&terms(it).unwrap()));
        assert_eq!(one, other);
    }

    #[test]
    fn the_bounds_of_shares_and_amounts_belong_to_them() {
        for good in ["DEVIATION=0", "DEVIATION=1.00", "DEVIATION=0.100", "TOLERANCE=999999999.9999"]
        {
            assert!(terms(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn every_mistake_is_told_with_what_is_expected() {
        let wrong = [
            ("DISPENSE_DIVISION_DLS_VERIFY", ["on", "True", "1"]),
            ("MEDICAL_PROGRAM_PROVISION_VERIFY", ["yes", "FALSE", "0"]),
            ("LEGAL_ENTITY_NHS_VERIFY", ["off", "t", "null"]),
            ("DEVIATION", ["0.125", "1.01", "-0.1"]),
            ("DEVIATION", ["10%", "0,1", "1e-1"]),
            ("TOLERANCE", ["0.00001", "1000000000", "-0.01"]),
            ("TOLERANCE", ["1_000", "0,01", "."]),
        ];
        for (name, values) in wrong {
            for value in values {
                let told = terms(&format!("{name}={value}")).unwrap_err();
                let found = format!("but found `{value}`");
                let line = told.lines().find(|line| line.contains(&format!("{name}: expected")));
                assert!(line.is_some_and(|line| line.ends_with(&found)), "{told}");
            }
        }
    }

    #[test]
    fn all_mistakes_are_told_together() {
        let told = terms("DEVIATION=2\nTOLERANCE=-1\nLEGAL_ENTITY_NHS_VERIFY=maybe\n").unwrap_err();
        for name in ["DEVIATION", "TOLERANCE", "LEGAL_ENTITY_NHS_VERIFY"] {
            assert!(told.contains(name), "{told}");
        }
    }
}
