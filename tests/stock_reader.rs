//! The stock repository of postgres-es, unmodified, reads our streams and folds them to the same
//! state.

use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore};
use cqrs_es::{DomainEvent, EventStore};
use dispense_domain::{DispenseEvent, Dispensing, evolve};
use postgres_es::PostgresEventRepository;
use std::time::Duration;

use crate::harness::{Audit, Crowd, Database, Instance, Terms, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_stock_repository_folds_our_streams_to_the_same_state() {
    let database = Database::new().await;
    let world = World::new(4, 5);
    database.import(&world.lines());
    let short = [("MEDICATION_DISPENSE_EXPIRATION", "1s")];
    let instance = Instance::start_with(&database, &short).await;
    let all = [Terms::InParts, Terms::Whole, Terms::InPartsAtOnce, Terms::WholeAtOnce];
    let crowd = Crowd {
        pharmacies: world.pharmacies.clone(),
        doors: vec![instance.url.clone()],
        requests: all.into_iter().flat_map(|terms| world.all(terms)).collect(),
        insists: true,
    };
    let requests = crowd.requests.clone();
    crowd.go_on_until_done(8, Duration::from_secs(3), 60).await;
    drop(instance);

    let audit = Audit::of(&database).await;
    assert!(audit.count("Cancelled") > 0 && audit.count("Processed") > 0);
    let store = PersistedEventStore::<_, Dispensing>::new_event_store(
        PostgresEventRepository::new(database.pool.clone()),
    );
    let repository = PostgresEventRepository::new(database.pool.clone());
    for what in &requests {
        let rows = audit.of_request(what.id);
        let events: Vec<DispenseEvent> =
            rows.iter().map(|row| serde_json::from_str(&row.payload_text).unwrap()).collect();
        let ours = events.iter().fold(Dispensing::default(), evolve);

        let context = store.load_aggregate(&what.id.to_string()).await.unwrap();
        assert_eq!(context.aggregate, ours);
        assert_eq!(context.current_sequence, rows.len());
        let loaded = store.load_events(&what.id.to_string()).await.unwrap();
        let payloads: Vec<_> = loaded.into_iter().map(|envelope| envelope.payload).collect();
        assert_eq!(payloads, events);

        let mut replay =
            repository.stream_events::<Dispensing>(&what.id.to_string()).await.unwrap();
        let mut replayed = 0;
        while let Some(envelope) = replay.next::<Dispensing>(&[]).await {
            let envelope = envelope.unwrap();
            assert_eq!(envelope.sequence, replayed + 1);
            assert_eq!(envelope.payload.event_type(), rows[replayed].kind);
            assert_eq!(envelope.payload.event_version(), rows[replayed].version);
            replayed += 1;
        }
        assert_eq!(replayed, rows.len());
    }
}
