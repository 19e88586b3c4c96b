//! The event log: its writers, and its readers.

mod explain;
mod past;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dispensary::past::{Subject, Told};
use dispensary::{
    AppendError, Appended, EventLog, LogPosition, Origin, Recorded, Stream, Tried, Unavailable,
    Unnamed,
};
use dispense_domain::{
    Command, CreateHold, DispenseEvent, DispenseId, MedicationRequestId, Partitions, Terms, upcast,
};
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{PgPool, Row};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::queue::{self, Granted, Outcome, Waiting, Wish};
use crate::settings::{self, LogSettings, NotServable};
use crate::writer::Writer;
use crate::{PgRegistry, contents};

/// The event log in PostgreSQL.
#[derive(Debug)]
pub struct PgLog {
    pool: PgPool,
    settings: LogSettings,
    queues: Vec<mpsc::Sender<Waiting>>,
    written: Vec<watch::Receiver<i64>>,
}

/// The writers of this process, while they run.
#[derive(Debug)]
pub struct Running(Vec<JoinHandle<()>>);

impl Running {
    /// Waits until every queue is empty and every writer has stopped.
    pub async fn finished(self) {
        for writer in self.0 {
            if let Err(error) = writer.await {
                tracing::error!("a writer did not stop as it should: {error}");
            }
        }
    }
}

impl PgLog {
    /// Reads the settings of the log, and looks whether this service may serve it.
    ///
    /// # Errors
    ///
    /// Why it may not; each says what to do.
    pub async fn settings(
        pool: &PgPool,
        partitions: Option<Partitions>,
    ) -> Result<LogSettings, NotServable> {
        settings::read(pool, partitions).await
    }

    /// Starts a writer for each partition. When `stop` is cancelled, new commands are refused and
    /// what waits is finished.
    #[must_use]
    pub fn start(
        pool: PgPool,
        options: &PgConnectOptions,
        settings: LogSettings,
        registry: &Arc<PgRegistry>,
        terms: &Arc<Terms>,
        stop: &CancellationToken,
    ) -> (Self, Running) {
        let (mut queues, mut written, mut running) = (Vec::new(), Vec::new(), Vec::new());
        for partition in settings.partitions.all() {
            let (queue, waiting) = mpsc::channel(queue::LENGTH);
            let (told, seen) = watch::channel(0);
            let writer = WriterOf {
                partition,
                options: options.clone(),
                registry: registry.clone(),
                terms: terms.clone(),
                written: told,
            };
            running.push(tokio::spawn(supervise(writer, waiting, stop.clone())));
            queues.push(queue);
            written.push(seen);
        }
        (Self { pool, settings, queues, written }, Running(running))
    }

    /// The log to read from: nothing can be appended.
    #[must_use]
    pub const fn to_read(pool: PgPool, settings: LogSettings) -> Self {
        Self { pool, settings, queues: Vec::new(), written: Vec::new() }
    }

    /// What the database says about the log.
    #[must_use]
    pub const fn log_settings(&self) -> LogSettings {
        self.settings
    }

    /// Where it is read.
    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Tells when this process has written to a partition.
    #[must_use]
    pub fn written(&self, partition: u16) -> Option<watch::Receiver<i64>> {
        self.written.get(usize::from(partition)).cloned()
    }

    async fn ask(&self, request: MedicationRequestId, wish: Wish, origin: Origin) -> Outcome {
        let partition = self.settings.partitions.of_request(request);
        let queue = self.queues.get(usize::from(partition)).ok_or(AppendError::Bug)?;
        queue::ask(queue, request, wish, origin).await
    }
}

/// What a writer is made of, for as often as it has to be made.
#[derive(Clone)]
struct WriterOf {
    partition: u16,
    options: PgConnectOptions,
    registry: Arc<PgRegistry>,
    terms: Arc<Terms>,
    written: watch::Sender<i64>,
}

/// Runs the writer of a partition, and a new one if it should ever panic. The queue outlives it.
async fn supervise(of: WriterOf, queue: mpsc::Receiver<Waiting>, stop: CancellationToken) {
    let queue = Arc::new(tokio::sync::Mutex::new(queue));
    loop {
        let (made_of, queue, stop) = (of.clone(), queue.clone(), stop.clone());
        let running = tokio::spawn(async move {
            let WriterOf { partition, options, registry, terms, written } = made_of;
            let mut writer = Writer::new(partition, options, registry, terms, written);
            writer.run(&mut *queue.lock().await, &stop).await;
        });
        let Err(error) = running.await else { return };
        metrics::counter!("dispense_writer_restarts_total").increment(1);
        tracing::error!(partition = of.partition, "the writer died, and is started again: {error}");
    }
}

#[async_trait]
impl EventLog for PgLog {
    async fn append(
        &self,
        request: MedicationRequestId,
        command: Command,
        origin: Origin,
    ) -> Result<Appended, AppendError> {
        match self.ask(request, Wish::Record(command), origin).await? {
            Granted::Recorded(appended) => Ok(appended),
            Granted::Tried(_) => Err(AppendError::Bug),
        }
    }

