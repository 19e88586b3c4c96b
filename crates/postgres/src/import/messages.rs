//! Messages that the registries sent, applied in one transaction with the place up to which they were
//! read and with those that are faulty.
//!
//! ```text
//!   move the place       fenced: nothing is applied unless it stood where these messages begin
//!   for each partition   ascending: lock log_head ─▶ read, merge, write ─▶ chain
//!     (or for the rest   lock the head of chain -1 ─▶ …)
//!   dead letters         the faulty ones, with their bytes
//!   COMMIT
//! ```
//!
//! This is the one transaction that has the head locks of several partitions and is not alone with all
//! of them. Nobody can wait in a circle for it: who takes several takes them in ascending order, as an
//! erasure and the acceptance of a restore do, who takes one of them waits for no other, and what is
//! taken beside them (the head of a chain) is taken by those alone who have the head of its partition.
//! The place is taken first and by nobody who has a head. One transaction has messages of one kind, so
//! it never has chain -1 together with a head.
//!
//! Writers wait behind these locks, so there are few messages and partitions in one transaction, and
//! whoever has one lock waits for the next one only briefly and then lets go of all.

use std::collections::BTreeMap;
use std::time::Duration;

use dispensary::registry_stream::{LONGEST_MESSAGE, Message, Messages, NotApplied, TopicPartition};
use dispensary::{FaultyLine, Line, Unavailable};
use dispense_domain::Partitions;
use dispense_domain::registry::RegistryKind;
use sqlx::{Executor, PgPool};
use uuid::Uuid;

use super::fault::Stopped;
use super::merge::Entry;
use super::{Bringer, PAUSE, Part, TRIES, apply, parse};
use crate::registry_stream::{letters, places};

/// Messages in one transaction.
const MESSAGES_AT_ONCE: usize = 256;

/// Partitions whose writers wait for one transaction.
const PARTITIONS_AT_ONCE: usize = 16;

/// How long a transaction may take; no transaction of ours lives for 5 s.
const TRANSACTION_WITHIN: Duration = Duration::from_secs(4);

/// How long who has a lock waits for another one.
const NEXT_LOCK_WITHIN: &str = "SET LOCAL lock_timeout = '250ms'";

/// Where messages go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destination<'a> {
    pub(crate) pool: &'a PgPool,
    pub(crate) partitions: Partitions,
    pub(crate) log_id: Uuid,
}

/// Messages of one transaction.
#[derive(Debug)]
struct Piece {
    from: Option<i64>,
    to: i64,
    lost: i64,
    messages: Vec<Understood>,
}

/// A message, and what was made of it.
#[derive(Debug)]
struct Understood {
    message: Message,
    found: Result<(Part, Entry), FaultyLine>,
}

/// Why a transaction was not committed.
#[derive(Debug)]
enum NotDone {
    /// The place is not where these messages begin.
    Elsewhere,
    Stopped(Stopped),
}

impl<E: Into<Stopped>> From<E> for NotDone {
    fn from(error: E) -> Self {
        Self::Stopped(error.into())
    }
}

