//! Commands, and holds to try, waiting for their partition.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use dispensary::{AppendError, Appended, Origin, Tried};
use dispense_domain::{Command, CreateHold, MedicationRequestId};
use tokio::sync::{mpsc, oneshot};

/// The most commands that wait for one partition.
pub(crate) const LENGTH: usize = 1024;

/// A wish that has not begun by then never will.
const PATIENCE: Duration = Duration::from_secs(2);

const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const GIVEN_UP: u8 = 2;

/// What is wanted of a batch.
#[derive(Debug)]
pub(crate) enum Wish {
    /// That a command is decided and recorded.
    Record(Command),
    /// That every rule judges a hold, and no event is recorded.
    TryOut(Arc<CreateHold>),
}

/// What a wish brought about.
#[derive(Debug)]
pub(crate) enum Granted {
    /// The events of a command.
    Recorded(Appended),
    /// What every rule says.
    Tried(Tried),
}

/// What a wish gets.
pub(crate) type Outcome = Result<Granted, AppendError>;

/// A wish that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) request: MedicationRequestId,
    pub(crate) wish: Wish,
    pub(crate) origin: Origin,
    since: Instant,
    stage: Arc<AtomicU8>,
    answer: oneshot::Sender<Outcome>,
}

impl Waiting {
    /// Begins it, unless its caller was told that it never will.
    pub(crate) fn begin(&self) -> bool {
        self.since.elapsed() < PATIENCE
            && self
                .stage
                .compare_exchange(WAITING, BEGUN, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// Answers its caller; one that has gone away changes nothing.
    pub(crate) fn answer(self, outcome: Outcome) {
        let _ = self.answer.send(outcome);
    }
}

/// Puts a wish into a queue and waits for its answer.
pub(crate) async fn ask(
    queue: &mpsc::Sender<Waiting>,
    request: MedicationRequestId,
    wish: Wish,
    origin: Origin,
) -> Outcome {
    let stage = Arc::new(AtomicU8::new(WAITING));
    let (answer, mut answered) = oneshot::channel();
    let since = Instant::now();
    let waiting = Waiting { request, wish, origin, since, stage: stage.clone(), answer };
    // Full or closed: there is no room.
    queue.try_send(waiting).map_err(|_| AppendError::Busy)?;

    let gone = |stage: &AtomicU8| match stage.load(Ordering::Acquire) {
        BEGUN => AppendError::OutcomeUnknown,
        _ => AppendError::Busy,
    };
    if let Ok(outcome) = tokio::time::timeout(PATIENCE, &mut answered).await {
        return outcome.unwrap_or_else(|_| Err(gone(&stage)));
    }
    let never_begins =
        stage.compare_exchange(WAITING, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire).is_ok();
    if never_begins {
        return Err(AppendError::Busy);
    }
    answered.await.unwrap_or_else(|_| Err(gone(&stage)))
}
