//! The reimbursement report: what was dispensed, with prices, names and days (R5 to R8).
//!
//! Names are those of the moment of the hold, out of the log and the personal bodies; of persons, what was
//! erased is missing. Companies are no persons, and somebody is to be paid: after an erasure they are
//! called what their registry calls them now. So is the substance always: the log has its id.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use dispense_domain::registry::{EmployeeStatus, LegalEntity, LegalEntityStatus};
use dispense_domain::{DispenseId, HoldBody, LegalEntityId, Text};
use futures::stream::{BoxStream, StreamExt, try_unfold};

use crate::search::{Matching, PageAsked};
use crate::{Asker, ClientType, Dispensary, Registries, Shown, Unavailable};

/// Whole days, the first and the last one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    first: NaiveDate,
    last: NaiveDate,
}

impl Period {
    /// From that day to that one; none if they are reversed.
    #[must_use]
    pub fn new(first: NaiveDate, last: NaiveDate) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// Its first day.
    #[must_use]
    pub const fn first(self) -> NaiveDate {
        self.first
    }

    /// Its last day.
    #[must_use]
    pub const fn last(self) -> NaiveDate {
        self.last
    }
}

/// Whose dispenses are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those of medication requests that this clinic issued.
    Prescribed(LegalEntityId),
    /// Those of this pharmacy company.
    Dispensed(LegalEntityId),
    /// All.
    Everybody,
}

/// Which dispenses are reported, as far as it depends on where they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// What was handed over: what somebody pays for.
    HandedOver,
    /// Anything; the report says where each stands.
    Anywhere,
}

/// What is reported: medication requests are of intent order, as whatever is dispensed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReimbursementAsked {
    /// Whose dispenses.
    pub whose: Whose,
    /// Where they stand.
    pub standing: Standing,
    /// When the medication request was created.
    pub requested: Option<Period>,
    /// When was dispensed.
    pub dispensed: Option<Period>,
}

/// A dispense in the order of the report: by day of dispensing, then by when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Its day.
    pub dispensed_on: NaiveDate,
    /// When it began.
    pub inserted_at: DateTime<Utc>,
    /// Which it is.
    pub dispense_id: DispenseId,
}

/// Some of the dispenses, in the order of the report.
#[derive(Debug, Clone)]
pub struct Portion {
    /// The dispenses.
    pub dispenses: Vec<Shown>,
    /// The last of them; none if there are no more behind it.
    pub last: Option<Mark>,
}

/// All dispenses, for the report.
#[async_trait]
pub trait Reimbursements: Send + Sync {
    /// A page, and how many dispenses there are.
    async fn page(
        &self,
        asked: &ReimbursementAsked,
        page: PageAsked,
    ) -> Result<Matching, Unavailable>;

    /// The next of them behind `after`, a small portion that is read by one look.
    async fn portion(
        &self,
        asked: &ReimbursementAsked,
        after: Option<Mark>,
    ) -> Result<Portion, Unavailable>;
}

/// A dispense with what the report says beside it.
#[derive(Debug, Clone)]
pub struct Reimbursed {
    /// The dispense.
    pub shown: Shown,
    /// What it showed of persons and companies; gone if erased.
    pub body: Option<HoldBody>,
    /// The pharmacy company.
    pub pharmacy: Option<Arc<LegalEntity>>,
    /// The clinic that issued the medication request.
    pub clinic: Option<Arc<LegalEntity>>,
    /// The international name of what was prescribed.
    pub innm_name: Option<Text>,
}

impl Reimbursed {
    fn of(shown: Shown, registries: &Registries) -> Self {
        let body = shown.body().ok().flatten();
        let request = &shown.hold.medication_request;
        let (pharmacy, clinic) = if let Some(body) = &body {
            (Some(body.legal_entity.clone()), body.requester_legal_entity.clone())
        } else {
            let today = |id: &LegalEntityId| registries.legal_entities.get(id).cloned();
            (today(&shown.hold.legal_entity_id), today(&request.legal_entity_id))
        };
        let innm = request.medication.innm_id.and_then(|id| registries.medications.get(&id));
        let innm_name = innm.map(|innm| innm.name.clone());
        Self { shown, body, pharmacy, clinic, innm_name }
    }
}

