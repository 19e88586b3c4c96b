//! Sends orders, and takes the time of every answer.
//!
//! The load shares its processors with what it measures, so it has to be cheap: requests are
//! written out before, and one thread serves all connections. Against a server that answers in
//! bursts, as one that commits in groups does, it took 11 µs of processor time for each exchange;
//! two threads took 12 µs, and a blocking thread for each connection 22 µs.

mod connection;
mod holding;
mod steady;
mod tally;
mod waves;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::timeout;

pub(crate) use connection::{Connection, get};
pub(crate) use holding::holding;
pub(crate) use steady::steady;
pub(crate) use tally::Tally;
pub(crate) use waves::waves;

/// How much longer than planned a stretch may take before the service counts as stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a stretch on this thread.
pub(crate) fn run<T>(
    planned: Duration,
    stretch: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(LocalSet::new().run_until(async {
        timeout(planned + PATIENCE, stretch)
            .await
            .context("the service does not answer any more")?
    }))
}

/// Asks for a page once, at once.
pub(crate) fn fetch(address: SocketAddr, path: &str) -> anyhow::Result<(u16, String)> {
    run(Duration::ZERO, async { Ok(get(address, path).await?) })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::rc::Rc;
    use std::thread;
    use std::time::Duration;

    use crate::work::{Belt, Letter};

    /// A service that does what the body of the order says.
    pub(super) struct Shop {
        pub(super) address: SocketAddr,
    }

    impl Shop {
        pub(super) fn open() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            thread::spawn(move || {
                for stream in listener.incoming() {
                    thread::spawn(move || serve(stream.unwrap()));
                }
            });
            Self { address }
        }
    }

    fn serve(stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        let mut input = BufReader::new(stream.try_clone().unwrap());
        let mut output = stream;
        while let Some(order) = read_order(&mut input) {
            let (status, body) = match order.as_str() {
                "" => (200, "{\"page\":1}"),
                "hang up" => return,
                "named" => (201, "{\"id\":\"00000000-0000-0000-0000-000000000007\",\"items\":[]}"),
                "refuse" => (422, "{\"code\":\"no\"}"),
                "fail" => (503, "{\"code\":\"busy\"}"),
                "hand over" => (200, "{}"),
                "slow" => {
                    thread::sleep(Duration::from_millis(5));
                    (201, "{}")
                }
                _ => (201, "{}"),
            };
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
            // In two parts, because an answer may come in pieces.
            output.write_all(head.as_bytes()).unwrap();
            output.write_all(body.as_bytes()).unwrap();
        }
    }

    fn read_order(input: &mut impl BufRead) -> Option<String> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if input.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some(("Content-Length", value)) => length = value.parse().unwrap(),
                None if line == "\r\n" => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body).ok()?;
        String::from_utf8(body).ok()
    }

    /// So many right orders of each kind, one after the other.
    pub(super) fn belt<const N: usize>(orders: [&str; N], times: usize) -> Rc<Belt> {
        let belt = Belt::new(vec![b"POST / HTTP/1.1\r\n".to_vec()]);
        for order in (0..times).flat_map(|_| orders) {
            let tail = format!("Content-Length: {}\r\n\r\n{order}", order.len()).into_bytes();
            belt.push(Letter { desk: 0, tail, is_wrong: false });
        }
        Rc::new(belt)
    }

    #[test]
    fn a_page_is_fetched() {
        let (status, body) = super::fetch(Shop::open().address, "/health/ready").unwrap();
        assert_eq!((status, body.as_str()), (200, "{\"page\":1}"));
    }
}
