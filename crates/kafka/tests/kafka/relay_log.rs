//! A log in memory, for relays: what is in it, who has the lease, and what it was told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dispensary::announcement::Fact;
use dispensary::relay::{LEASED_FOR, RelayLog, RelayPlace, RelayStop, Signs};
use dispensary::{LogPosition, Unavailable};
use dispense_domain::{DispenseEvent, HoldCreated, Partitions};
use tokio::sync::Notify;
use uuid::Uuid;

/// An event as old versions wrote it; all that is needed here is that it is one.
const HOLD: &str = include_str!("../../../domain/tests/golden/HoldCreated-1.0-brief.json");

/// How many medication requests there are: enough that each has several events.
const REQUESTS: u128 = 7;

/// How long somebody waits who was not told of a new event.
const LOOKS_EVERY: Duration = Duration::from_millis(100);

/// What all instances share.
pub(crate) struct Shared {
    log_id: Uuid,
    state: Mutex<State>,
    more: Notify,
}

#[derive(Default)]
struct State {
    facts: BTreeMap<u16, Vec<Fact>>,
    leases: BTreeMap<u16, (u32, Instant)>,
    reached: BTreeMap<u16, RelayPlace>,
    instances: u32,
    /// How often somebody wanted a lease that another one has.
    refused: u64,
    lies: bool,
    epoch: i64,
}

/// The log as one instance sees it.
pub(crate) struct MemoryLog {
    shared: Arc<Shared>,
    me: u32,
}

impl Shared {
    pub(crate) fn new() -> Arc<Self> {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let state = Mutex::new(State { epoch: 1, ..State::default() });
        Arc::new(Self {
            log_id: Uuid::from_u128(0xd15b << 64 | u128::from(next)),
            state,
            more: Notify::new(),
        })
    }

    /// An instance more.
    pub(crate) fn instance(self: &Arc<Self>) -> Arc<MemoryLog> {
        let mut state = self.state();
        state.instances += 1;
        Arc::new(MemoryLog { shared: self.clone(), me: state.instances })
    }

    /// Has the database say to everybody that they have the lease.
    pub(crate) fn lie(&self) {
        self.state().lies = true;
    }

    /// How often somebody wanted a lease in vain.
    pub(crate) fn refused(&self) -> u64 {
        self.state().refused
    }

    /// Ends every lease.
    pub(crate) fn forget_leases(&self) {
        self.state().leases.clear();
    }

    pub(crate) const fn log_id(&self) -> Uuid {
        self.log_id
    }

    /// Events more: a hold, then its hand-over, which takes all that was left of every third.
    pub(crate) fn record(&self, partition: u16, count: u32) {
        self.record_with(partition, count, 1);
    }

    /// The same, each with so many items.
    pub(crate) fn record_with(&self, partition: u16, count: u32, items: u32) {
        let mut state = self.state();
        let facts = state.facts.entry(partition).or_default();
        for _ in 0..count {
            let position = i64::try_from(facts.len()).unwrap() + 1;
            facts.push(fact(partition, position, items));
        }
        drop(state);
        self.more.notify_waiters();
    }

    pub(crate) fn facts(&self, partition: u16) -> Vec<Fact> {
        self.state().facts.get(&partition).cloned().unwrap_or_default()
    }

