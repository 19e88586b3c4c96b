//! The one who appends to a partition, a batch at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dispense_domain::{
    Command, DispenseEvent, LegalEntityId, MedicationRequestId, Terms, evolve, upcast,
};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Executor, PgConnection};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::PgRegistry;
use crate::batch::{Deciding, Ground};
use crate::clock::Clock;
use crate::fault::Fault;
use crate::folded::{Folded, Remembered};
use crate::look::look;
use crate::queue::{Outcome, Waiting, Wish};
use crate::rows::Appender;
use crate::statements::{self, BEGIN, Head, Raw};
use crate::{answers, connect, outcome};

/// The most commands in a batch.
const BATCH: usize = 256;

/// The most events of others that are folded in; beyond, forgetting is cheaper.
const CATCH_UP: i64 = 1_000;

/// How long everything before COMMIT may take; the server's own timeouts are shorter, but a server
/// that is stopped keeps none.
const PREPARE_WITHIN: Duration = Duration::from_secs(2);

/// How long COMMIT may take before its outcome is asked for elsewhere.
const COMMIT_WITHIN: Duration = Duration::from_secs(1);

/// How often a batch is decided afresh.
const ATTEMPTS: usize = 3;

/// What a writer is made of.
pub(crate) struct Writer {
    pub(crate) partition: u16,
    pub(crate) options: PgConnectOptions,
    pub(crate) registry: Arc<PgRegistry>,
    pub(crate) terms: Arc<Terms>,
    /// Wakes the followers of this process: the last position.
    pub(crate) written: watch::Sender<i64>,
    db: Option<PgConnection>,
    remembered: Remembered,
    clock: Clock,
}

/// A batch that was decided and written, but for COMMIT.
struct Prepared {
    outcomes: Vec<Outcome>,
    streams: HashMap<MedicationRequestId, Folded>,
    log: Appender,
}

impl Writer {
    pub(crate) fn new(
        partition: u16,
        options: PgConnectOptions,
        registry: Arc<PgRegistry>,
        terms: Arc<Terms>,
        written: watch::Sender<i64>,
    ) -> Self {
        let remembered = Remembered::nothing();
        let clock = Clock::default();
        Self { partition, options, registry, terms, written, db: None, remembered, clock }
    }

    const fn number(&self) -> i16 {
        self.partition.cast_signed()
    }

