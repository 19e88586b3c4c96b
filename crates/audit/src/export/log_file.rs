//! `log.json`: what log it is. It is not signed; what counts in it is bound by the first hashes of
//! the chains and by the origins of checkpoints, but for the epoch and the key.

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::note::VerifierKey;

/// The format of exports that this crate writes and reads.
pub const FORMAT: &str = "dispense-log/1";
/// The most partitions that a log may have.
const MOST_PARTITIONS: u16 = 1024;

/// What `log.json` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// The log.
    pub log_id: Uuid,
    /// How many partitions it has.
    pub partitions: u16,
    /// The epoch at the time of the export.
    pub epoch: u64,
    /// The key with which the service said to sign. Whoever forges an export writes a key of their
    /// own here: believe the one that you were given by another way.
    pub key: Option<VerifierKey>,
}

/// Why a text is not that of `log.json`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoLogFile {
    /// It is no JSON object with exactly these members.
    #[error("{0}")]
    Members(String),
    /// A member does not say what it should.
    #[error("`{0}` is malformed")]
    Member(&'static str),
    /// It says the right things in another form: order, white space, letters.
    #[error("it is not in the form in which it is written")]
    Form,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Members<'a> {
    format: &'a str,
    log_id: &'a str,
    partitions: u16,
    epoch: u64,
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    key: Option<&'a str>,
}

impl LogFile {
    /// The text of the file: one line, in one form.
    #[must_use]
    pub fn text(&self) -> String {
        let key = self.key.as_ref().map_or(json!(null), |key| json!(key.to_string()));
        format!(
            "{{\"format\":\"{FORMAT}\",\"logId\":\"{}\",\"partitions\":{},\"epoch\":{},\"key\":{key}}}\n",
            self.log_id.hyphenated(),
            self.partitions,
            self.epoch,
        )
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    ///
    /// [`NoLogFile`], for any other text.
    pub fn read(text: &str) -> Result<Self, NoLogFile> {
        let found: Members<'_> =
            serde_json::from_str(text).map_err(|error| NoLogFile::Members(error.to_string()))?;
        if found.format != FORMAT {
            return Err(NoLogFile::Member("format"));
        }
        if !(1..=MOST_PARTITIONS).contains(&found.partitions) {
            return Err(NoLogFile::Member("partitions"));
        }
        let read = Self {
            log_id: found.log_id.parse().map_err(|_| NoLogFile::Member("logId"))?,
            partitions: found.partitions,
            epoch: found.epoch,
            key: found
                .key
                .map(VerifierKey::read)
                .transpose()
                .map_err(|_| NoLogFile::Member("key"))?,
        };
        if read.text() == text { Ok(read) } else { Err(NoLogFile::Form) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    fn log() -> LogFile {
        LogFile {
            log_id: Uuid::from_u128(0x0123_4567_89ab_cdef),
            partitions: 4,
            epoch: 1,
            key: Some(VerifierKey::read(KEY).unwrap()),
        }
    }

    #[test]
    fn the_file_is_read_as_it_was_written() {
        assert_eq!(
            log().text(),
            format!(
                "{{\"format\":\"dispense-log/1\",\"logId\":\"00000000-0000-0000-0123-456789abcdef\",\
                 \"partitions\":4,\"epoch\":1,\"key\":\"{KEY}\"}}\n"
            )
        );
        for log in [log(), LogFile { key: None, ..log() }] {
            assert_eq!(LogFile::read(&log.text()), Ok(log));
        }
    }

    #[test]
    fn the_file_has_no_second_form() {
        let text = log().text();
        for (from, to) in [
            ("log/1", "log/2"),
            (":4", ":0"),
            (":4", ":1025"),
            (":4", ": 4"),
            (":1,", ":01,"),
            (":1,", ":-1,"),
            ("cdef", "CDEF"),
            ("c74f", "c74e"),
            ("\"PeterNeumann", "\" PeterNeumann"),
            ("\n", ""),
            ("\n", "\n\n"),
            ("}", ",\"more\":1}"),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(LogFile::read(&text.replacen(from, to, 1)).is_err(), "{from} {to}");
        }
        let (without, _) = text.split_once(",\"key\"").unwrap();
        assert!(LogFile::read(&format!("{without}}}\n")).is_err());
    }
}
