//! A port that nobody uses.

use std::net::TcpListener;

use rand::Rng;

/// Below the ports that the system hands out for outgoing connections: one of those could be taken
/// between a stop and the next start, and a client that reconnects could even meet itself.
const FREE: std::ops::Range<u16> = 11_000..15_000;

/// Picks one.
pub(crate) fn free() -> u16 {
    (0..500)
        .map(|_| rand::rng().random_range(FREE))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("no free port on 127.0.0.1; stop what listens there")
}
