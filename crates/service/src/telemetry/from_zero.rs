//! Counters that are there before they first count. Prometheus sees a counter grow only where it has
//! seen it smaller: one that appears with its first count would not alarm on that one.

/// Without a label.
const PLAIN: &[&str] = &[
    "dispense_access_log_failures_total",
    "dispense_access_unusual_total",
    "dispense_bugs_total",
    "dispense_checkpoints_total",
    "dispense_lost_commits_total",
    "dispense_orphans_found_total",
    "dispense_orphans_removed_total",
    "dispense_orphans_unknown_total",
    "dispense_signature_trust_failures_total",
    "dispense_signature_unknown_revocations_total",
    "dispense_stale_writers_total",
    "dispense_writer_restarts_total",
];

/// Commands, as a writer counts them.
const KINDS: &[&str] = &["create", "process", "cancel", "expire", "try"];

/// What becomes of commands, but should not.
const OUTCOMES: &[&str] = &["busy", "outcome-unknown", "clock-unsound", "unavailable", "bug"];

/// Refusals that tell of more than of the command.
const REFUSALS: &[&str] = &["wrong-code", "too-many-wrong-codes"];

/// Rules that are counted where the log is followed.
const OVERLAPS: &[&str] = &["one-innm", "activity-quantity"];

/// Lets them stand at nought.
pub(super) fn begin() {
    for name in PLAIN {
        metrics::counter!(*name).increment(0);
    }
    for kind in KINDS {
        for outcome in OUTCOMES {
            metrics::counter!("dispense_commands_total", "kind" => *kind, "outcome" => *outcome)
                .increment(0);
        }
    }
    for code in REFUSALS {
        metrics::counter!("dispense_refusals_total", "code" => *code).increment(0);
    }
    for rule in OVERLAPS {
        metrics::counter!("dispense_rule_overlaps_total", "rule" => *rule).increment(0);
    }
}
