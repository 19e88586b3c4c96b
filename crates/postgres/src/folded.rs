//! Streams that the writer folded lately, and when to believe them.

use std::num::NonZeroUsize;

use dispense_audit::chain::Hash;
use dispense_domain::{Dispensing, MedicationRequestId};
use lru::LruCache;

/// The most streams that one partition remembers.
const MOST: NonZeroUsize = NonZeroUsize::new(1024).expect("1024 is not zero");

/// A stream, folded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folded {
    /// The state after its last event.
    pub(crate) state: Dispensing,
    /// The number of its last event.
    pub(crate) sequence: i64,
}

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// The last position.
    pub(crate) position: i64,
    /// The hash there.
    pub(crate) hash: Hash,
}

/// The streams of one partition, as they were when its log ended at `end`.
///
/// They are true if the locked head has that position and that hash: position alone would not
/// notice a log that lost its tail and grew again.
#[derive(Debug)]
pub(crate) struct Remembered {
    end: Option<End>,
    streams: LruCache<MedicationRequestId, Folded>,
}

impl Remembered {
    pub(crate) fn nothing() -> Self {
        Self { end: None, streams: LruCache::new(MOST) }
    }

    /// Where the log ended when this was true.
    pub(crate) const fn end(&self) -> Option<End> {
        self.end
    }

    /// Forgets everything.
    pub(crate) fn drop_all(&mut self) {
        self.end = None;
        self.streams.clear();
    }

    pub(crate) fn get(&mut self, request: MedicationRequestId) -> Option<&Folded> {
        self.streams.get(&request)
    }

    /// Mends a stream that is remembered; one that is not, stays so.
    pub(crate) fn peek_mut(&mut self, request: MedicationRequestId) -> Option<&mut Folded> {
        self.streams.peek_mut(&request)
    }

    /// Takes over what a committed batch left.
    pub(crate) fn publish(
        &mut self,
        end: End,
        streams: impl IntoIterator<Item = (MedicationRequestId, Folded)>,
    ) {
        self.end = Some(end);
        for (request, folded) in streams {
            self.streams.put(request, folded);
        }
    }
}
