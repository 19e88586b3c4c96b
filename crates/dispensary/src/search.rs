//! Looking for dispenses, page by page (5.8).

use async_trait::async_trait;
use chrono::NaiveDate;
use dispense_domain::{DispenseId, DivisionId, LegalEntityId, MedicationRequestId, Status};
use uuid::Uuid;

use crate::cursor::ListError;
use crate::list::{Filter, ListCursor, Listed};
use crate::{Asker, Dispensary, QueryError, Shown, Unavailable};

/// What is looked for. All that is stated has to hold; what is absent excludes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Criteria {
    /// This dispense.
    pub id: Option<DispenseId>,
    /// Dispenses of this medication request.
    pub medication_request_id: Option<MedicationRequestId>,
    /// Those of this pharmacy company.
    pub legal_entity_id: Option<LegalEntityId>,
    /// Those of this outlet.
    pub division_id: Option<DivisionId>,
    /// Those that stand at one of these; an empty list is matched by nothing.
    pub statuses: Option<Vec<Status>>,
    /// Those dispensed on this day or later.
    pub dispensed_from: Option<NaiveDate>,
    /// Those dispensed on this day or earlier.
    pub dispensed_to: Option<NaiveDate>,
    /// Those whose medication request is based on this care plan.
    pub care_plan_id: Option<Uuid>,
}

/// Which page, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageNumber(u64);

impl PageNumber {
    /// The first page.
    pub const FIRST: Self = Self(1);

    /// That page; there is none before the first.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number >= Self::FIRST.0 { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// How many dispenses a page has: 1 to [`PageSize::MOST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u32);

impl PageSize {
    /// The fewest.
    pub const LEAST: u32 = 1;
    /// The most.
    pub const MOST: u32 = 300;
    /// As many as a page has that nobody chose for.
    pub const USUAL: Self = Self(50);

    /// A page of so many.
    #[must_use]
    pub const fn new(size: u32) -> Option<Self> {
        if size >= Self::LEAST && size <= Self::MOST { Some(Self(size)) } else { None }
    }

    /// How many.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The page that somebody wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageAsked {
    /// Which one.
    pub number: PageNumber,
    /// How long.
    pub size: PageSize,
}

impl Default for PageAsked {
    fn default() -> Self {
        Self { number: PageNumber::FIRST, size: PageSize::USUAL }
    }
}

impl PageAsked {
    /// How many dispenses stand before the page.
    #[must_use]
    pub const fn skipped(self) -> u64 {
        (self.number.0 - 1).saturating_mul(self.size.0 as u64)
    }

    /// How many dispenses the page can have: fewer than its size where the search ends.
    #[must_use]
    pub fn room(self) -> u64 {
        REACH.saturating_sub(self.skipped()).min(self.size.0.into())
    }
}

/// How far a search reaches: it finds the newest so many dispenses and counts no further, so that no
/// page costs more than that, and every page that it promises can be read. Whoever looks for older
/// ones names a day, an outlet or a medication request.
pub const REACH: u64 = 100_000;

/// A page of what was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The dispenses, the one that began last first.
    pub dispenses: Vec<Shown>,
    /// Which page it is, and how long a page is.
    pub page: PageAsked,
    /// How many dispenses were found in all, up to [`REACH`].
    pub total_entries: u64,
    /// On how many pages; nothing has one page.
    pub total_pages: u64,
}

impl Found {
    /// That page of what matches.
    fn new(page: PageAsked, matching: Matching) -> Self {
        let Matching { dispenses, entries } = matching;
        let total_pages = entries.div_ceil(page.size.0.into()).max(1);
        Self { dispenses, page, total_entries: entries, total_pages }
    }

    /// Nothing, on its one page.
    fn nothing() -> Self {
        Self::new(PageAsked::default(), Matching { dispenses: Vec::new(), entries: 0 })
    }
}

/// What matches, as the outside answers.
#[derive(Debug, Clone)]
pub struct Matching {
    /// The dispenses of the page, the one that began last first, then by id.
    pub dispenses: Vec<Shown>,
    /// How many there are on all pages, up to [`REACH`].
    pub entries: u64,
}

/// All dispenses, to look among. What this process has written is there, unless that takes long.
#[async_trait]
pub trait Dispenses: Send + Sync {
    /// Looks for a page of what matches. A hold that ran out is an expired one at once.
    async fn search(&self, criteria: &Criteria, page: PageAsked) -> Result<Matching, Unavailable>;

    /// Lists a page of what matches: the first one, or the one after a cursor. It shows what was there
    /// when the first page was asked for.
    async fn list(
        &self,
        filter: &Filter,
        after: Option<&ListCursor>,
        size: PageSize,
    ) -> Result<Listed, ListError>;
}

impl Dispensary {
    /// Looks for dispenses. Whoever is shown their own alone and asks for another's finds nothing,
    /// on the usual page (5.1).
    ///
    /// # Errors
    ///
    /// [`QueryError::Unavailable`] alone: whatever is not there is not found.
    pub async fn search(
        &self,
        asker: &Asker,
        mut criteria: Criteria,
        page: PageAsked,
    ) -> Result<Found, QueryError> {
        if asker.client_type.is_personal() {
            let own = LegalEntityId::from(asker.client);
            if criteria.legal_entity_id.is_some_and(|wanted| wanted != own) {
                return Ok(Found::nothing());
            }
            criteria.legal_entity_id = Some(own);
        }
        Ok(Found::new(page, self.dispenses.search(&criteria, page).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: u64, size: u32) -> PageAsked {
        PageAsked { number: PageNumber::new(number).unwrap(), size: PageSize::new(size).unwrap() }
    }

    fn pages(entries: u64, size: u32) -> u64 {
        Found::new(page(1, size), Matching { dispenses: Vec::new(), entries }).total_pages
    }

    #[test]
    fn a_page_begins_where_the_one_before_ended() {
        assert_eq!((page(1, 10).skipped(), page(1, 10).room()), (0, 10));
        assert_eq!((page(3, 10).skipped(), page(3, 10).room()), (20, 10));
    }

    #[test]
    fn pages_end_where_the_search_ends() {
        assert_eq!(page(333, 300).room(), 300);
        assert_eq!(page(334, 300).room(), 100, "{REACH} do not divide by 300");
        assert_eq!(page(335, 300).room(), 0);
        assert_eq!(page(u64::MAX, 300).room(), 0);
    }

    #[test]
    fn there_is_always_a_page() {
        assert_eq!(pages(0, 50), 1);
        assert_eq!(pages(1, 50), 1);
        assert_eq!(pages(50, 50), 1);
        assert_eq!(pages(51, 50), 2);
        assert_eq!(pages(21, 10), 3);
    }

    #[test]
    fn a_page_has_a_number_and_a_size() {
        assert_eq!(PageNumber::new(0), None);
        assert_eq!(PageNumber::new(1), Some(PageNumber::FIRST));
        assert_eq!([0, 301].map(PageSize::new), [None, None]);
        assert!([1, 300].map(PageSize::new).iter().all(Option::is_some));
        assert_eq!(PageAsked::default(), page(1, 50));
    }
}
