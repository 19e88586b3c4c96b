//! As fast as the service can: every client sends its next order when the last one is answered.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::connection::Connection;
use super::tally::Tally;
use crate::work::Belt;

/// Sends orders from so many clients until the time is over or the orders run out.
pub(crate) async fn waves(
    address: SocketAddr,
    clients: u32,
    time: Duration,
    belt: Rc<Belt>,
) -> anyhow::Result<Tally> {
    let mut connections = Vec::new();
    for _ in 0..clients {
        connections.push(Connection::open(address).await?);
    }
    let start = Instant::now();
    let shared = Rc::new(Shared { address, belt, until: start + time, tally: RefCell::default() });
    let mut clients = JoinSet::new();
    for connection in connections {
        clients.spawn_local(Rc::clone(&shared).client(connection));
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    let mut tally = shared.tally.take();
    tally.elapsed = start.elapsed();
    tally.ran_out = tally.elapsed < time;
    Ok(tally)
}

struct Shared {
    address: SocketAddr,
    belt: Rc<Belt>,
    until: Instant,
    tally: RefCell<Tally>,
}

impl Shared {
    async fn client(self: Rc<Self>, mut connection: Connection) -> io::Result<()> {
        let mut sent = Instant::now();
        while sent < self.until {
            let Some(letter) = self.belt.take() else {
                break;
            };
            let answer = connection.exchange(self.belt.head(&letter), &letter.tail).await;
            let answered = Instant::now();
            if let Ok(answer) = answer {
                self.tally.borrow_mut().count(answer, letter.is_wrong, answered - sent);
            } else {
                self.tally.borrow_mut().broken += 1;
                connection = Connection::open(self.address).await?;
            }
            sent = answered;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::run;
    use super::super::tests::{Shop, belt};
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn every_order_is_sent_once_and_counted_by_its_status() {
        let shop = Shop::open();
        let work = belt(["hold", "hand over", "refuse"], 100);
        let tally = run(LONG, waves(shop.address, 8, LONG, work)).unwrap();
        assert_eq!(tally.statuses, [(200, 100), (201, 100), (422, 100)].into());
        assert_eq!((tally.taken.count(), tally.latencies.count()), (200, 300));
        assert_eq!(tally.wrongly_refused, 100);
        assert_eq!(tally.examples[&422], "{\"code\":\"no\"}");
        assert!(tally.ran_out && tally.failures() == 0);
        assert!(tally.per_second() > 1.0);
    }

    #[test]
    fn a_stretch_ends_when_its_time_is_over() {
        let shop = Shop::open();
        let time = Duration::from_millis(50);
        let tally = run(time, waves(shop.address, 2, time, belt(["slow"], 1_000_000))).unwrap();
        assert!(!tally.ran_out && tally.elapsed >= time);
        assert!((2..100).contains(&tally.taken.count()), "{}", tally.taken.count());
        let [fastest, ..] = tally.latencies.percentiles([1, 50, 99]);
        assert!(fastest >= 5.0, "{fastest}");
    }

    #[test]
    fn a_broken_connection_is_counted_and_replaced() {
        let shop = Shop::open();
        let work = belt(["hang up", "fail", "hold"], 10);
        let tally = run(LONG, waves(shop.address, 3, LONG, work)).unwrap();
        assert_eq!(tally.broken, 10);
        assert_eq!(tally.statuses, [(201, 10), (503, 10)].into());
        assert_eq!((tally.server_errors(), tally.failures()), (10, 20));
    }
}