    /// Writes what waits until `stop` is cancelled and the queue is empty. While one batch commits, the next one
    /// gathers.
    pub(crate) async fn run(
        &mut self,
        queue: &mut mpsc::Receiver<Waiting>,
        stop: &CancellationToken,
    ) {
        let depth = metrics::gauge!("dispense_queue_depth", "partition" => self.label());
        let mut waiting = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                // From now on there is no room; what waits is finished.
                () = stop.cancelled(), if !queue.is_closed() => queue.close(),
                received = queue.recv_many(&mut waiting, BATCH) => if received == 0 { return },
            }
            #[allow(clippy::cast_precision_loss, reason = "a queue is short")]
            depth.set(queue.len() as f64);
            let batch = waiting.drain(..).filter_map(begun).collect();
            self.write(batch).await;
        }
    }

    fn label(&self) -> String {
        self.partition.to_string()
    }

    /// Writes a batch, in ever smaller pieces if something in it cannot be written.
    async fn write(&mut self, batch: Vec<Waiting>) {
        let mut pieces = vec![batch];
        while let Some(mut piece) = pieces.pop() {
            if piece.is_empty() {
                continue;
            }
            match self.attempts(&piece).await {
                Ok(outcomes) => {
                    for (waiting, outcome) in piece.into_iter().zip(outcomes) {
                        answers::give(waiting, outcome);
                    }
                }
                Err(Fault::Culprit(error) | Fault::Stale(error)) if piece.len() > 1 => {
                    tracing::warn!(partition = self.partition, "a batch is halved: {error}");
                    let rest = piece.split_off(piece.len() / 2);
                    pieces.extend([rest, piece]);
                }
                Err(fault) => answers::give_all(self.partition, piece, &fault),
            }
        }
    }

    /// Tries a batch until its outcome is known.
    async fn attempts(&mut self, batch: &[Waiting]) -> Result<Vec<Outcome>, Fault> {
        let mut stale = false;
        for _ in 0..ATTEMPTS {
            let result = self.attempt(batch).await;
            if result.is_err() {
                // Whatever went wrong, nothing remembered is worth more than the truth.
                self.remembered.drop_all();
            }
            match result {
                Err(Fault::Stale(error)) if !stale => {
                    stale = true;
                    metrics::counter!("dispense_stale_writers_total").increment(1);
                    tracing::error!(
                        partition = self.partition,
                        "the log has an event that this writer did not know: {error}"
                    );
                }
                Err(Fault::RolledBack) => {}
                other => return other,
            }
        }
        Err(Fault::Unavailable("the database rolled the batch back again and again".into()))
    }

    async fn attempt(&mut self, batch: &[Waiting]) -> Result<Vec<Outcome>, Fault> {
        let mut db = match self.db.take() {
            Some(db) => db,
            None => connect::writer(&self.options).await.map_err(Fault::of)?,
        };
        let prepared =
            match tokio::time::timeout(PREPARE_WITHIN, self.prepare(&mut db, batch)).await {
                Ok(Ok(prepared)) => prepared,
                Ok(Err(fault)) => {
                    // After a rollback that works, the connection is as good as new.
                    let back = tokio::time::timeout(COMMIT_WITHIN, db.execute("ROLLBACK")).await;
                    self.db = back.is_ok_and(|back| back.is_ok()).then_some(db);
                    return Err(fault);
                }
                Err(_) => return Err(Fault::silent()),
            };
        let start = Instant::now();
        let answered = tokio::time::timeout(COMMIT_WITHIN, db.execute("COMMIT")).await;
        if let Ok(Ok(_)) = answered {
            self.db = Some(db);
        } else {
            // Any error at COMMIT, a lost connection among them, means: unknown.
            drop(db);
            match self.learn(&prepared).await {
                Err(Fault::Unknown) => {
                    self.remembered.drop_all();
                    return Ok(answers::unknown(prepared.outcomes));
                }
                learnt => learnt?,
            }
        }
        metrics::histogram!("dispense_commit_seconds").record(start.elapsed());
        let end = prepared.log.end;
        self.remembered.publish(end, prepared.streams);
        if !prepared.log.is_empty() {
            self.written.send_replace(end.position);
        }
        Ok(prepared.outcomes)
    }

    /// Learns what became of a COMMIT that nobody answered.
    async fn learn(&mut self, prepared: &Prepared) -> Result<(), Fault> {
        metrics::counter!("dispense_lost_commits_total").increment(1);
        tracing::warn!(partition = self.partition, "the answer to a commit was lost");
        if prepared.log.is_empty() {
            return Err(Fault::RolledBack);
        }
        let found = outcome::committed(&self.options, self.number(), prepared.log.end).await;
        let (committed, db) = found.ok_or(Fault::Unknown)?;
        self.db = Some(db);
        if committed { Ok(()) } else { Err(Fault::RolledBack) }
    }

    /// Everything of a batch but COMMIT.
    async fn prepare(
        &mut self,
        db: &mut PgConnection,
        batch: &[Waiting],
    ) -> Result<Prepared, Fault> {
        let start = Instant::now();
        db.execute(BEGIN).await.map_err(Fault::of)?;
        let head = statements::lock_head(db, self.number()).await.map_err(Fault::of)?;
        let locked = Instant::now();
        metrics::histogram!("dispense_lock_seconds").record(locked - start);

        let requests = distinct(batch);
        let clients = clients(batch);
        let found = look(&mut *db, self.number(), &requests, &clients).await.map_err(Fault::of)?;
        let at = self
            .clock
            .told(found.at, head.recorded_at, [locked, Instant::now()])
            .ok_or(Fault::ClockUnsound)?;
        let registries = self
            .registry
            .at_least(found.registry_version)
            .await
            .map_err(|error| Fault::Unavailable(error.into()))?;
        let streams = self.streams(db, head, &requests).await?;

        let ground =
            Ground { registries: &registries, terms: &self.terms, at, requests: found.requests };
        let log = Appender::after(self.partition, head.end, at);
        let mut deciding = Deciding { ground, streams, log, wrong_codes: found.wrong_codes };
        let deciding_since = Instant::now();
        let mut outcomes = Vec::with_capacity(batch.len());
        for waiting in batch {
            outcomes.push(deciding.grant(waiting).await);
        }
        metrics::histogram!("dispense_decide_seconds").record(deciding_since.elapsed());
        #[allow(clippy::cast_precision_loss, reason = "a batch is small")]
        metrics::histogram!("dispense_batch_commands").record(batch.len() as f64);

        let Deciding { streams, log, wrong_codes, .. } = deciding;
        wrong_codes.write(db, self.number()).await.map_err(Fault::of)?;
        if !log.is_empty() {
            let written = statements::insert(db, self.number(), at, &log.rows, log.end).await;
            written.map_err(Fault::of)?;
        }
        Ok(Prepared { outcomes, streams, log })
    }

    /// Copies of the streams of those requests: remembered ones, if the head is where this writer
    /// left it or can be caught up with, and the others from the log.
    async fn streams(
        &mut self,
        db: &mut PgConnection,
        head: Head,
        requests: &[MedicationRequestId],
    ) -> Result<HashMap<MedicationRequestId, Folded>, Fault> {
        self.catch_up(db, head).await?;
        let mut streams = HashMap::with_capacity(requests.len());
        let mut unknown = Vec::new();
        for request in requests {
            match self.remembered.get(*request) {
                Some(folded) => {
                    streams.insert(*request, folded.clone());
                }
                None => unknown.push(*request),
            }
        }
        if unknown.is_empty() {
            return Ok(streams);
        }
        let read = statements::streams(db, self.number(), &unknown).await.map_err(Fault::of)?;
        for raw in read {
            let (request, event) = understood(&raw)?;
            let folded = streams.entry(request).or_default();
            fold(folded, raw.sequence, &event);
        }
        Ok(streams)
    }

    /// Brings what is remembered up to the locked head, or forgets it.
    async fn catch_up(&mut self, db: &mut PgConnection, head: Head) -> Result<(), Fault> {
        let Some(end) = self.remembered.end().filter(|end| *end != head.end) else {
            return Ok(());
        };
        let missed = head.end.position - end.position;
        if end.position == 0 || !(1..=CATCH_UP).contains(&missed) {
            self.remembered.drop_all();
            return Ok(());
        }
        let since = statements::since(db, self.number(), end.position, head.end.position);
        match since.await.map_err(Fault::of)? {
            Some((hash, raws)) if hash == end.hash => {
                for raw in raws {
                    let (request, event) = understood(&raw)?;
                    if let Some(folded) = self.remembered.peek_mut(request) {
                        fold(folded, raw.sequence, &event);
                    }
                }
                self.remembered.publish(head.end, []);
            }
            Some(_) | None => self.remembered.drop_all(),
        }
        Ok(())
    }
}

