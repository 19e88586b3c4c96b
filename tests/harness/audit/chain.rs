//! Positions without gaps, and a whole hash chain, in every partition.

use dispense_audit::chain::{self, Hash, Row};

use super::entry::{Entry, Head};

/// Looks at every partition.
pub(super) fn check(entries: &[Entry], heads: &[Head]) {
    for head in heads {
        assert_eq!(usize::from(head.partitions), heads.len(), "a head for each partition");
        let own: Vec<&Entry> =
            entries.iter().filter(|entry| entry.partition == head.partition).collect();
        partition(head, &own);
    }
    let found = heads.iter().map(|head| head.position).sum::<i64>();
    assert_eq!(i64::try_from(entries.len()).unwrap(), found, "every event is in a partition");
}

fn partition(head: &Head, entries: &[&Entry]) {
    let mut previous: Hash = chain::first(head.log_id, head.partition, head.partitions);
    for (expected, entry) in (1..).zip(entries) {
        assert_eq!(entry.position, expected, "a gap before {entry:#?}");
        previous = hash(&previous, entry);
        assert_eq!(entry.hash, previous, "the chain is broken at {entry:#?}");
    }
    let last = entries.last();
    assert_eq!(last.map_or(0, |last| last.position), head.position, "the head's position");
    assert_eq!(previous, head.hash, "the head's hash");
    if let Some(last) = last {
        assert_eq!(last.recorded_at, head.recorded_at, "the head's time");
    }
    for pair in entries.windows(2) {
        assert!(pair[0].recorded_at <= pair[1].recorded_at, "time went back: {pair:#?}");
    }
}

fn hash(previous: &Hash, entry: &Entry) -> Hash {
    chain::next(
        previous,
        &Row {
            aggregate_type: &entry.aggregate_type,
            aggregate_id: &entry.request.to_string(),
            sequence: entry.sequence,
            event_type: &entry.kind,
            event_version: &entry.version,
            payload: &entry.payload_text,
            metadata: &entry.metadata,
            partition: entry.partition,
            position: entry.position,
            event_id: entry.event_id,
            dispense_id: entry.dispense,
            recorded_at: entry.recorded_at.timestamp_micros(),
        },
    )
}
