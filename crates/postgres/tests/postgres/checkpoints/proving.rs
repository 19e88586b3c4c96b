//! What is proved of rows and trees out of the database.

use dispensary::{Asked, Covered, LogPosition, NoProof, Proofs};
use dispense_audit::tree::{leaf, verify_inclusion};
use dispense_postgres::PgProofs;

use super::{Kept, PARTITION};

impl Kept {
    fn proofs(&self) -> PgProofs {
        let key = self.key.verifier().clone();
        PgProofs::new(self.log.database.serving.clone(), self.log.settings(), Some(key))
    }

    async fn said(&self, position: i64) -> (bool, Covered) {
        let rows = self.proofs().rows(PARTITION, &[position]).await.unwrap();
        let [row] = rows[..] else { panic!("{rows:?}") };
        (row.is_chained, row.covered)
    }
}

const fn at(position: i64) -> LogPosition {
    LogPosition { partition: PARTITION, position }
}

#[tokio::test]
async fn rows_are_chained_and_covered_as_far_as_was_signed() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(300).await;
    assert_eq!(kept.said(1).await, (true, Covered::NotYet));
    kept.signed().await;
    kept.log.grow_with_tree(310).await;
    for position in [1, 2, 256, 300] {
        assert_eq!(kept.said(position).await, (true, Covered::Within { size: 300 }));
    }
    assert_eq!(kept.said(301).await, (true, Covered::NotYet));
    assert_eq!(kept.proofs().rows(PARTITION, &[311]).await.unwrap(), []);
    let keyless = PgProofs::new(kept.log.database.serving.clone(), kept.log.settings(), None);
    assert_eq!(keyless.rows(PARTITION, &[1]).await.unwrap()[0].covered, Covered::NoKey);
}

#[tokio::test]
async fn a_changed_row_fits_neither_its_hash_nor_the_checkpoint() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(600).await;
    kept.signed().await;
    // One below a full node of the tree, one at its edge.
    for position in [100, 590] {
        let change = format!("UPDATE events SET payload = '{{}}' WHERE position = {position}");
        kept.log.forge(&[&change]).await;
        assert_eq!(kept.said(position).await, (false, Covered::Not), "{position}");
        assert!(kept.said(position + 1).await.0, "its neighbour is as it was");
    }
    kept.log.forge(&["DELETE FROM events WHERE position = 200"]).await;
    assert!(!kept.said(201).await.0, "nothing follows from a row that is gone");
}

#[tokio::test]
async fn a_checkpoint_that_nobody_signed_covers_nothing() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(30).await;
    kept.signed().await;
    let other = "note = replace(note, E'\\n30\\n', E'\\n29\\n'), size = 29";
    kept.log.forge(&[&format!("UPDATE checkpoints SET {other}")]).await;
    assert_eq!(kept.said(1).await, (true, Covered::Not));
}

#[tokio::test]
async fn until_a_new_key_has_signed_nothing_is_said_of_what_the_old_one_did() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(30).await;
    kept.signed().await;
    kept.key = dispense_audit::note::SigningKey::of_seed("new", [9; 32]).unwrap().into();
    assert_eq!(kept.said(1).await, (true, Covered::NotYet));
    kept.signed().await;
    assert_eq!(kept.said(1).await, (true, Covered::Within { size: 30 }));
}

#[tokio::test]
async fn a_proof_is_of_the_latest_checkpoint_unless_told() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(300).await;
    let signed = kept.signed().await;
    kept.log.grow_with_tree(700).await;
    let proofs = kept.proofs();
    for (position, size, expected) in
        [(7, None, 300), (7, Some(299), 299), (301, None, 700), (700, Some(700), 700)]
    {
        let proof = proofs.inclusion(at(position), size).await.unwrap();
        let index = position.cast_unsigned() - 1;
        assert_eq!(proof.leaf, leaf(&kept.log.hashes[usize::try_from(index).unwrap()]));
        assert_eq!(
            (proof.size, proof.root),
            (expected, kept.log.root(expected.try_into().unwrap()))
        );
        assert!(verify_inclusion(&proof.leaf, index, proof.size, &proof.path, &proof.root));
        assert_eq!(proof.checkpoint, (expected == 300).then(|| signed.clone()));
    }
    let consistency = proofs.consistency(PARTITION, 10, None).await.unwrap();
    assert_eq!((consistency.from.0, consistency.to), (10, (300, signed.root)));
}

#[tokio::test]
async fn what_lies_beyond_is_named_with_the_largest() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(30).await;
    let proofs = kept.proofs();
    let told = |no: Result<(), NoProof>| match no {
        Err(NoProof::Beyond { asked, largest }) => (asked, largest),
        other => panic!("{other:?}"),
    };
    let inclusion = async |position, size| proofs.inclusion(at(position), size).await.map(|_| ());
    assert_eq!(told(inclusion(31, None).await), (Asked::Position, 30));
    assert_eq!(told(inclusion(9, Some(8)).await), (Asked::Position, 8));
    assert_eq!(told(inclusion(9, Some(31)).await), (Asked::Size, 30));
    let consistency = async |from, to| proofs.consistency(PARTITION, from, to).await.map(|_| ());
    assert_eq!(told(consistency(31, None).await), (Asked::From, 30));
    assert_eq!(told(consistency(1, Some(31)).await), (Asked::To, 30));
    let nowhere = proofs.inclusion(LogPosition { partition: 9, position: 1 }, None).await;
    assert!(matches!(nowhere, Err(NoProof::NoPartition { partitions: 4 })), "{nowhere:?}");
}

#[tokio::test]
async fn a_tree_that_is_not_what_was_signed_proves_nothing() {
    let mut kept = Kept::new().await;
    kept.log.grow_with_tree(300).await;
    kept.signed().await;
    kept.log.forge(&["UPDATE events SET hash = sha256('other') WHERE position = 290"]).await;
    let proof = kept.proofs().inclusion(at(1), None).await;
    assert!(matches!(proof, Err(NoProof::Diverged(_))), "{proof:?}");
}
