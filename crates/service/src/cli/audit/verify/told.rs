//! What is told of an export, to people and to programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use dispense_audit::export::{Broken, PartitionSummary, Summary};
use serde_json::{Value, json};

/// Partitions are listed one by one up to so many; a log may have 1,024.
const MOST_LISTED: usize = 16;

/// For whom it is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    Page,
    Json,
}

/// An export that is whole.
pub(super) fn whole(summary: &Summary, form: Form) -> String {
    match form {
        Form::Page => page(summary),
        Form::Json => format!("{}\n", whole_json(summary)),
    }
}

/// The first thing that is wrong with an export.
pub(super) fn broken(broken: &Broken, form: Form) -> String {
    match form {
        Form::Page => format!("BROKEN: {broken}\n"),
        Form::Json => format!("{}\n", broken_json(broken)),
    }
}

fn signers(summary: &Summary) -> BTreeSet<&str> {
    let partitions = summary.partitions.iter();
    partitions.flat_map(|partition| &partition.signed_by).map(String::as_str).collect()
}

fn page(summary: &Summary) -> String {
    let mut page = format!(
        "whole: {} events of {} medication requests, {} erasures\n",
        summary.rows(),
        summary.medication_requests(),
        summary.erasures,
    );
    // Writing to a string cannot fail.
    let _ = writeln!(page, "  log {}, epoch {}", summary.log_id, summary.epoch);
    let signers: Vec<_> = signers(summary).into_iter().collect();
    let checkpoints = summary.checkpoints();
    let _ = if signers.is_empty() {
        writeln!(page, "  {checkpoints} checkpoints")
    } else {
        writeln!(page, "  {checkpoints} checkpoints, signed by {}", signers.join(", "))
    };
    for partition in summary.partitions.iter().take(MOST_LISTED) {
        let PartitionSummary { partition, rows, covered, .. } = partition;
        let _ = writeln!(page, "  partition {partition}: {rows} rows, checkpoints cover {covered}");
    }
    if let Some(more) = summary.partitions.len().checked_sub(MOST_LISTED).filter(|it| *it > 0) {
        let _ = writeln!(page, "  and {more} more partitions");
    }
    let rows = summary.rows() - summary.covered();
    let erasures = summary.erasures.saturating_sub(summary.erasures_covered());
    if rows > 0 || erasures > 0 {
        let _ = writeln!(
            page,
            "not yet covered by a checkpoint: {rows} events, {erasures} erasures; whoever owns the \
             database could still rewrite them"
        );
    }
    page
}

fn whole_json(summary: &Summary) -> Value {
    let partition = |it: &PartitionSummary| {
        json!({
            "partition": it.partition,
            "rows": it.rows,
            "covered": it.covered,
            "checkpoints": it.checkpoints,
            "medicationRequests": it.medication_requests,
            "hash": hash(&it.hash),
            "root": hash(&it.root),
        })
    };
    json!({
        "whole": true,
        "logId": summary.log_id,
        "epoch": summary.epoch,
        "rows": summary.rows(),
        "covered": summary.covered(),
        "medicationRequests": summary.medication_requests(),
        "checkpoints": summary.checkpoints(),
        "signedBy": signers(summary),
        "erasures": summary.erasures,
        "erasuresCovered": summary.erasures_covered(),
        "partitions": summary.partitions.iter().map(partition).collect::<Vec<_>>(),
    })
}

fn hash(hash: &[u8]) -> String {
    hash.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn broken_json(broken: &Broken) -> Value {
    let place = &broken.place;
    json!({
        "whole": false,
        "finding": {
            "kind": broken.kind.to_string(),
            "partition": place.partition,
            "position": place.position,
            "file": place.file,
            "line": place.line,
            "expected": broken.expected,
            "found": broken.found,
        },
    })
}
