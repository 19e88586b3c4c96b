//! One dispense as it is shown: folded from its own events.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use dispense_domain::{
    CancelledBody, DispenseEvent, DispenseId, HoldBody, HoldCreated, Money, PartyAsWas,
    ProcessedBody, Status, StoredContent, Text, UserId,
};
use rust_decimal::Decimal;

use crate::{LogPosition, Recorded};

/// One dispense with all that any door shows of it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What was reserved.
    pub hold: Arc<HoldCreated>,
    body: Option<Arc<str>>,
    /// Where it stands.
    pub status: Status,
    /// What the patient paid.
    pub payment_amount: Option<Money>,
    /// Receipt number.
    pub payment_id: Option<Text>,
    /// The signed document.
    pub content: Option<StoredContent>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// Who began it.
    pub created_by: Option<UserId>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Who changed it.
    pub updated_by: Option<UserId>,
    /// Number of its events.
    pub version: u32,
    /// The last of them.
    pub place: LogPosition,
    /// Whether the personal body of one of them was erased, so that what stood in it is not shown.
    pub erased: bool,
}

impl Shown {
    /// The dispense of that id, as it stands at `at` after those events of its medication request.
    #[must_use]
    pub fn of(events: &[Recorded], id: DispenseId, at: DateTime<Utc>) -> Option<Self> {
        let mut own = events.iter().filter(|recorded| recorded.event.dispense_id() == id);
        let mut shown = Self::opened(own.next()?)?;
        for recorded in own {
            shown.follow(recorded);
        }
        if shown.status == Status::Held && shown.hold.expires_at.is_some_and(|end| at > end) {
            shown.status = Status::Expired;
        }
        Some(shown)
    }

    fn opened(recorded: &Recorded) -> Option<Self> {
        let DispenseEvent::HoldCreated(hold) = &recorded.event else { return None };
        Some(Self {
            hold: hold.clone(),
            body: recorded.body.clone(),
            status: Status::Held,
            payment_amount: None,
            payment_id: None,
            content: None,
            created_at: recorded.recorded_at,
            created_by: recorded.user(),
            updated_at: recorded.recorded_at,
            updated_by: recorded.user(),
            version: 1,
            place: recorded.place,
            erased: recorded.is_erased(),
        })
    }

    fn follow(&mut self, recorded: &Recorded) {
        match &recorded.event {
            DispenseEvent::HoldCreated(_) => return,
            DispenseEvent::Processed(processed) => {
                self.status = Status::Processed;
                self.payment_amount = processed.payment_amount;
                self.content.clone_from(&processed.content);
                self.payment_id = recorded.body::<ProcessedBody>().and_then(|body| body.payment_id);
            }
            DispenseEvent::Cancelled(_) => {
                self.status = Status::Cancelled;
                self.payment_id = recorded.body::<CancelledBody>().and_then(|body| body.payment_id);
            }
            DispenseEvent::Expired(_) => self.status = Status::Expired,
        }
        self.updated_at = recorded.recorded_at;
        self.updated_by = recorded.user();
        self.version += 1;
        self.place = recorded.place;
        self.erased |= recorded.is_erased();
    }

    /// What it showed of persons; gone if erased.
    ///
    /// # Errors
    ///
    /// It is there, but is no such body.
    pub fn body(&self) -> Result<Option<HoldBody>, serde_json::Error> {
        self.body.as_deref().map(serde_json::from_str).transpose()
    }

    /// The pharmacist; gone if erased.
    #[must_use]
    pub fn pharmacist(&self) -> Option<PartyAsWas> {
        /// The one part of the body that a list needs; the rest of it is skipped unread.
        #[derive(serde::Deserialize)]
        struct Pharmacist {
            party: PartyAsWas,
        }
        let body: Pharmacist = serde_json::from_str(self.body.as_deref()?).ok()?;
        Some(body.party)
    }

    /// How much it takes, all items together.
    #[must_use]
    pub fn taken(&self) -> Decimal {
        let items = &self.hold.items;
        items.iter().fold(Decimal::ZERO, |sum, item| sum.saturating_add(item.quantity.decimal()))
    }

    /// Whether something of the medication request remains after it.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let before: Decimal = self.hold.medication_request.remaining.into();
        before > self.taken()
    }
}
