//! What the log can prove: checkpoints that were signed, and the ways through the tree.
//!
//! Hashes are hexadecimal, as they are on the lines of the log; the note of a checkpoint is the text
//! that was signed, letter by letter, and has its root in base64, as its format wants it.

pub(crate) mod checkpoints;
pub(crate) mod consistency;
pub(crate) mod proof;

use dispensary::{Asked, LogHash, NoProof, SignedCheckpoint};
use serde::Serialize;
use utoipa::ToSchema;

use super::dispense::instant;
use crate::body::Fault;
use crate::catalogue;
use crate::problem::{Problem, Violation};
use crate::query::{Members, kinds};

/// What the service signed that a partition was.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditCheckpoint<'a> {
    /// The partition.
    partition: u16,
    /// How many events it covers: positions 1 to this one.
    #[schema(example = 1_048_576)]
    size: u64,
    /// The root of the Merkle tree over them, hexadecimal.
    root: String,
    /// Of the log: raised when it lost its tail and went on.
    epoch: u64,
    /// How many erasures of persons it covers.
    erasures: u64,
    /// When it was signed.
    #[schema(format = DateTime, example = "2026-03-02T10:00:00.000000Z")]
    recorded_at: String,
    /// The signed note (C2SP `signed-note`, `tlog-checkpoint`), letter by letter.
    note: &'a str,
}

impl<'a> AuditCheckpoint<'a> {
    fn of(signed: &'a SignedCheckpoint) -> Self {
        Self {
            partition: signed.partition,
            size: signed.size,
            root: hexadecimal(&signed.root),
            epoch: signed.epoch,
            erasures: signed.erasures,
            recorded_at: instant(signed.at),
            note: &signed.note,
        }
    }
}

fn hexadecimal(hash: &LogHash) -> String {
    hex::encode(hash)
}

fn all_hexadecimal(hashes: &[LogHash]) -> Vec<String> {
    hashes.iter().map(hexadecimal).collect()
}

/// The member `partition`, one that the log has.
fn partition(query: &mut Members, partitions: u16) -> Option<u16> {
    let last = u64::from(partitions.saturating_sub(1));
    query.required("partition", kinds::whole(0..=last)).and_then(|it| u16::try_from(it).ok())
}

/// A position or a size that can be asked for at all.
fn counted(text: &str) -> Result<u64, Fault> {
    kinds::whole(1..=i64::MAX.cast_unsigned())(text)
}

/// Why there is no proof, in the words of this API.
fn refused(no: NoProof) -> Problem {
    let beyond = |name: &str, largest: u64, way_out: &str| {
        let message = format!("expected the value to be <= {largest}: {way_out}");
        let fault = Fault { message: message.into(), ..Fault::at_most(largest) };
        Problem::schema(vec![Violation::schema(format!("?{name}"), fault)])
    };
    match no {
        NoProof::NoPartition { partitions } => {
            beyond("partition", u64::from(partitions).saturating_sub(1), "the log has no more")
        }
        NoProof::Beyond { asked, largest } => match asked {
            Asked::Position => {
                beyond("position", largest, "the tree covers no more; leave out size, or wait")
            }
            Asked::Size => beyond("size", largest, "the tree is not larger yet"),
            Asked::From => beyond("from", largest, "that is the newer tree"),
            Asked::To => beyond("to", largest, "the tree is not larger yet"),
        },
        NoProof::Diverged(why) => Problem::saying(
            &catalogue::LOG_DIVERGED,
            format!("{}: {why}", catalogue::LOG_DIVERGED.title),
        ),
        NoProof::Unavailable(silent) => (&silent).into(),
    }
}
