//! Checkpoints: what is signed, and what stops the signing.

mod proving;
mod store;

use std::sync::Arc;
use std::time::Duration;

use dispensary::SignedCheckpoint;
use dispense_audit::checkpoint::Checkpoint;
use dispense_audit::erasure;
use dispense_audit::note::{self, SigningKey};
use dispense_postgres::{CheckpointKeeper, Finding, NotTaken, Taken};

use self::store::Store;
use crate::tree::sown::{PARTITION, Sown};

/// A log, its store, and who keeps its checkpoints.
struct Kept {
    log: Sown,
    store: Arc<Store>,
    key: Arc<SigningKey>,
}

impl Kept {
    async fn new() -> Self {
        let key = SigningKey::of_seed("dispense.example.org", [7; 32]).unwrap();
        Self { log: Sown::new().await, store: Arc::default(), key: Arc::new(key) }
    }

    fn keeper(&self) -> CheckpointKeeper {
        let pool = self.log.database.serving.clone();
        CheckpointKeeper::new(pool, self.log.settings(), self.key.clone(), self.store.clone())
    }

    async fn take(&self) -> Taken {
        self.keeper().take(PARTITION).await.unwrap()
    }

    async fn signed(&self) -> SignedCheckpoint {
        match self.take().await {
            Taken::Signed(signed) => signed,
            other => panic!("{other:?}"),
        }
    }

    async fn diverged(&self) -> String {
        match self.take().await {
            Taken::Diverged(why) => why,
            other => panic!("{other:?}"),
        }
    }

    async fn found(&self) -> Finding {
        self.keeper().findings().await.unwrap().remove(0)
    }

    async fn count(&self) -> i64 {
        self.log.database.number("SELECT count(*) FROM checkpoints").await
    }

    /// The database as it was when it had so many rows: with its checkpoints of that time.
    async fn restore(&self, size: usize) {
        let hash = hex::encode(self.log.hashes[size - 1]);
        self.log
            .forge(&[
                &format!("DELETE FROM events WHERE position > {size}"),
                &format!("DELETE FROM log_tree_v1 WHERE index >= {size} / 256"),
                &format!("DELETE FROM checkpoints WHERE size > {size}"),
                &format!("UPDATE log_head SET position = {size}, hash = '\\x{hash}'"),
            ])
            .await;
    }
}

fn read(signed: &SignedCheckpoint, key: &SigningKey) -> Checkpoint {
    let trusted = [key.verifier().clone()];
    Checkpoint::read(note::open(signed.note.as_bytes(), &trusted).unwrap().text).unwrap()
}

#[tokio::test]
async fn a_checkpoint_says_what_the_log_is_and_has_a_copy() {
    let mut kept = Kept::new().await;
    assert_eq!(kept.take().await, Taken::Empty);
    kept.log.grow_with_tree(300).await;
    let first = kept.signed().await;
    let said = read(&first, &kept.key);
    assert_eq!((first.number, first.size, first.root), (1, 300, kept.log.root(300)));
    assert_eq!((said.size, said.root, said.partition), (300, first.root, PARTITION));
    assert_eq!(said.erasures.hash, erasure::first(kept.log.database.log_id));
    assert_eq!(kept.take().await, Taken::Unchanged(first.clone()));

    kept.log.grow_with_tree(301).await;
    assert_eq!(kept.signed().await.size, 301);
    assert_eq!(kept.count().await, 2);
    let copies = kept.store.texts();
    assert_eq!(copies.len(), 2);
    assert_eq!(copies[0], *first.note);
}

#[tokio::test]
async fn an_erasure_another_epoch_and_another_key_are_signed_though_the_log_rests() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(3).await;
    kept.signed().await;
    kept.log
        .run(
            "INSERT INTO erasures (number, kind, id, reason, by_user, at, places, hash)
             VALUES (1, 'person', gen_random_uuid(), 'asked', 'x', now(), '[]', sha256('1'))",
        )
        .await;
    let erased = read(&kept.signed().await, &kept.key);
    assert_eq!(erased.erasures.number, 1);
    kept.log.run("UPDATE log_settings SET epoch = epoch + 1").await;
    assert_eq!(read(&kept.signed().await, &kept.key).epoch, erased.epoch + 1);
    kept.key = Arc::new(SigningKey::of_seed("dispense.example.org", [8; 32]).unwrap());
    read(&kept.signed().await, &kept.key);
    assert!(matches!(kept.take().await, Taken::Unchanged(_)));
    assert_eq!(kept.store.texts().len(), 4, "each has a copy of its own");
}

