//! Which names are settings, and which were meant to be.

use super::table::TABLE;

/// How names begin that a library or the system reads. A file of settings may be the environment of
/// something else too.
const FOREIGN: &[&str] = &["AWS_", "LC_", "OTEL_", "PG", "RUST_", "SSL_CERT_"];

/// Whole names of that kind.
const FOREIGN_NAMES: &[&str] = &["HOME", "LANG", "PATH", "TZ"];

/// How many letters at most are wrong in a name of the environment that was meant to be a setting.
/// There names of everybody stand, so fewer than in a file.
const MOST_WRONG: usize = 2;

/// Of how many letters of a name in a file one may be wrong.
const ONE_WRONG_OF: usize = 3;

/// Whether there is a setting of that name.
pub(super) fn is_setting(name: &str) -> bool {
    TABLE.iter().any(|setting| setting.name == name)
}

/// Whether somebody else reads that name.
fn is_foreign(name: &str) -> bool {
    FOREIGN_NAMES.contains(&name) || FOREIGN.iter().any(|begin| name.starts_with(begin))
}

/// What is wrong with a name in a file, if anything is.
pub(super) fn unknown(name: &str) -> Option<String> {
    if is_setting(name) || is_foreign(name) {
        return None;
    }
    let list = "`dispense serve --help` lists all";
    Some(match nearest(name, name.len() / ONE_WRONG_OF) {
        Some(meant) => format!("{name} is no setting; did you mean {meant}? {list}"),
        None => format!("{name} is no setting; {list}"),
    })
}

/// The setting that a name of the environment was probably meant to be, but is not.
pub(super) fn misspelt(name: &str) -> Option<&'static str> {
    let is_other = is_setting(name) || is_foreign(name);
    if is_other { None } else { nearest(name, MOST_WRONG) }
}

/// The setting whose name is nearest, if at most so many letters are wrong. Small letters are none.
fn nearest(name: &str, most: usize) -> Option<&'static str> {
    let name = name.to_uppercase();
    let known = TABLE.iter().map(|setting| setting.name);
    let near = known.map(|known| (strsim::osa_distance(&name, known), known)).min()?;
    (near.0 <= most).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_file_that_is_no_setting_is_told_with_the_nearest() {
        let meant = [
            ("DEVIATON", "DEVIATION"),
            ("deviation", "DEVIATION"),
            ("DEVAITION", "DEVIATION"),
            ("MEDICATION_DISPENSE_EXPIRY", "MEDICATION_DISPENSE_EXPIRATION"),
        ];
        for (name, meant) in meant {
            let told = unknown(name).unwrap();
            let begin = format!("{name} is no setting; did you mean {meant}? ");
            assert!(told.starts_with(&begin) && told.contains("--help"), "{told}");
        }
        let told = unknown("SHOE_SIZE").unwrap();
        assert_eq!(told, "SHOE_SIZE is no setting; `dispense serve --help` lists all");
    }

    #[test]
    fn settings_and_what_others_read_may_stand_in_a_file() {
        for setting in TABLE {
            assert_eq!(unknown(setting.name), None);
        }
        for name in ["AWS_REGION", "OTEL_SERVICE_NAME", "RUST_BACKTRACE", "PGSSLMODE", "TZ"] {
            assert_eq!(unknown(name), None);
        }
    }

    #[test]
    fn in_the_environment_only_what_is_nearly_a_setting_is_doubted() {
        let meant = [
            ("DEVIATON", Some("DEVIATION")),
            ("TIMEZONE", Some("TIME_ZONE")),
            ("DISPENSE_LISTENS", Some("DISPENSE_LISTEN")),
            ("DEVIATION", None),
            ("DISPENSE_BIN", None),
            // What Kubernetes sets beside a service that is called so.
            ("DISPENSE_PORT", None),
            ("DISPENSE_SERVICE_HOST", None),
            ("TEST_DATABASE_URL", None),
            ("RUST_LOGS", None),
        ];
        for (name, setting) in meant {
            assert_eq!(misspelt(name), setting, "{name}");
        }
    }
}