/// Begins a command, or lets it go: its caller was told that it never will.
fn begun(waiting: Waiting) -> Option<Waiting> {
    if waiting.begin() {
        return Some(waiting);
    }
    waiting.answer(Err(dispensary::AppendError::Busy));
    None
}

/// The medication requests of a batch, each once.
fn distinct(batch: &[Waiting]) -> Vec<MedicationRequestId> {
    let mut requests: Vec<_> = batch.iter().map(|waiting| waiting.request).collect();
    requests.sort_unstable();
    requests.dedup();
    requests
}

/// The legal entities that ask for holds in a batch, each once: their wrong codes count.
fn clients(batch: &[Waiting]) -> Vec<LegalEntityId> {
    let hold = |waiting: &Waiting| match &waiting.wish {
        Wish::Record(Command::CreateHold(command)) | Wish::TryOut(command) => Some(command.client),
        Wish::Record(Command::Process(_) | Command::Cancel(_) | Command::Expire(_)) => None,
    };
    let mut clients: Vec<_> = batch.iter().filter_map(hold).collect();
    clients.sort_unstable();
    clients.dedup();
    clients
}

/// The event of a row. One that this version does not know leaves the partition to others.
fn understood(raw: &Raw) -> Result<(MedicationRequestId, DispenseEvent), Fault> {
    let refuse = |why: String| Fault::Unavailable(why.into());
    if !upcast::is_known(&raw.event_type, &raw.event_version) {
        let (kind, version) = (&raw.event_type, &raw.event_version);
        return Err(refuse(format!("the log has a {kind} {version}, which is newer than this")));
    }
    let event = serde_json::from_str(&raw.payload).map_err(|error| refuse(error.to_string()))?;
    let id: Uuid =
        raw.aggregate_id.parse().map_err(|error: uuid::Error| refuse(error.to_string()))?;
    Ok((id.into(), event))
}

fn fold(folded: &mut Folded, sequence: i64, event: &DispenseEvent) {
    folded.state = evolve(std::mem::take(&mut folded.state), event);
    folded.sequence = sequence;
}
