//! What does not work, told as one sign: each thing in its place, gone when it works again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use dispensary::relay::Signs;

/// What the sign is about.
const ABOUT: &str = "registry";

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrong {
    /// Nothing is read at all.
    Reading,
    /// Brokers do not answer, or let us not read some topic.
    Brokers,
    /// Messages were gone before they could be read.
    Lost,
    /// Dead letters stay where they are.
    Letters,
}

/// Tells what is wrong, and when it is over.
pub(super) struct Telling {
    signs: Arc<dyn Signs>,
    told: Mutex<BTreeMap<Wrong, String>>,
}

impl Wrong {
    const ALL: [Self; 4] = [Self::Reading, Self::Brokers, Self::Lost, Self::Letters];

    /// Its name in the figures.
    const fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Brokers => "brokers",
            Self::Lost => "lost",
            Self::Letters => "letters",
        }
    }
}

impl Telling {
    pub(super) fn new(signs: Arc<dyn Signs>) -> Self {
        let nothing = Self { signs, told: Mutex::default() };
        nothing.tell(&BTreeMap::new());
        nothing
    }

    /// That is wrong; what was said of it before is forgotten.
    pub(super) fn wrong(&self, what: Wrong, detail: String) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(&what) != Some(&detail) {
            tracing::warn!(what = ?what, "registry topics: {detail}");
            told.insert(what, detail);
            self.tell(&told);
        }
    }

    /// That is right again.
    pub(super) fn right(&self, what: Wrong) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.remove(&what).is_some() {
            self.tell(&told);
        }
    }

    /// What is wrong is for somebody else to tell.
    pub(super) fn silence(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::take(&mut *told).is_empty() {
            self.tell(&told);
        }
    }

    fn tell(&self, told: &BTreeMap<Wrong, String>) {
        for what in Wrong::ALL {
            metrics::gauge!("dispense_registry_stream_wrong", "what" => what.name())
                .set(f64::from(u8::from(told.contains_key(&what))));
        }
        if told.is_empty() {
            self.signs.clear(ABOUT);
        } else {
            let all: Vec<&str> = told.values().map(String::as_str).collect();
            self.signs.report(ABOUT, all.join("; "));
        }
    }
}
