//! A port that nobody uses.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::{LazyLock, Mutex, PoisonError};

use rand::Rng;

/// Below the ports that the system hands out for outgoing connections: one of those could be taken
/// between a stop and the next start, and a client that reconnects could even meet itself.
const FREE: std::ops::Range<u16> = 11_000..15_000;

/// Those that were picked before: what is to listen there may not have begun to, or may be dead for a
/// moment, and two tests must not meet.
static PICKED: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// Picks one.
pub(crate) fn free() -> u16 {
    let mut picked = PICKED.lock().unwrap_or_else(PoisonError::into_inner);
    (0..500)
        .map(|_| rand::rng().random_range(FREE))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok() && picked.insert(*port))
        .expect("no free port on 127.0.0.1; stop what listens there")
}
