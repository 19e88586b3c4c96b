//! What can be checked of a dispense: each piece of evidence against the others. Nothing is changed.

use dispense_domain::decide::process::is_signer;
use dispense_domain::{
    Digest, DispenseEvent, DispenseId, Dispensing, Quantity, SignedContent, Status, StoredContent,
    evolve,
};
use rust_decimal::Decimal;

use crate::document;
use crate::{
    Asker, Covered, Dispensary, LogPosition, ProvedRow, QueryError, Recorded, Shown, Stored,
    Stream, Unavailable,
};

/// What was found out about one kind of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Its name.
    pub name: &'static str,
    /// Whether it holds; none where it does not apply, or not yet.
    pub ok: Option<bool>,
    /// What was found, for people, without anything that names one.
    pub detail: String,
}

impl Verdict {
    fn of(name: &'static str, ok: impl Into<Option<bool>>, detail: impl Into<String>) -> Self {
        Self { name, ok: ok.into(), detail: detail.into() }
    }
}

/// What became of a container that the log names.
enum Container {
    Whole(Vec<u8>),
    Damaged,
    /// It is gone, and the record of an erasure names it.
    Erased,
    /// It is gone, and nothing says why.
    Lost,
}

const ERASED: &str = "the container is gone, as the record of an erasure says";
const LOST: &str = "the container is missing, and no erasure record names it";

/// A dispense with what was found out about it.
#[derive(Debug, Clone)]
pub struct VerifiedDispense {
    /// The dispense.
    pub shown: Shown,
    /// One verdict for each kind of evidence, always in the same order.
    pub checks: [Verdict; 8],
    /// Where the partition ended then.
    pub position: LogPosition,
}

impl VerifiedDispense {
    /// Whether nothing speaks against it.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.checks.iter().all(|check| check.ok != Some(false))
    }
}

impl Dispensary {
    /// Checks every piece of evidence of a dispense against the others.
    ///
    /// # Errors
    ///
    /// [`QueryError::NotFound`] for one of another legal entity too, unless the asker sees all;
    /// [`QueryError::Unavailable`] where the log, the registry or a store is silent: then nothing is
    /// known, and nothing is said.
    pub async fn verify(
        &self,
        asker: &Asker,
        id: DispenseId,
    ) -> Result<VerifiedDispense, QueryError> {
        let (stream, shown) = self.seen_by(asker, id).await?;
        let own: Vec<&Recorded> =
            stream.events.iter().filter(|it| it.event.dispense_id() == id).collect();
        let positions: Vec<i64> = own.iter().map(|it| it.place.position).collect();
        let rows = self.proofs.rows(shown.place.partition, &positions).await?;
        let stored = match &shown.content {
            Some(content) => Some((content, self.container_of(content).await?)),
            None => None,
        };
        let checks = [
            sequences(&stream),
            self.chained(&rows, &own).await?,
            included(&rows),
            self.signature(&stream, &shown, stored.as_ref()).await?,
            content(stored.as_ref()),
            self.record(&shown).await?,
            quantity(&stream),
            self.expiry(&shown),
        ];
        Ok(VerifiedDispense { shown, checks, position: stream.position })
    }

    /// Each own row has the hash that follows from it and from the row before, and the personal body
    /// beside it is the one of which it has the digest, or was erased.
    async fn chained(&self, rows: &[ProvedRow], own: &[&Recorded]) -> Result<Verdict, Unavailable> {
        let verdict = |ok, detail| Ok(Verdict::of("hash_chain", Some(ok), detail));
        let (found, expected) = (rows.len(), own.len());
        if found != expected {
            return verdict(false, format!("{found} of {expected} rows are there"));
        }
        if let Some(row) = rows.iter().find(|row| !row.is_chained) {
            let place = row.place;
            return verdict(false, format!("the hash of {place} does not follow from its row"));
        }
        for recorded in own {
            let (place, Some(personal)) = (recorded.place, recorded.event.personal()) else {
                continue;
            };
            match &recorded.body {
                Some(body) if Digest::of(&[body.as_bytes()]) == personal.digest() => {}
                Some(_) => {
                    let detail = format!("what {place} showed of persons is not what was written");
                    return verdict(false, detail);
                }
                // The digest alone cannot tell an erasure from a theft.
                None if self.registry.body_was_erased(place).await? => {}
                None => {
                    let detail = format!(
                        "what {place} showed of persons is gone, and no erasure record names it"
                    );
                    return verdict(false, detail);
                }
            }
        }
        verdict(true, format!("the hashes of {found} rows follow from them"))
    }

