//! A thread for what blocks: librdkafka's transactions wait for the brokers, for seconds if need be, and
//! there are as many as the log has partitions. The threads that the runtime has for such calls belong to
//! others too.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::GivenUp;

/// How often a client that has nothing to do hears what librdkafka has to say.
const LISTENS_EVERY: Duration = Duration::from_millis(500);

/// How long is waited for a thread that ends.
const ENDS_WITHIN: Duration = Duration::from_secs(3);

/// What the thread is to do with what lives there.
type Order<T> = Box<dyn FnOnce(&mut Option<T>) + Send>;

/// A thread, with what lives there: a producer and what belongs to it. What it does at the moment it
/// does to the end, or until it notices that it was dropped.
pub(crate) struct OwnThread<T> {
    orders: mpsc::Sender<Order<T>>,
    given_up: GivenUp,
    ended: Option<oneshot::Receiver<()>>,
}

/// The thread has died.
#[derive(Debug, thiserror::Error)]
#[error("the thread of a producer has died; that is a bug")]
pub(crate) struct ThreadGone;

impl<T: 'static> OwnThread<T> {
    /// A thread of that name, on which nothing lives yet. What will is told now and then to `listen`.
    pub(crate) fn start(name: String, listen: fn(&T)) -> std::io::Result<Self> {
        let (orders, incoming) = mpsc::channel::<Order<T>>();
        let (end, ended) = oneshot::channel();
        std::thread::Builder::new().name(name).spawn(move || {
            let mut living = None;
            loop {
                match incoming.recv_timeout(LISTENS_EVERY) {
                    Ok(order) => order(&mut living),
                    Err(RecvTimeoutError::Timeout) => living.iter().for_each(listen),
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            drop(living);
            // Whoever waited for this may have stopped waiting.
            let _ = end.send(());
        })?;
        Ok(Self { orders, given_up: GivenUp::default(), ended: Some(ended) })
    }

    /// Runs that there.
    pub(crate) async fn run<A: Send + 'static>(
        &self,
        order: impl FnOnce(&mut Option<T>, GivenUp) -> A + Send + 'static,
    ) -> Result<A, ThreadGone> {
        let (answer, answered) = oneshot::channel();
        let given_up = self.given_up.clone();
        let order = Box::new(move |living: &mut Option<T>| {
            // Whoever asked may have gone.
            let _ = answer.send(order(living, given_up));
        });
        self.orders.send(order).map_err(|_| ThreadGone)?;
        answered.await.map_err(|_| ThreadGone)
    }

    /// Ends it: what waits for the brokers gives up, and the producer is thrown away.
    pub(crate) async fn end(mut self) {
        let ended = self.ended.take();
        drop(self);
        if let Some(ended) = ended {
            // Where it waits for brokers that hang, it is left alone: what it could still do was fenced,
            // or will be.
            let _ = tokio::time::timeout(ENDS_WITHIN, ended).await;
        }
    }
}

impl<T> Drop for OwnThread<T> {
    fn drop(&mut self) {
        self.given_up.give_up();
    }
}