/// A page of the report.
#[derive(Debug, Clone)]
pub struct ReimbursementPage {
    /// The dispenses.
    pub rows: Vec<Reimbursed>,
    /// Which page it is.
    pub page: PageAsked,
    /// How many dispenses there are on all pages.
    pub total_entries: u64,
    /// On how many pages; nothing has one page.
    pub total_pages: u64,
}

/// Why somebody has no report of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoReport {
    /// The registry has no such legal entity.
    #[error("Legal entity not found")]
    LegalEntityNotFound,
    /// Neither a clinic nor a pharmacy company asks.
    #[error("Only clinics and pharmacies have a reimbursement report of their own")]
    NoSuchClient,
    /// The legal entity is not active.
    #[error("Legal entity is not active")]
    LegalEntityNotActive,
    /// The user is linked with nobody.
    #[error("Party not found")]
    PartyNotFound,
    /// The user does not work there, or not any more.
    #[error("The user has no approved, active job in this legal entity")]
    NotEmployed,
}

impl Dispensary {
    /// Whose dispenses the asker's own report is about: a clinic's are those of its medication requests,
    /// a pharmacy's those that it dispensed (R5).
    ///
    /// # Errors
    ///
    /// [`NoReport`]: the first reason that holds.
    pub fn report_of(&self, asker: &Asker) -> Result<Whose, NoReport> {
        let registries = self.registry.small();
        let id = LegalEntityId::from(asker.client);
        let legal_entity = registries.legal_entities.get(&id);
        let legal_entity = legal_entity.ok_or(NoReport::LegalEntityNotFound)?;
        let whose = match asker.client_type {
            ClientType::Msp => Whose::Prescribed(id),
            ClientType::Pharmacy | ClientType::MspPharmacy => Whose::Dispensed(id),
            ClientType::Nhs | ClientType::Mis | ClientType::Cabinet => {
                return Err(NoReport::NoSuchClient);
            }
        };
        if !legal_entity.is_active || legal_entity.status != LegalEntityStatus::Active {
            return Err(NoReport::LegalEntityNotActive);
        }
        let user = registries.party_users.get(&asker.user.into());
        let party = user.and_then(|user| registries.parties.get(&user.party_id));
        let party = party.ok_or(NoReport::PartyNotFound)?;
        let mut jobs = registries.jobs_of(party.id, id);
        let works = jobs.any(|job| job.is_active && job.status == EmployeeStatus::Approved);
        if works { Ok(whose) } else { Err(NoReport::NotEmployed) }
    }

    /// A page of the report.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn reimbursement_page(
        &self,
        asked: &ReimbursementAsked,
        page: PageAsked,
    ) -> Result<ReimbursementPage, Unavailable> {
        let Matching { dispenses, entries } = self.reimbursements.page(asked, page).await?;
        let registries = self.registry.small();
        let rows = dispenses.into_iter().map(|shown| Reimbursed::of(shown, &registries));
        let total_pages = entries.div_ceil(page.size.get().into()).max(1);
        Ok(ReimbursementPage { rows: rows.collect(), page, total_entries: entries, total_pages })
    }

    /// The whole report, portion by portion: none is read before it is asked for, and none is kept.
    #[must_use]
    pub fn reimbursements(
        &self,
        asked: ReimbursementAsked,
    ) -> BoxStream<'static, Result<Vec<Reimbursed>, Unavailable>> {
        let (reimbursements, registry) = (self.reimbursements.clone(), self.registry.clone());
        let portions = try_unfold(Some(None), move |next: Option<Option<Mark>>| {
            let (reimbursements, registry) = (reimbursements.clone(), registry.clone());
            async move {
                let Some(after) = next else { return Ok(None) };
                let Portion { dispenses, last } = reimbursements.portion(&asked, after).await?;
                let registries = registry.small();
                let rows = dispenses.into_iter().map(|shown| Reimbursed::of(shown, &registries));
                Ok(Some((rows.collect(), last.map(Some))))
            }
        });
        portions.boxed()
    }
}