    async fn container_of(&self, content: &StoredContent) -> Result<Container, Unavailable> {
        Ok(match self.contents.look_at(&content.key).await? {
            Stored::Whole(container) => Container::Whole(container),
            Stored::Damaged => Container::Damaged,
            // That the names are gone too says nothing: whoever steals takes both.
            Stored::Missing if self.registry.container_was_erased(&content.key).await? => {
                Container::Erased
            }
            Stored::Missing => Container::Lost,
        })
    }

    /// The stored container opens, its signature held at the hand-over, whoever handed over has
    /// signed it, and it is the document of this dispense.
    async fn signature(
        &self,
        stream: &Stream,
        shown: &Shown,
        stored: Option<&(&StoredContent, Container)>,
    ) -> Result<Verdict, Unavailable> {
        let verdict = |ok: Option<bool>, detail: &str| Verdict::of("signature", ok, detail);
        let container = match stored {
            None => return Ok(verdict(None, unsigned(shown.status))),
            Some((_, Container::Whole(container))) => container.clone(),
            Some((_, Container::Damaged)) => {
                return Ok(verdict(None, "there is no container that could be opened"));
            }
            Some((_, Container::Erased)) => return Ok(verdict(None, ERASED)),
            Some((_, Container::Lost)) => return Ok(verdict(Some(false), LOST)),
        };
        let opened = self.signatures.open_as_of(container, shown.updated_at).await?;
        let Ok(signer) = opened.signature else {
            // What is wrong with a signature may name whose it is.
            return Ok(verdict(Some(false), "the signature does not hold"));
        };
        if let (Some(signed), Ok(Some(_))) = (&opened.document, shown.body()) {
            let own = document::frozen_sides(&stream.events, shown.hold.dispense_id)
                .map_err(document::unreadable)?;
            let own: Vec<&str> = own.iter().map(|own| own.get()).collect();
            let examined = SignedContent::examine(signed, &own, shown.hold.amount_paid());
            if let Some(place) = examined.difference {
                let detail = format!("another document was signed; it differs at {place}");
                return Ok(verdict(Some(false), &detail));
            }
        }
        let small = self.registry.small();
        let user = shown.updated_by.and_then(|user| small.party_users.get(&user));
        let party = user.and_then(|user| small.parties.get(&user.party_id));
        Ok(match party.filter(|party| party.tax_id.is_some()) {
            None => verdict(None, "it holds; the record of who should have signed is gone"),
            Some(party) if is_signer(&signer, party) => {
                verdict(Some(true), "it holds, and is of whoever handed over")
            }
            Some(_) => verdict(Some(false), "it holds, and is not of whoever handed over"),
        })
    }

    /// The registry's record still agrees with what the log froze.
    async fn record(&self, shown: &Shown) -> Result<Verdict, Unavailable> {
        let frozen = &shown.hold.medication_request;
        let found = self.registry.request(frozen.id).await?;
        let (ok, detail) = match found.map(|it| it.request) {
            None => (false, "the registry has no such medication request any more".to_owned()),
            Some(record) if record.medication_id != frozen.medication.id => {
                (false, "the registry names another medication".to_owned())
            }
            Some(record) if record.medication_qty != shown.hold.prescribed => {
                let (now, then) = (record.medication_qty, shown.hold.prescribed);
                (false, format!("the registry says {now}, and {then} was prescribed at the hold"))
            }
            Some(_) => (true, "the registry names the same medication and quantity".to_owned()),
        };
        Ok(Verdict::of("medication_request", ok, detail))
    }

    /// No medicine had expired when it was dispensed (rule 10.3).
    fn expiry(&self, shown: &Shown) -> Verdict {
        let day = shown.hold.dispensed_on.max(self.terms.day_of(shown.created_at));
        let dates: Vec<_> = shown.hold.items.iter().filter_map(|item| item.expiry_date).collect();
        let (ok, detail) = match dates.iter().filter(|date| **date < day).count() {
            _ if dates.is_empty() => (None, "no expiry date was given".to_owned()),
            0 => (Some(true), format!("no medicine had expired on {day}")),
            expired => (Some(false), format!("{expired} medicines had expired on {day}")),
        };
        Verdict::of("medicine_expiry", ok, detail)
    }
}

