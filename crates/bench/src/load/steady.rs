//! A steady rate: orders come when they come, whether or not the last ones are answered.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinSet;

use super::connection::Connection;
use super::tally::Tally;
use crate::work::{Belt, Letter};

/// Connections that are open before the first order.
const READY: usize = 32;

/// Sends one order after the other at this rate until they are used up.
///
/// The time of an answer counts from the moment at which the order was due, so that a service which
/// stops for a second is seen by all who would have come in that second.
pub(crate) async fn steady(
    address: SocketAddr,
    per_second: u32,
    belt: Rc<Belt>,
) -> anyhow::Result<Tally> {
    let mut idle = VecDeque::new();
    for _ in 0..READY {
        idle.push_back(Connection::open(address).await?);
    }
    let shared = Rc::new(Shared {
        address,
        belt: Rc::clone(&belt),
        idle: RefCell::new(idle),
        tally: RefCell::default(),
    });
    let start = Instant::now();
    let mut due = moments(start, per_second, belt.len());
    let mut orders = JoinSet::new();
    while let Some(due) = due.recv().await {
        if let Some(letter) = belt.take() {
            orders.spawn_local(Rc::clone(&shared).order(letter, due));
        }
        while orders.try_join_next().transpose()?.transpose()?.is_some() {}
    }
    while let Some(order) = orders.join_next().await {
        order??;
    }
    let mut tally = shared.tally.take();
    tally.elapsed = start.elapsed();
    Ok(tally)
}

/// The moments at which orders are due, each told when it has come.
///
/// A thread of its own sleeps to the microsecond; the runtime's timers round up to the millisecond,
/// which would be seen in every answer.
fn moments(start: Instant, per_second: u32, count: usize) -> UnboundedReceiver<Instant> {
    let (teller, told) = mpsc::unbounded_channel();
    let apart = Duration::from_secs(1) / per_second.max(1);
    thread::spawn(move || {
        let mut due = start;
        for _ in 0..count {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if teller.send(due).is_err() {
                return;
            }
            due += apart;
        }
    });
    told
}

struct Shared {
    address: SocketAddr,
    belt: Rc<Belt>,
    /// In turn: a connection that is never used is closed by the service, and it is right to do so.
    idle: RefCell<VecDeque<Connection>>,
    tally: RefCell<Tally>,
}

impl Shared {
    async fn order(self: Rc<Self>, letter: Letter, due: Instant) -> io::Result<()> {
        let idle = self.idle.borrow_mut().pop_front();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        let head = self.belt.head(&letter);
        match connection.exchange(head, &letter.tail).await {
            Ok(answer) => {
                self.tally.borrow_mut().count(answer, letter.is_wrong, due.elapsed());
                self.idle.borrow_mut().push_back(connection);
            }
            Err(_) => self.tally.borrow_mut().broken += 1,
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
    fn orders_come_at_their_rate_though_each_takes_longer() {
        let shop = Shop::open();
        let tally = run(LONG, steady(shop.address, 2_000, belt(["slow"], 400))).unwrap();
        assert_eq!(tally.statuses, [(201, 400)].into());
        // One after the other would take two seconds; at this rate it is a fifth of one.
        assert!(tally.elapsed >= Duration::from_millis(199), "{:?}", tally.elapsed);
        assert!(tally.elapsed < Duration::from_millis(1_500), "{:?}", tally.elapsed);
    }

    #[test]
    fn a_wrong_order_has_to_be_refused() {
        let shop = Shop::open();
        let work = belt(["hold"], 2);
        work.push(Letter { desk: 0, tail: work.take().unwrap().tail, is_wrong: true });
        let tally = run(LONG, steady(shop.address, 1_000, work)).unwrap();
        assert_eq!((tally.wrongly_taken, tally.wrongly_refused), (1, 0));
    }
}