    /// Up to where the log was told that it is announced.
    pub(crate) fn told(&self, partition: u16) -> i64 {
        self.state().reached.get(&partition).map_or(0, |it| it.place.position)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn fact(partition: u16, position: i64, items: u32) -> Fact {
    let number = u128::try_from(position).unwrap();
    let dispense = Uuid::from_u128(number.div_ceil(2)).to_string();
    let mut hold: serde_json::Value = serde_json::from_str(HOLD).unwrap();
    hold["dispense_id"] = dispense.clone().into();
    hold["processed_at_once"] = false.into();
    hold["expires_at"] = "2026-03-10T10:10:00Z".into();
    // Ids that nobody can pack.
    let id = |n: u32| {
        Uuid::from_u128(u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    };
    let item = |n| {
        let mut item = hold["items"][0].clone();
        item["id"] = id(n + 1).to_string().into();
        item["medication"]["id"] = id(n + 1_000_000).to_string().into();
        item
    };
    hold["items"] = (0..items).map(item).collect();
    let request = (u128::from(partition) << 32) | (number.div_ceil(2) % REQUESTS);
    hold["medication_request"]["id"] = Uuid::from_u128(request).to_string().into();
    let begun: DispenseEvent = serde_json::from_value(hold).unwrap();
    let DispenseEvent::HoldCreated(hold) = &begun else { panic!("a hold is a hold") };
    let hold: Arc<HoldCreated> = hold.clone();
    let remaining = if number.is_multiple_of(3) { "0" } else { "30" };
    let processed = serde_json::json!({
        "type": "Processed", "dispense_id": dispense, "signed": false, "remaining": remaining,
    });
    let event = if position % 2 == 1 { begun } else { serde_json::from_value(processed).unwrap() };
    Fact {
        place: LogPosition { partition, position },
        hash: hash(position),
        event_id: Uuid::from_u128(number << 16 | u128::from(partition)),
        recorded_at: "2026-03-10T10:00:00.123456Z".parse().unwrap(),
        event,
        hold,
        handed_over: u32::from(position % 2 == 0),
        traceparent: None,
    }
}

/// The hash of the row at a position; that before the first row for 0.
pub(crate) fn hash(position: i64) -> [u8; 32] {
    let mut hash = [7; 32];
    hash[..8].copy_from_slice(&position.to_be_bytes());
    hash
}

#[async_trait]
impl RelayLog for MemoryLog {
    fn log_id(&self) -> Uuid {
        self.shared.log_id
    }

    fn partitions(&self) -> Partitions {
        Partitions::new(4).unwrap()
    }

    async fn lease(&self, partition: u16) -> Result<bool, Unavailable> {
        let mut state = self.shared.state();
        let now = Instant::now();
        let free = state.leases.get(&partition).is_none_or(|it| it.0 == self.me || it.1 < now);
        if free {
            state.leases.insert(partition, (self.me, now + LEASED_FOR));
        }
        state.refused += u64::from(!free);
        Ok(free || state.lies)
    }

    async fn release(&self, partition: u16) -> Result<(), Unavailable> {
        let mut state = self.shared.state();
        if state.leases.get(&partition).is_some_and(|it| it.0 == self.me) {
            state.leases.remove(&partition);
        }
        Ok(())
    }

    async fn goes_on(
        &self,
        partition: u16,
        streams: Option<RelayPlace>,
    ) -> Result<RelayPlace, RelayStop> {
        let state = self.shared.state();
        let place = LogPosition { partition, position: 0 };
        let beginning = RelayPlace { place, hash: hash(0), epoch: state.epoch };
        match (streams, state.reached.get(&partition)) {
            (Some(streams), _) => {
                let position = streams.place.position;
                assert_eq!(streams.hash, hash(position), "the place is one of this log");
                let end = state.facts.get(&partition).map_or(0, Vec::len);
                assert!(position <= i64::try_from(end).unwrap(), "nothing was made up");
                Ok(streams)
            }
            (None, Some(reached)) => Err(RelayStop::PlaceLost { position: reached.place.position }),
            (None, None) => Ok(beginning),
        }
    }

    async fn facts(&self, after: RelayPlace, most: u32) -> Result<Vec<Fact>, RelayStop> {
        let state = self.shared.state();
        let (from, most) = (usize::try_from(after.place.position).unwrap(), most as usize);
        let facts = state.facts.get(&after.place.partition);
        Ok(facts.map_or_else(Vec::new, |it| it.iter().skip(from).take(most).cloned().collect()))
    }

    async fn facts_at(&self, partition: u16, positions: &[i64]) -> Result<Vec<Fact>, RelayStop> {
        let mut facts = self.shared.facts(partition);
        facts.retain(|fact| positions.contains(&fact.place.position));
        Ok(facts)
    }

    async fn reached(&self, place: RelayPlace) -> Result<(), Unavailable> {
        let mut state = self.shared.state();
        let reached = state.reached.entry(place.place.partition).or_insert(place);
        if place.place.position > reached.place.position {
            *reached = place;
        }
        Ok(())
    }

    async fn lag(&self, after: LogPosition) -> Result<(i64, f64), Unavailable> {
        let end = self.shared.state().facts.get(&after.partition).map_or(0, Vec::len);
        Ok((i64::try_from(end).unwrap() - after.position, 0.0))
    }

    async fn more(&self, after: LogPosition) {
        let more = self.shared.more.notified();
        let end = self.shared.state().facts.get(&after.partition).map_or(0, Vec::len);
        if i64::try_from(end).unwrap() <= after.position {
            let _ = tokio::time::timeout(LOOKS_EVERY, more).await;
        }
    }
}

/// Remembers what it was told last, and everything that it was ever told.
#[derive(Default)]
pub(crate) struct Board {
    state: Mutex<(BTreeMap<String, String>, Vec<String>)>,
}

impl Signs for Board {
    fn report(&self, about: &str, detail: String) {
        let mut state = self.state.lock().unwrap();
        state.0.insert(about.to_owned(), detail.clone());
        state.1.push(detail);
    }

    fn clear(&self, about: &str) {
        self.state.lock().unwrap().0.remove(about);
    }
}

impl Board {
    /// What does not work at the moment.
    pub(crate) fn now(&self) -> Vec<String> {
        self.state.lock().unwrap().0.values().cloned().collect()
    }

    /// All that was ever told.
    pub(crate) fn ever(&self) -> Vec<String> {
        self.state.lock().unwrap().1.clone()
    }
}