#[tokio::test]
async fn a_log_that_lost_its_tail_is_found_by_the_checkpoint_of_the_database() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(600).await;
    kept.signed().await;
    kept.log
        .forge(&["DELETE FROM events WHERE position > 590", "UPDATE log_head SET position = 590"])
        .await;
    let why = kept.diverged().await;
    assert!(
        why.contains("ends at position 590") && why.contains("the database covers 600"),
        "{why}"
    );
    assert_eq!(kept.found().await.diverged, Some(why));
    assert_eq!(kept.count().await, 1, "nothing is signed any more");
}

#[tokio::test]
async fn an_older_database_is_found_by_the_copies_until_a_new_epoch_is_declared() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(300).await;
    kept.signed().await;
    kept.log.grow_with_tree(400).await;
    kept.signed().await;
    kept.restore(300).await;
    let why = kept.diverged().await;
    assert!(
        why.contains("ends at position 300") && why.contains("object store covers 400"),
        "{why}"
    );

    // It goes on with other events, and comes to the same size and beyond.
    kept.log.hashes.truncate(300);
    kept.log.hashes[299][0] ^= 1;
    kept.log.grow(450).await;
    let why = kept.diverged().await;
    assert!(why.contains("the first 400 events are not those"), "{why}");

    kept.log.run("UPDATE log_settings SET epoch = epoch + 1").await;
    assert_eq!(kept.signed().await.size, 450);
    assert_eq!(kept.found().await.diverged, None);
}

#[tokio::test]
async fn a_changed_row_is_found_by_the_next_checkpoint() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(300).await;
    kept.signed().await;
    kept.log.grow_with_tree(310).await;
    kept.log.forge(&["UPDATE events SET hash = sha256('other') WHERE position = 290"]).await;
    let why = kept.diverged().await;
    assert!(why.contains("the first 300 events are not those"), "{why}");
}

#[tokio::test]
async fn erasures_that_are_gone_are_found() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(3).await;
    let erasure = "INSERT INTO erasures (number, kind, id, reason, by_user, at, places, hash)
         VALUES (1, 'person', gen_random_uuid(), 'asked', 'x', now(), '[]', sha256('1'))";
    kept.log.run(erasure).await;
    kept.signed().await;
    kept.log.forge(&["UPDATE erasures SET hash = sha256('2')"]).await;
    assert!(kept.diverged().await.contains("covers 1 erasures"));
    kept.log.forge(&["DELETE FROM erasures"]).await;
    assert!(kept.diverged().await.contains("covers 1 erasures"));
}

#[tokio::test]
async fn copies_that_are_missing_or_others_are_told_and_left_until_somebody_restores_them() {
    let mut kept = Kept::new().await;
    for size in 1..=5 {
        kept.log.grow(size).await;
        kept.signed().await;
    }
    assert_eq!((kept.found().await.lost, kept.found().await.lost_why), (0, None));
    kept.store.remove(1);
    kept.store.overwrite(3, "forged\n");
    kept.take().await;
    let found = kept.found().await;
    assert_eq!(found.lost, 2);
    assert!(found.lost_why.unwrap().contains("another text stands in its place"));
    assert_eq!(kept.store.texts().len(), 4, "nothing is put right by itself");
    assert!(kept.store.texts().contains(&"forged\n".to_owned()));
    kept.log.grow(6).await;
    assert_eq!(kept.signed().await.size, 6, "a lost copy does not stop the signing");

    let restored = kept.keeper().restore_copies(PARTITION).await.unwrap();
    assert_eq!((restored.written, restored.others.len()), (1, 1));
    assert!(kept.store.texts().contains(&"forged\n".to_owned()), "it is evidence");
    kept.take().await;
    assert_eq!(kept.found().await.lost, 1);
    kept.store.remove(4);
    assert_eq!(kept.keeper().restore_copies(PARTITION).await.unwrap().written, 1);
    kept.take().await;
    assert_eq!((kept.found().await.lost, kept.found().await.lost_why), (0, None));
}

