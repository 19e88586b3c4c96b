//! The events of each medication request: whether they may follow each other, and the invariant:
//! what was handed over and what is reserved is never more than what was prescribed.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use uuid::Uuid;

use super::amount::Amount;
use super::broken::{Fault, Kind};
use super::event::{Event, Happened};

/// The most medication requests that are looked at in one walk over a partition.
pub(super) const MOST_STREAMS: usize = 500_000;

/// Which medication requests one walk looks at. There can be more of them than memory should hold;
/// then each walk looks at one share of them.
#[derive(Debug, Clone)]
pub(super) struct Share {
    state: RandomState,
    /// Which share it is.
    pub(super) number: u64,
    /// How many shares there are.
    pub(super) of: u64,
}

impl Share {
    pub(super) fn whole() -> Self {
        Self { state: RandomState::new(), number: 0, of: 1 }
    }

    /// Another share of the same division.
    pub(super) fn another(&self, number: u64) -> Self {
        Self { number, ..self.clone() }
    }

    pub(super) fn has(&self, medication_request: Uuid) -> bool {
        // Most logs need one walk, and no hashes.
        self.of == 1 || self.state.hash_one(medication_request) % self.of == self.number
    }
}

/// What is known of the medication requests of a share.
pub(super) struct Streams {
    pub(super) share: Share,
    most: usize,
    begun: HashMap<Uuid, Stream>,
}

#[derive(Debug)]
struct Stream {
    sequence: i64,
    prescribed: Amount,
    processed: Amount,
    open: Vec<Open>,
    /// Every dispense that ever began.
    begun: Vec<Uuid>,
}

/// A dispense that began, and has not ended.
#[derive(Debug, Clone, Copy)]
struct Open {
    dispense: Uuid,
    taken: Amount,
    /// Absent where the next event processes it.
    expires_at: Option<i64>,
}

impl Streams {
    pub(super) fn of(share: Share, most: usize) -> Self {
        Self { share, most, begun: HashMap::new() }
    }

    /// How many medication requests there are.
    pub(super) fn count(&self) -> u64 {
        self.begun.len() as u64
    }

    /// Takes the next event, if its medication request is looked at.
    ///
    /// # Errors
    ///
    /// [`Kind::Sequence`], [`Kind::Order`], [`Kind::Quantity`]
    pub(super) fn take(&mut self, event: &Event) -> Result<(), Fault> {
        if !self.share.has(event.medication_request) {
            return Ok(());
        }
        if let Some(stream) = self.begun.get_mut(&event.medication_request) {
            return stream.take(event);
        }
        let stream = Stream::begin(event)?;
        self.begun.insert(event.medication_request, stream);
        self.make_room();
        Ok(())
    }

    /// Where there are too many, half of them are left to another walk. A share that a later walk
    /// looks at is never divided again.
    fn make_room(&mut self) {
        if self.begun.len() > self.most && self.share.number == 0 {
            self.share.of *= 2;
            let share = &self.share;
            self.begun.retain(|medication_request, _| share.has(*medication_request));
            self.begun.shrink_to_fit();
        }
    }
}

impl Stream {
    fn begin(event: &Event) -> Result<Self, Fault> {
        if event.sequence != 1 {
            return Err(Fault::new(Kind::Sequence, 1, event.sequence));
        }
        let Happened::Held { prescribed, .. } = event.happened else {
            return Err(not_open(event));
        };
        let (processed, open, begun) = (Amount::default(), Vec::new(), Vec::new());
        let mut stream = Self { sequence: 0, prescribed, processed, open, begun };
        stream.take(event)?;
        Ok(stream)
    }

    fn take(&mut self, event: &Event) -> Result<(), Fault> {
        if event.sequence != self.sequence + 1 {
            return Err(Fault::new(Kind::Sequence, self.sequence + 1, event.sequence));
        }
        let at_once = self.open.iter().find(|open| open.expires_at.is_none());
        if let Some(Open { dispense, .. }) = at_once
            && (*dispense != event.dispense
                || !matches!(event.happened, Happened::Processed { .. }))
        {
            let expected = format!("Processed of dispense {dispense}, which is processed at once");
            return Err(Fault::new(Kind::Order, expected, told(event)));
        }
        self.sequence = event.sequence;
        match event.happened {
            Happened::Held { prescribed, taken, expires_at } => {
                self.hold(event, prescribed, Open { dispense: event.dispense, taken, expires_at })
            }
            Happened::Processed { remaining } => {
                let open = self.close(event)?;
                self.processed = self.processed.plus(open.taken);
                let left = self.prescribed.without(self.processed);
                if left == remaining {
                    return Ok(());
                }
                let (expected, found) = (format!("remaining {left}"), remaining);
                Err(Fault::new(Kind::Quantity, expected, found))
            }
            Happened::Cancelled => self.close(event).map(drop),
            Happened::Expired { expires_at } => {
                let open = self.close(event)?;
                if open.expires_at == Some(expires_at) {
                    return Ok(());
                }
                Err(Fault::new(Kind::Order, "expires_at of the hold", "another"))
            }
        }
    }

    fn hold(&mut self, event: &Event, prescribed: Amount, open: Open) -> Result<(), Fault> {
        if self.begun.contains(&event.dispense) {
            let expected = "a dispense that had not begun";
            return Err(Fault::new(Kind::Order, expected, told(event)));
        }
        if prescribed != self.prescribed {
            let expected = format!("prescribed {}", self.prescribed);
            return Err(Fault::new(Kind::Quantity, expected, prescribed));
        }
        self.begun.push(event.dispense);
        self.open.push(open);
        let reserved = self.open.iter().fold(Amount::default(), |sum, it| sum.plus(it.taken));
        let both = self.processed.plus(reserved);
        if both <= self.prescribed {
            return Ok(());
        }
        let expected = format!("at most {} processed and reserved", self.prescribed);
        let found = format!("{} processed and {reserved} reserved", self.processed);
        Err(Fault::new(Kind::Quantity, expected, found))
    }

    /// Ends a dispense: before its last instant or at it, unless it is to expire.
    fn close(&mut self, event: &Event) -> Result<Open, Fault> {
        let place = self.open.iter().position(|open| open.dispense == event.dispense);
        let open = self.open.swap_remove(place.ok_or_else(|| not_open(event))?);
        let expires = matches!(event.happened, Happened::Expired { .. });
        let over = open.expires_at.is_some_and(|expires_at| event.recorded_at > expires_at);
        if over == expires {
            return Ok(open);
        }
        let expected =
            if over { "Expired: the hold was over" } else { "no Expired: the hold lives" };
        Err(Fault::new(Kind::Order, expected, told(event)))
    }
}

fn not_open(event: &Event) -> Fault {
    Fault::new(Kind::Order, "a dispense that had begun and not ended", told(event))
}

fn told(event: &Event) -> String {
    let kind = match event.happened {
        Happened::Held { .. } => "HoldCreated",
        Happened::Processed { .. } => "Processed",
        Happened::Cancelled => "Cancelled",
        Happened::Expired { .. } => "Expired",
    };
    format!("{kind} of dispense {}", event.dispense)
}
