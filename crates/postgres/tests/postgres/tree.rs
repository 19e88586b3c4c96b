//! The tree over the log: what is kept and what is worked out make up one tree.

pub(crate) mod sown;

use dispense_audit::tree::{Head, leaf, verify_consistency, verify_inclusion};
use dispense_postgres::NoProof;

use self::sown::{PARTITION, Sown};

/// More than a node of the second kept level covers.
const MANY: usize = 65_900;

#[tokio::test]
async fn every_root_and_proof_is_that_of_the_whole_tree_however_the_rows_came() {
    let mut log = Sown::new().await;
    // Batches that end before, at and behind the end of a full node, and one with several.
    for size in [1, 255, 256, 257, 511, 513, 1_300, 3_000, 65_535, 65_537, MANY] {
        log.grow_with_tree(size).await;
        assert_eq!(log.tree().size(PARTITION).await.unwrap(), size as u64);
        assert_eq!(
            log.tree().root(PARTITION, size as u64).await.unwrap(),
            log.root(size),
            "{size}"
        );
    }
    let kept = log.database.number("SELECT count(*) FROM log_tree").await;
    assert_eq!(kept, 65_900 / 256 + 1);

    let tree = log.tree();
    let sizes = [1, 2, 255, 256, 257, 768, 40_000, 65_535, 65_536, 65_537, MANY];
    for (n, size) in sizes.into_iter().enumerate() {
        let root = log.root(size);
        let last = size - 1;
        for index in [0, last / 2, last.saturating_sub(256), last] {
            let proved = tree.inclusion(PARTITION, index as u64, size as u64).await.unwrap();
            let (found, branch) = proved;
            assert_eq!((found, branch.root), (leaf(&log.hashes[index]), root), "{index} of {size}");
            let (index, size) = (index as u64, size as u64);
            assert!(
                verify_inclusion(&found, index, size, &branch.path, &root),
                "{index} of {size}"
            );
        }
        for older in &sizes[..=n] {
            let proved = tree.consistency(PARTITION, *older as u64, size as u64).await.unwrap();
            let (older_root, branch) = proved;
            let older = Head { size: *older as u64, root: log.root(*older) };
            let newer = Head { size: size as u64, root };
            assert_eq!((older_root, branch.root), (older.root, root));
            assert!(verify_consistency(&older, &newer, &branch.path), "{older:?} {newer:?}");
        }
    }
}

#[tokio::test]
async fn rows_that_no_full_node_covers_yet_need_no_follower() {
    let mut log = Sown::new().await;
    assert_eq!(log.tree().size(PARTITION).await.unwrap(), 0);
    log.grow(255).await;
    assert_eq!(log.tree().size(PARTITION).await.unwrap(), 255);
    assert_eq!(log.tree().root(PARTITION, 255).await.unwrap(), log.root(255));
    log.grow(600).await;
    assert_eq!(
        log.tree().size(PARTITION).await.unwrap(),
        255,
        "the first full node is not kept yet"
    );
    log.follow(300).await;
    assert_eq!(log.tree().size(PARTITION).await.unwrap(), 511);
    assert_eq!(log.tree().root(PARTITION, 511).await.unwrap(), log.root(511));
    let beyond = log.tree().root(PARTITION, 512).await;
    assert!(matches!(beyond, Err(NoProof::Impossible(_))), "{beyond:?}");
}

#[tokio::test]
async fn a_rebuilt_tree_is_the_kept_one() {
    let mut log = Sown::new().await;
    for size in (0..2_100).step_by(97) {
        log.grow_with_tree(size).await;
    }
    log.run("CREATE TABLE log_tree_v2 (LIKE log_tree_v1 INCLUDING ALL)").await;
    log.run("GRANT SELECT, INSERT ON log_tree_v2 TO dispense_service").await;
    log.again(2).await;
    let differing =
        "SELECT count(*) FROM (SELECT * FROM log_tree_v1 EXCEPT SELECT * FROM log_tree_v2) x";
    assert_eq!(log.database.number(differing).await, 0);
    assert_eq!(log.database.number("SELECT count(*) FROM log_tree_v2").await, 2_037 / 256);
}