impl Destination<'_> {
    /// Applies messages, one transaction after the other, and returns the faulty ones.
    pub(crate) async fn apply(self, messages: Messages) -> Result<Vec<FaultyLine>, NotApplied> {
        let source = messages.source.clone();
        let partitions = self.partitions;
        let reading = tokio::task::spawn_blocking(move || Piece::of(messages, partitions));
        let mut waiting = reading.await.map_err(Unavailable::database)?;
        waiting.reverse();
        let mut faulty = Vec::new();
        while let Some(piece) = waiting.pop() {
            let stopped = match self.tried(&source, &piece).await {
                Ok(found) => {
                    faulty.extend(found);
                    continue;
                }
                Err(NotDone::Elsewhere) => return Err(NotApplied::ReadElsewhere { at: source }),
                Err(NotDone::Stopped(stopped)) => stopped,
            };
            let is_about_a_line = stopped.is_about_a_line();
            if !is_about_a_line && !matches!(stopped, Stopped::TooLong(_)) {
                return Err(Unavailable::database(stopped).into());
            }
            match piece.halves() {
                Ok((first, rest)) => waiting.extend([rest, first]),
                Err(alone) if is_about_a_line && alone.is_good() => {
                    waiting.push(alone.given_up(&stopped));
                }
                Err(_) => return Err(Unavailable::database(stopped).into()),
            }
        }
        Ok(faulty)
    }

    /// One transaction, tried again while a lock is taken.
    async fn tried(
        self,
        source: &TopicPartition,
        piece: &Piece,
    ) -> Result<Vec<FaultyLine>, NotDone> {
        let mut tries = 1;
        loop {
            let late = || sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
            let outcome =
                tokio::time::timeout(TRANSACTION_WITHIN, self.transaction(source, piece)).await;
            match outcome.unwrap_or_else(|_| Err(Stopped::TooLong(late()).into())) {
                Err(NotDone::Stopped(Stopped::Busy(why))) if tries < TRIES => {
                    tracing::info!(%why, tries, "messages had to wait too long; trying again");
                    tokio::time::sleep(PAUSE * tries).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn transaction(
        self,
        source: &TopicPartition,
        piece: &Piece,
    ) -> Result<Vec<FaultyLine>, NotDone> {
        let mut tx = self.pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        if !places::move_on(&mut tx, source, piece.from, piece.to, piece.lost)
            .await
            .map_err(Stopped::waiting)?
        {
            return Err(NotDone::Elsewhere);
        }
        let mut parts: BTreeMap<Part, Vec<Entry>> = BTreeMap::new();
        let mut faulty = Vec::new();
        for understood in &piece.messages {
            match &understood.found {
                Ok((part, entry)) => parts.entry(*part).or_default().push(entry.clone()),
                Err(wrong) => faulty.push(wrong.clone()),
            }
        }
        if parts.len() > 1 {
            tx.execute(NEXT_LOCK_WITHIN).await?;
        }
        let by = Bringer::messages_of(source);
        for (part, lines) in &parts {
            faulty.extend(apply(&mut tx, self.log_id, *part, lines, by).await?);
        }
        faulty.sort_by_key(|faulty| faulty.line);
        let messages = piece.messages.iter().map(|understood| &understood.message);
        letters::add(&mut tx, source, messages, &faulty).await?;
        tx.commit().await?;
        Ok(faulty)
    }
}

impl Piece {
    /// Reads messages, and cuts them into transactions.
    fn of(messages: Messages, partitions: Partitions) -> Vec<Self> {
        let Messages { source: _, kind, mut from, to, mut lost, messages } = messages;
        let mut pieces: Vec<Self> = Vec::new();
        let mut piece: Vec<Understood> = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        for message in messages {
            let offset = message.offset;
            let understood = Understood::of(message, kind, partitions);
            let part = understood.found.as_ref().ok().map(|(part, _)| *part);
            let is_new = part.is_some_and(|part| !parts.contains(&part));
            let is_full = piece.len() == MESSAGES_AT_ONCE;
            if is_full || (is_new && parts.len() == PARTITIONS_AT_ONCE) {
                let messages = std::mem::take(&mut piece);
                pieces.push(Self { from, to: offset, lost: std::mem::take(&mut lost), messages });
                from = Some(offset);
                parts.clear();
            }
            parts.extend(part.filter(|part| !parts.contains(part)));
            piece.push(understood);
        }
        pieces.push(Self { from, to, lost, messages: piece });
        pieces
    }

    /// The first half and the rest, or itself if it cannot be divided.
    fn halves(mut self) -> Result<(Self, Self), Self> {
        let rest = self.messages.split_off(self.messages.len() / 2);
        match rest.first().map(|understood| understood.message.offset) {
            Some(between) if !self.messages.is_empty() => {
                let rest = Self { from: Some(between), to: self.to, lost: 0, messages: rest };
                Ok((Self { to: between, ..self }, rest))
            }
            Some(_) | None => {
                self.messages.extend(rest);
                Err(self)
            }
        }
    }

    /// Whether any of it is to be applied.
    fn is_good(&self) -> bool {
        self.messages.iter().any(|understood| understood.found.is_ok())
    }

    /// What nobody can write is faulty, too: everything behind it would wait for ever.
    fn given_up(mut self, stopped: &Stopped) -> Self {
        tracing::error!(%stopped, "a message cannot be written; it becomes a dead letter");
        for understood in &mut self.messages {
            let line = understood.message.offset.cast_unsigned();
            let message = "the database does not take it; report this as a bug".to_owned();
            understood.found = Err(FaultyLine { line, code: "unwritable", message });
        }
        self
    }
}

impl Understood {
    fn of(message: Message, kind: RegistryKind, partitions: Partitions) -> Self {
        let number = message.offset.cast_unsigned();
        let faulty = |code, message| Err(FaultyLine { line: number, code, message });
        let length = message.length;
        let found = match &message.value {
            None => faulty(
                "deletion-not-supported",
                "expected a line but found no value: a registry deletes no record; send it with \
                 another status, or with is_active false"
                    .to_owned(),
            ),
            Some(_) if length > LONGEST_MESSAGE => faulty(
                "line-too-long",
                format!(
                    "expected at most {LONGEST_MESSAGE} bytes but found {length}; of them, the \
                     first {LONGEST_MESSAGE} are kept"
                ),
            ),
            Some(value) => parse::alone(&Line { number, bytes: value.clone() }, kind, partitions),
        };
        Self { message, found }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    /// Medication requests at every other offset from 10 on, in a log of so many partitions.
    fn pieces(count: u128, partitions: u16) -> Vec<Piece> {
        let message = |n: u128| {
            let value = format!(
                r#"{{"kind":"medication_request","data":{{"id":"{}","status":"ACTIVE",
                "person_id":"{1}","employee_id":"{1}","division_id":"{1}","legal_entity_id":"{1}",
                "medication_id":"{1}","medication_qty":30}}}}"#,
                Uuid::from_u128(n),
                Uuid::nil(),
            );
            let offset = 10 + 2 * i64::try_from(n).unwrap();
            Message { offset, key: None, length: value.len(), value: Some(value.into()) }
        };
        let messages = Messages {
            source: TopicPartition { topic: "requests".to_owned(), partition: 0 },
            kind: RegistryKind::MedicationRequest,
            from: Some(7),
            to: 12_345,
            lost: 3,
            messages: (0..count).map(message).collect(),
        };
        Piece::of(messages, Partitions::new(partitions).unwrap())
    }

    /// They cover every offset from 7 to 12,345, once and in order.
    fn joined(pieces: &[Piece]) {
        let mut at = Some(7);
        for piece in pieces {
            assert_eq!(piece.from, at);
            let offsets = piece.messages.iter().map(|it| it.message.offset);
            assert!(offsets.is_sorted_by(|one, next| one < next));
            let mut offsets = piece.messages.iter().map(|it| it.message.offset);
            assert!(offsets.all(|offset| at <= Some(offset) && offset < piece.to));
            at = Some(piece.to);
        }
        assert_eq!(at, Some(12_345));
        assert_eq!(pieces.first().map(|piece| piece.lost), Some(3));
        assert_eq!(pieces.iter().map(|piece| piece.lost).sum::<i64>(), 3);
    }

    #[test]
    fn a_transaction_has_few_messages_and_keeps_few_writers_waiting() {
        for (count, partitions) in [(0, 1), (1, 1), (256, 1), (257, 1), (1_000, 16), (1_000, 1_024)]
        {
            let pieces = pieces(count, partitions);
            joined(&pieces);
            for piece in &pieces {
                assert!(piece.messages.len() <= MESSAGES_AT_ONCE);
                let parts = piece.messages.iter().map(|it| it.found.as_ref().unwrap().0);
                let parts: std::collections::BTreeSet<Part> = parts.collect();
                assert!(parts.len() <= PARTITIONS_AT_ONCE, "{}", parts.len());
            }
            let all: usize = pieces.iter().map(|piece| piece.messages.len()).sum();
            assert_eq!(all as u128, count);
        }
    }

    #[test]
    fn halves_meet_and_one_message_is_not_divided() {
        let [piece] = <[Piece; 1]>::try_from(pieces(5, 1)).unwrap();
        let (first, rest) = piece.halves().unwrap();
        joined(&[first, rest]);
        let [alone] = <[Piece; 1]>::try_from(pieces(1, 1)).unwrap();
        let alone = alone.halves().unwrap_err();
        joined(&[alone]);
    }
}