    async fn try_out(
        &self,
        request: MedicationRequestId,
        command: Arc<CreateHold>,
        origin: Origin,
    ) -> Result<Tried, AppendError> {
        match self.ask(request, Wish::TryOut(command), origin).await? {
            Granted::Tried(tried) => Ok(tried),
            Granted::Recorded(_) => Err(AppendError::Bug),
        }
    }

    async fn request_of(
        &self,
        dispense: DispenseId,
    ) -> Result<Option<MedicationRequestId>, Unavailable> {
        let partition = self.settings.partitions.of_dispense(dispense);
        let reading = sqlx::query_scalar::<_, String>(
            "SELECT aggregate_id FROM events
             WHERE event_type = 'HoldCreated' AND dispense_id = $1 AND partition = $2",
        )
        .bind(dispense.uuid())
        .bind(partition.cast_signed())
        .fetch_optional(&self.pool);
        let found = within(reading).await?;
        let parsed = found.map(|id| id.parse::<Uuid>()).transpose();
        Ok(parsed.map_err(Unavailable::database)?.map(MedicationRequestId::from))
    }

    async fn stream(&self, request: MedicationRequestId) -> Result<Stream, Unavailable> {
        let partition = self.settings.partitions.of_request(request);
        let reading = sqlx::query(STREAM)
            .bind(partition.cast_signed())
            .bind(request.to_string())
            .fetch_all(&self.pool);
        let rows = within(reading).await?;
        read_stream(partition, &rows).map_err(Unavailable::database)
    }

    async fn told(&self) -> Result<Told, Unavailable> {
        self.first_and_now().await
    }

    async fn settle(&self, subject: Subject) -> Result<(), Unavailable> {
        let partition = match subject {
            Subject::Dispense(id) => self.settings.partitions.of_dispense(id),
            Subject::Request(id) => self.settings.partitions.of_request(id),
        };
        self.batch_in_hand(partition).await
    }

    async fn unnamed(&self, keys: Vec<String>) -> Result<Unnamed, Unavailable> {
        contents::unnamed(&self.pool, self.settings.partitions, keys).await
    }
}

/// How long a question may take: a server that is frozen in the middle of one answers to no timeout
/// of its own.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

/// Waits for an answer, and not for ever.
pub(crate) async fn within<T>(
    asking: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Unavailable> {
    match tokio::time::timeout(ANSWERED_WITHIN, asking).await {
        Ok(answer) => answer.map_err(Unavailable::database),
        Err(_) => Err(Unavailable::database("no answer in time")),
    }
}

/// A stream with its personal bodies, and the instant for which it is read: the database's, never
/// before the last of the partition. One row without an event if there is none. The order within has
/// the planner walk along the stream: where the log is young, a whole partition seems as good, and a
/// plan outlives that.
const STREAM: &str = "
SELECT greatest(now.at, h.recorded_at) AS at, h.position AS head, e.position, e.sequence, e.event_id, e.recorded_at,
       e.event_type, e.event_version, e.payload::text AS payload, e.metadata::text AS metadata,
       b.body::text AS body
FROM (SELECT clock_timestamp() AS at) now
CROSS JOIN (SELECT position, recorded_at FROM log_head WHERE partition = $1) h
LEFT JOIN (
    SELECT partition, position, sequence, event_id, recorded_at, event_type, event_version, payload,
           metadata
    FROM events WHERE aggregate_type = 'dispense' AND aggregate_id = $2 AND partition = $1
    ORDER BY sequence
) e ON true
LEFT JOIN personal_bodies b ON b.partition = e.partition AND b.position = e.position
ORDER BY e.sequence";

fn read_stream(
    partition: u16,
    rows: &[PgRow],
) -> Result<Stream, Box<dyn std::error::Error + Send + Sync>> {
    let first = rows.first().ok_or("the log has no such partition")?;
    let at = first.try_get("at")?;
    let position = LogPosition { partition, position: first.try_get("head")? };
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        if row.try_get::<Option<i64>, _>("position")?.is_some() {
            events.push(recorded(partition, row)?);
        }
    }
    Ok(Stream { events, at, position })
}

/// The event of a row, with its personal body.
pub(crate) fn recorded(
    partition: u16,
    row: &PgRow,
) -> Result<Recorded, Box<dyn std::error::Error + Send + Sync>> {
    let metadata: BTreeMap<String, String> = serde_json::from_str(row.try_get("metadata")?)?;
    let body: Option<String> = row.try_get("body")?;
    Ok(Recorded {
        place: LogPosition { partition, position: row.try_get("position")? },
        sequence: row.try_get("sequence")?,
        event_id: row.try_get("event_id")?,
        recorded_at: row.try_get("recorded_at")?,
        event: event(row)?,
        body: body.map(Arc::from),
        metadata,
    })
}

fn event(row: &PgRow) -> Result<DispenseEvent, Box<dyn std::error::Error + Send + Sync>> {
    let (kind, version): (String, String) =
        (row.try_get("event_type")?, row.try_get("event_version")?);
    if !upcast::is_known(&kind, &version) {
        return Err(format!("the log has a {kind} {version}, which is newer than this").into());
    }
    Ok(DispenseEvent::from_json(row.try_get("payload")?)?)
}
