//! Copies of checkpoints stay as they were written.

use std::fs;

use dispensary::{CheckpointCopies, CheckpointKey, Copied};
use uuid::Uuid;

use crate::sample::{contents, keys};

/// The key of a checkpoint of that size.
fn of_size(size: u64) -> CheckpointKey {
    CheckpointKey {
        log_id: Uuid::from_u128(7),
        partition: 3,
        size,
        epoch: 0,
        erasures: 0,
        signed_by: [0; 4],
    }
}

#[tokio::test]
async fn a_copy_comes_back_as_it_was_and_may_be_kept_again() {
    let (folder, contents) = contents().await;
    let key = of_size(9);
    assert_eq!(contents.copy(key).await.unwrap(), None);
    for _ in 0..2 {
        assert_eq!(contents.keep(key, "a note\n").await.unwrap(), Copied::Kept);
    }
    assert_eq!(contents.copy(key).await.unwrap().unwrap(), b"a note\n");
    assert_eq!(fs::read(folder.path().join(key.to_string())).unwrap(), b"a note\n");
    assert_eq!(keys(&contents).await, [key.to_string()]);
}

#[tokio::test]
async fn another_text_under_the_key_stays_and_is_told() {
    let (folder, contents) = contents().await;
    let key = of_size(9);
    contents.keep(key, "a note\n").await.unwrap();
    fs::write(folder.path().join(key.to_string()), "forged\n").unwrap();
    assert_eq!(contents.keep(key, "a note\n").await.unwrap(), Copied::Other);
    assert_eq!(contents.copy(key).await.unwrap().unwrap(), b"forged\n");
}

#[tokio::test]
async fn only_larger_ones_of_the_same_partition_are_listed() {
    let (folder, contents) = contents().await;
    let again = CheckpointKey { epoch: 2, erasures: 11, ..of_size(10) };
    let others = [
        CheckpointKey { partition: 4, ..of_size(99) },
        CheckpointKey { log_id: Uuid::from_u128(8), ..of_size(99) },
        CheckpointKey { erasures: 3, ..of_size(9) },
    ];
    let larger = [of_size(10), again, of_size(100)];
    assert_eq!(contents.larger(of_size(9)).await.unwrap(), []);
    for key in others.into_iter().chain(larger).chain([of_size(2), of_size(9)]) {
        contents.keep(key, "a note\n").await.unwrap();
    }
    let stranger = CheckpointKey::folder(of_size(9).log_id, 3) + "letter.txt";
    fs::write(folder.path().join(stranger), "hello").unwrap();
    let mut found = contents.larger(of_size(9)).await.unwrap();
    found.sort_by_key(|key| (key.size, key.epoch));
    assert_eq!(found, larger);
}

#[tokio::test]
async fn a_store_that_is_gone_says_nothing_about_its_copies() {
    let (folder, contents) = contents().await;
    contents.keep(of_size(9), "a note\n").await.unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    contents.copy(of_size(9)).await.unwrap_err();
    contents.larger(of_size(1)).await.unwrap_err();
    contents.keep(of_size(10), "a note\n").await.unwrap_err();
}
