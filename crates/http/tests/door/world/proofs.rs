//! A log that proves what a test says.

use async_trait::async_trait;
use dispensary::{
    Asked, Consistency, Covered, Inclusion, LogPosition, NoProof, ProvedRow, SignedCheckpoint,
    Unavailable,
};

use super::State;

/// The key that verifies.
pub(in super::super) const KEY: &str =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

/// What is proved.
#[derive(Clone)]
pub(in super::super) struct Proved {
    pub(in super::super) checkpoints: Vec<SignedCheckpoint>,
    /// How many rows the tree covers.
    pub(in super::super) size: u64,
    /// Why nothing is.
    pub(in super::super) diverged: Option<&'static str>,
    /// What is said of every row.
    pub(in super::super) is_chained: bool,
    pub(in super::super) covered: Covered,
}

impl Default for Proved {
    fn default() -> Self {
        Self {
            checkpoints: Vec::new(),
            size: 0,
            diverged: None,
            is_chained: true,
            covered: Covered::NoKey,
        }
    }
}

impl Proved {
    /// The checkpoint with that number, of ten times as many rows.
    pub(in super::super) fn checkpoint(number: i64) -> SignedCheckpoint {
        let size = 10 * number.cast_unsigned();
        SignedCheckpoint {
            partition: 0,
            number,
            size,
            root: [0xab; 32],
            epoch: 3,
            erasures: 2,
            note: format!("dispense/log/0\n{size}\n").into(),
            signed_by: [1; 4],
            at: "2026-03-02T10:00:00Z".parse().unwrap(),
        }
    }
}

pub(super) struct MemoryProofs(pub(super) State);

impl MemoryProofs {
    fn proved(&self) -> Result<Proved, NoProof> {
        let inner = self.0.get();
        if inner.failure.is_some() {
            return Err(Unavailable::database("connection refused (secret detail)").into());
        }
        let proved = inner.proved.clone();
        match proved.diverged {
            Some(why) => Err(NoProof::Diverged(why.to_owned())),
            None => Ok(proved),
        }
    }
}

fn silent(no: NoProof) -> Unavailable {
    match no {
        NoProof::Unavailable(silent) => silent,
        NoProof::NoPartition { .. } | NoProof::Beyond { .. } | NoProof::Diverged(_) => {
            unreachable!("{no}")
        }
    }
}

#[async_trait]
impl dispensary::Proofs for MemoryProofs {
    fn verifier_key(&self) -> Option<&str> {
        Some(KEY)
    }

    async fn latest(&self) -> Result<Vec<SignedCheckpoint>, Unavailable> {
        Ok(self.proved().map_err(silent)?.checkpoints.last().cloned().into_iter().collect())
    }

    async fn checkpoints(
        &self,
        _: u16,
        before: Option<i64>,
        most: u16,
    ) -> Result<Vec<SignedCheckpoint>, NoProof> {
        let all = self.proved()?.checkpoints.into_iter().rev();
        let page = all.filter(|it| before.is_none_or(|before| it.number < before));
        Ok(page.take(most.into()).collect())
    }

    async fn inclusion(&self, place: LogPosition, size: Option<u64>) -> Result<Inclusion, NoProof> {
        let proved = self.proved()?;
        let latest = proved.checkpoints.last().cloned();
        if size.is_some_and(|size| size > proved.size) {
            return Err(NoProof::Beyond { asked: Asked::Size, largest: proved.size });
        }
        let size = size.or(latest.as_ref().map(|it| it.size)).unwrap_or(proved.size);
        if place.position.cast_unsigned() > size {
            return Err(NoProof::Beyond { asked: Asked::Position, largest: size });
        }
        let checkpoint = latest.filter(|it| it.size == size);
        let (leaf, root, path) = ([1; 32], [0xab; 32], vec![[2; 32], [3; 32]]);
        Ok(Inclusion { place, leaf, size, root, path, checkpoint })
    }

    async fn consistency(
        &self,
        partition: u16,
        from: u64,
        to: Option<u64>,
    ) -> Result<Consistency, NoProof> {
        let proved = self.proved()?;
        let to = to.unwrap_or(proved.size);
        if to > proved.size {
            return Err(NoProof::Beyond { asked: Asked::To, largest: proved.size });
        }
        if from > to {
            return Err(NoProof::Beyond { asked: Asked::From, largest: to });
        }
        let (from, to) = ((from, [4; 32]), (to, [0xab; 32]));
        Ok(Consistency { partition, from, to, path: vec![[5; 32]] })
    }

    async fn rows(&self, partition: u16, positions: &[i64]) -> Result<Vec<ProvedRow>, Unavailable> {
        let Proved { is_chained, covered, .. } = self.proved().map_err(silent)?;
        let row = |position: &i64| ProvedRow {
            place: LogPosition { partition, position: *position },
            is_chained,
            covered,
        };
        Ok(positions.iter().map(row).collect())
    }
}
