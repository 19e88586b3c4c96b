//! A wire between the service and PostgreSQL that breaks at the worst moment: at COMMIT.
//!
//! It understands the protocol's frames, so that it knows the writer's COMMIT from anything else,
//! and can lose it, or lose or delay the answer.

mod frames;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::Rng;
use rand::seq::IndexedRandom;
use reqwest::Url;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::ports;
use frames::Frames;

/// What becomes of a COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mischief {
    /// It never arrives, and the connection is gone.
    CutBefore,
    /// It is carried out, and the connection is gone before the answer.
    CutAfter,
    /// It arrives too late.
    StallBefore,
    /// It is carried out, and the answer comes too late.
    StallAfter,
}

/// Longer than the service waits for the answer to a COMMIT.
const STALL: Duration = Duration::from_millis(3_500);

/// The wire; gone when this is dropped.
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
    running: tokio::task::JoinHandle<()>,
}

struct State {
    upstream: u16,
    /// What may happen to a COMMIT, and in how many of a hundred cases.
    mischief: Mutex<(Vec<Mischief>, u32)>,
    /// Whether nobody gets through at all, once a COMMIT has met with mischief.
    shuts: AtomicBool,
    shut: AtomicBool,
    done: AtomicUsize,
}

impl Proxy {
    /// A wire to the server of that database.
    pub(crate) async fn to(database_url: &str) -> Self {
        let upstream = Url::parse(database_url).unwrap().port().unwrap();
        let port = ports::free();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let state = Arc::new(State {
            upstream,
            mischief: Mutex::new((Vec::new(), 0)),
            shuts: AtomicBool::new(false),
            shut: AtomicBool::new(false),
            done: AtomicUsize::new(0),
        });
        let running = tokio::spawn(accept(listener, state.clone()));
        Self { port, state, running }
    }

    /// The address of a database through this wire.
    pub(crate) fn url(&self, database_url: &str) -> String {
        let mut url = Url::parse(database_url).unwrap();
        url.set_port(Some(self.port)).unwrap();
        url.into()
    }

    /// From now on, so many of a hundred COMMITs of writers meet with one of these.
    pub(crate) fn misbehave(&self, kinds: &[Mischief], percent: u32) {
        *self.state.mischief.lock().unwrap() = (kinds.to_vec(), percent);
    }

    /// From now on, the first mischief shuts the wire for everybody.
    pub(crate) fn shut_at_next(&self) {
        self.state.shuts.store(true, Ordering::SeqCst);
    }

    /// Lets everybody through again, and everything.
    pub(crate) fn behave(&self) {
        self.misbehave(&[], 0);
        self.state.shuts.store(false, Ordering::SeqCst);
        self.state.shut.store(false, Ordering::SeqCst);
    }

    /// How many COMMITs have met with mischief.
    pub(crate) fn done(&self) -> usize {
        self.state.done.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.unwrap();
                if !state.shut.load(Ordering::SeqCst) {
                    connections.spawn(connection(client, state.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// What both directions of a connection know.
struct Wire {
    state: Arc<State>,
    is_writer: bool,
    /// What the next answer meets with.
    answer: Mutex<Option<Mischief>>,
}

async fn connection(mut client: TcpStream, state: Arc<State>) -> Option<()> {
    let mut server = TcpStream::connect(("127.0.0.1", state.upstream)).await.ok()?;
    // Frames are small, and each is waited for.
    client.set_nodelay(true).ok()?;
    server.set_nodelay(true).ok()?;
    let startup = frames::startup(&mut client).await?;
    let is_writer = startup.windows(6).any(|word| word == b"writer");
    server.write_all(&startup).await.ok()?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let wire = Wire { state, is_writer, answer: Mutex::new(None) };
    tokio::select! {
        end = wire.ask(from_client, to_server) => end,
        end = wire.answer(from_server, to_client) => end,
    }
}

impl Wire {
    /// Carries what the client says.
    async fn ask(&self, from: OwnedReadHalf, mut to: OwnedWriteHalf) -> Option<()> {
        let mut frames = Frames::of(from);
        while let Some(frame) = frames.next().await {
            if self.is_writer && frames::is_commit(&frame) {
                match self.mischief() {
                    Some(Mischief::CutBefore) => return None,
                    Some(Mischief::StallBefore) => tokio::time::sleep(STALL).await,
                    after @ Some(Mischief::CutAfter | Mischief::StallAfter) => {
                        *self.answer.lock().unwrap() = after;
                    }
                    None => {}
                }
            }
            to.write_all(&frame).await.ok()?;
        }
        None
    }

    /// Carries what the server answers.
    async fn answer(&self, from: OwnedReadHalf, mut to: OwnedWriteHalf) -> Option<()> {
        let mut frames = Frames::of(from);
        while let Some(frame) = frames.next().await {
            let mischief = *self.answer.lock().unwrap();
            match mischief {
                // Once the server is ready again, the COMMIT is done.
                Some(Mischief::CutAfter) if frames::is_ready(&frame) => return None,
                Some(Mischief::CutAfter) => continue,
                Some(_) if frames::is_ready(&frame) => {
                    *self.answer.lock().unwrap() = None;
                    tokio::time::sleep(STALL).await;
                }
                Some(_) | None => {}
            }
            to.write_all(&frame).await.ok()?;
        }
        None
    }

    /// What this COMMIT meets with.
    fn mischief(&self) -> Option<Mischief> {
        let state = &self.state;
        let (kinds, percent) = &*state.mischief.lock().unwrap();
        if !rand::rng().random_ratio(*percent, 100) {
            return None;
        }
        state.done.fetch_add(1, Ordering::SeqCst);
        if state.shuts.load(Ordering::SeqCst) {
            state.shut.store(true, Ordering::SeqCst);
        }
        kinds.choose(&mut rand::rng()).copied()
    }
}
