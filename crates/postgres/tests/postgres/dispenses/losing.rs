//! A row that was lost: the follower notices, says at which event, and goes no further.

use std::fmt::Debug;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::told::{Log, Told};

/// Hands over what is said as an error.
struct Errors(UnboundedSender<String>);

impl Subscriber for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Said(&self.0));
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Said<'a>(&'a UnboundedSender<String>);

impl Visit for Said<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0.send(format!("{value:?}")).unwrap();
        }
    }
}

/// On one thread, so that what followers say there is heard.
#[tokio::test]
async fn an_end_without_its_row_stops_the_follower_until_the_row_is_back() {
    let mut log = Log::new().await;
    let told = Told::on(1);
    let (lost, other) = (log.held(&told).await, log.held(&told).await);
    log.followed().await;
    let admin = log.database.admin.clone();
    let run = async |statement: &str| {
        sqlx::query(statement).execute(&admin).await.unwrap();
    };
    run("CREATE TABLE aside AS SELECT * FROM dispenses_v1 WHERE opened_position = 1").await;
    run("DELETE FROM dispenses_v1 WHERE opened_position = 1").await;
    log.ended(&told, other, "Cancelled").await;
    log.ended(&told, lost, "Processed").await;

    let (said, mut errors) = unbounded_channel();
    let listening = tracing::subscriber::set_default(Errors(said));
    let stop = CancellationToken::new();
    let running = log.following(&stop).await;
    let error = errors.recv().await.unwrap();
    assert_eq!(
        error,
        "a follower stopped: stuck at position 4: 1 dispenses ended, and 0 of them are kept in \
         dispenses"
    );
    stop.cancel();
    for follower in running {
        follower.await.unwrap();
    }
    drop(listening);
    assert_eq!(log.row(other).await["stage"], "cancelled", "what stands before it is kept");

    run("INSERT INTO dispenses_v1 SELECT * FROM aside").await;
    log.followed().await;
    for (id, stage) in [(lost, "processed"), (other, "cancelled")] {
        assert_eq!(log.row(id).await["stage"], stage);
    }
}
