//! A port that nobody uses.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::net::TcpListener;
use std::ops::Range;

use crate::error::{Result, failed};

/// Below are the well-known services.
const LOWEST: u16 = 15_000;

/// Where Linux begins to hand out ports for outgoing connections unless told otherwise.
const EPHEMERAL: u16 = 32_768;

/// How many ports are tried before giving up.
const TRIES: u32 = 200;

/// Picks a random free port below those that the system hands out for outgoing connections.
///
/// A port from among those could be taken by any client between a stop and the next start; a client that
/// tries to reconnect could even be connected with itself.
pub(crate) fn pick() -> Result<u16> {
    let range = range();
    let random = RandomState::new();
    for attempt in 0..TRIES {
        let mut hasher = random.build_hasher();
        hasher.write_u32(attempt);
        let width = u64::from(range.end - range.start);
        let offset = u16::try_from(hasher.finish() % width).unwrap_or_default();
        if is_free(range.start + offset) {
            return Ok(range.start + offset);
        }
    }
    Err(failed(
        format!("no free port was found on 127.0.0.1 among {} to {}", range.start, range.end),
        "stop what listens there, or name a port",
    ))
}

/// Whether a server could listen there now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn range() -> Range<u16> {
    let first = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .unwrap_or(EPHEMERAL);
    // A machine that hands out nearly all ports leaves us no choice but to share them.
    if first > LOWEST + 1_000 { LOWEST..first } else { LOWEST..EPHEMERAL }
}