/// The numbers in the stream have no gaps, and each event may follow the ones before it.
fn sequences(stream: &Stream) -> Verdict {
    let verdict = |ok, detail| Verdict::of("stream", Some(ok), detail);
    let mut dispensing = Dispensing::default();
    for (recorded, expected) in stream.events.iter().zip(1..) {
        let sequence = recorded.sequence;
        if sequence != expected {
            return verdict(false, format!("event {sequence} stands where {expected} should"));
        }
        if !may_follow(&dispensing, &recorded.event) {
            return verdict(false, format!("event {sequence} cannot follow the ones before it"));
        }
        dispensing = evolve(dispensing, &recorded.event);
    }
    verdict(true, format!("{} events without a gap, each in order", stream.events.len()))
}

fn may_follow(dispensing: &Dispensing, event: &DispenseEvent) -> bool {
    let mut all = dispensing.dispenses().iter();
    let is_open = |it: &&dispense_domain::Dispense| it.recorded_status() == Status::Held;
    match event {
        // One hold at a time; each dispense begins once.
        DispenseEvent::HoldCreated(hold) => {
            dispensing.get(hold.dispense_id).is_none() && !all.any(|it| is_open(&it))
        }
        DispenseEvent::Processed(_) | DispenseEvent::Cancelled(_) | DispenseEvent::Expired(_) => {
            dispensing.get(event.dispense_id()).is_some_and(|it| is_open(&it))
        }
    }
}

/// Each own row is in the tree of the latest checkpoint.
fn included(rows: &[ProvedRow]) -> Verdict {
    let verdict = |ok, detail| Verdict::of("inclusion", ok, detail);
    let mut covered_by = 0;
    let mut missing = None;
    for row in rows {
        match row.covered {
            Covered::Within { size } => covered_by = size,
            Covered::Not => {
                let detail = format!("{} is not what the latest checkpoint covers", row.place);
                return verdict(Some(false), detail);
            }
            Covered::NotYet => {
                missing = Some(format!("no checkpoint covers {} yet", row.place));
            }
            Covered::NoKey => missing = Some("no checkpoints are signed here".to_owned()),
        }
    }
    match missing {
        Some(why) => verdict(None, why),
        None => verdict(Some(true), format!("covered by the checkpoint of size {covered_by}")),
    }
}

/// The container is there, with the digest that the log has, or the record of an erasure says that
/// it was removed.
fn content(stored: Option<&(&StoredContent, Container)>) -> Verdict {
    let (ok, detail) = match stored {
        None => (None, "nothing was signed"),
        Some((content, Container::Whole(container))) => {
            if Digest::of(&[container]) == content.digest {
                (Some(true), "it is there, with the digest that the log has")
            } else {
                (Some(false), "it has another digest than the log has")
            }
        }
        Some((_, Container::Damaged)) => (Some(false), "it is damaged: its digest is another one"),
        Some((_, Container::Erased)) => (None, ERASED),
        Some((_, Container::Lost)) => (Some(false), LOST),
    };
    Verdict::of("stored_content", ok, detail)
}

/// Handed over and held together never are more than was prescribed, after no event.
fn quantity(stream: &Stream) -> Verdict {
    let verdict = |ok, detail| Verdict::of("quantity", Some(ok), detail);
    let mut dispensing = Dispensing::default();
    for recorded in &stream.events {
        dispensing = evolve(dispensing, &recorded.event);
        let at = recorded.recorded_at;
        let prescribed = dispensing.prescribed().map_or(Decimal::ZERO, Quantity::decimal);
        let taken = dispensing.processed().saturating_add(dispensing.held(at));
        if taken > prescribed {
            let sequence = recorded.sequence;
            return verdict(
                false,
                format!("after event {sequence} {taken} of {prescribed} are spoken for"),
            );
        }
    }
    let prescribed = dispensing.prescribed().map_or(Decimal::ZERO, Quantity::decimal);
    verdict(true, format!("never more than the {prescribed} that were prescribed"))
}

fn unsigned(status: Status) -> &'static str {
    match status {
        Status::Held => "it is not handed over yet",
        Status::Processed => "its program needs no signature",
        Status::Cancelled | Status::Expired => "it was not handed over",
    }
}