#[tokio::test]
async fn every_copy_is_looked_at_sooner_or_later() {
    let mut kept = Kept::new().await;
    for size in 1..=70 {
        kept.log.grow(size).await;
        kept.signed().await;
    }
    kept.store.remove(0);
    for _ in 0..4 {
        kept.take().await;
    }
    assert_eq!(kept.found().await.lost, 1);
}

#[tokio::test]
async fn whoever_writes_to_the_store_cannot_stop_the_signing() {
    let mut kept = Kept::new().await;
    kept.log.grow(5).await;
    let signed = kept.signed().await;
    kept.store.add_beyond(&signed.note, 9_000);
    kept.log.grow(6).await;
    assert_eq!(kept.signed().await.size, 6);
    let found = kept.found().await;
    assert_eq!(found.diverged, None);
    assert!(found.lost_why.unwrap().contains("was not signed here"), "but it is told");
}

#[tokio::test]
async fn a_row_that_nobody_signed_hides_no_copy_from_who_signs() {
    let mut kept = Kept::new().await;
    kept.log.grow(30).await;
    let signed = kept.signed().await;
    // The owner of the database rewrites the log, and says that it was signed as it is now.
    kept.restore(20).await;
    kept.log.hashes.truncate(20);
    kept.log.hashes[19][0] ^= 1;
    kept.log.grow(31).await;
    kept.log.hashes[19][0] ^= 1;
    let forged = Checkpoint { size: 31, root: kept.log.root(31), ..read(&signed, &kept.key) };
    let stranger = SigningKey::of_seed("dispense.example.org", [8; 32]).unwrap();
    for (signed_by, why) in [
        (stranger.id(), "the first 30 events are not those"),
        (kept.key.id(), "which has not signed it"),
    ] {
        kept.log.forge(&["DELETE FROM checkpoints"]).await;
        sqlx::query(
            "INSERT INTO checkpoints (partition, number, size, root, epoch, erasures,
                 erasures_hash, note, signed_by, at)
             VALUES ($1, 9, 31, $2, 1, 0, $3, $4, $5, now())",
        )
        .bind(PARTITION.cast_signed())
        .bind(&forged.root[..])
        .bind(&forged.erasures.hash[..])
        .bind(note::sign(&forged.text(), &stranger))
        .bind(&signed_by[..])
        .execute(&kept.log.database.admin)
        .await
        .unwrap();
        let found = kept.diverged().await;
        assert!(found.contains(why), "{found}");
    }
}

#[tokio::test]
async fn a_file_that_somebody_made_up_hides_no_copy_from_who_signs() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(300).await;
    let first = kept.signed().await;
    kept.log.grow_with_tree(400).await;
    kept.signed().await;
    kept.store.add_beyond(&first.note, 9_000);
    kept.restore(300).await;
    let why = kept.diverged().await;
    assert!(why.contains("object store covers 400"), "{why}");
}

#[tokio::test]
async fn a_store_that_is_silent_stops_a_checkpoint_and_no_more() {
    let mut kept = Kept::new().await;
    kept.log.grow(5).await;
    kept.store.fall_silent();
    let silent = kept.keeper().take(PARTITION).await;
    assert!(matches!(silent, Err(NotTaken::Store(_))), "{silent:?}");
    assert_eq!(kept.count().await, 0, "no checkpoint is kept here that has no copy");
    kept.store.speak();
    assert_eq!(kept.signed().await.number, 1);
}

#[tokio::test]
async fn of_several_instances_one_has_the_turn() {
    let mut kept = Kept::new().await;
    kept.log.grow(5).await;
    let hour = Duration::from_hours(1);
    let keepers: Vec<CheckpointKeeper> = (0..8).map(|_| kept.keeper()).collect();
    let turns = keepers.iter().map(|keeper| keeper.turn(PARTITION, hour));
    let turns = futures::future::join_all(turns).await;
    let had: Vec<Taken> = turns.into_iter().filter_map(Result::unwrap).collect();
    assert!(matches!(&had[..], [Taken::Signed(_)]), "{had:?}");
    kept.log.grow(6).await;
    assert_eq!(kept.keeper().turn(PARTITION, hour).await.unwrap(), None, "it is not due yet");
    let soon = kept.keeper().turn(PARTITION, Duration::ZERO).await.unwrap();
    assert_eq!(soon, None, "the turn lasts as long as whoever took it said");
    assert_eq!(kept.signed().await.size, 6, "on demand it needs no turn");
}
