//! A national registry out of a seed.
//!
//! Nobody may copy the real registry, and nobody has to: a [`Demo`] is a whole country of
//! pharmacies, clinics, medications, programs, patients and medication requests that follows from
//! one number. The same seed and the same day give the same lines, byte for byte.
//!
//! ```text
//!   seed ──▶ Demo ──┬─▶ lines()       everything, one registry line at a time
//!   today ─▶        ├─▶ tour()        a few well-known ids, for a walk through the service
//!                   ├─▶ holdable(n)   medication requests that can be dispensed today
//!                   ├─▶ examples()    medication requests that show what can be in the way
//!                   └─▶ pharmacies()  pharmacists who can dispense any of them
//! ```
//!
//! Towns, substances, ATC codes and strengths are real; persons, companies, brands and prices are
//! invented. Ids depend on the seed alone, dates follow `today`, so that a registry made on any
//! day can be dispensed from on that day.
//!
//! Start reading at [`Demo`], then [`Tour`].

mod care_plans;
mod codes;
mod companies;
mod contracts;
mod divisions;
mod employees;
mod examples;
mod line;
mod manufacturers;
mod medications;
mod money;
mod names;
mod persons;
mod places;
mod programs;
mod requests;
mod seed;
mod substances;
mod tour;

use chrono::{Days, NaiveDate};

use medications::Catalogue;
use seed::Seed;

pub use examples::{Example, Shows};
pub use money::Money;
pub use programs::Program;
pub use tour::{Dispensable, Offer, Pharmacy, Tour};

/// A national registry that is made up line by line.
///
/// A demo of the default size holds 10,000 patients and as many medication requests; more of them
/// cost no memory, because every line is made when it is asked for.
#[derive(Debug, Clone)]
pub struct Demo {
    seed: Seed,
    today: NaiveDate,
    requests: u32,
    mix: Mix,
    catalogue: Catalogue,
}

/// What the medication requests are like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mix {
    program: Option<Program>,
    only_fresh: bool,
}

impl Demo {
    /// How many medication requests there are unless told otherwise.
    pub const REQUESTS: u32 = 10_000;
    /// How many medication requests there can be.
    pub const MOST_REQUESTS: u32 = 100_000_000;

    /// The registry of seed 0 as it would be on this day.
    #[must_use]
    pub fn new(today: NaiveDate) -> Self {
        let seed = Seed::new(0);
        let catalogue = Catalogue::new(&seed);
        Self { seed, today, requests: Self::REQUESTS, mix: Mix::default(), catalogue }
    }

    /// Another country of the same kind.
    #[must_use]
    pub fn with_seed(mut self, number: u64) -> Self {
        self.seed = Seed::new(number);
        self.catalogue = Catalogue::new(&self.seed);
        self
    }

    /// With so many patients and medication requests; the two of the [`Tour`] are always there.
    #[must_use]
    pub fn with_requests(mut self, count: u32) -> Self {
        self.requests = count.clamp(tour::REQUESTS, Self::MOST_REQUESTS);
        self
    }

    /// With every medication request but those of the [`Tour`] under this program.
    #[must_use]
    pub fn with_program(mut self, program: Program) -> Self {
        self.mix.program = Some(program);
        self
    }

    /// With nothing but medication requests that can be dispensed today.
    #[must_use]
    pub fn with_fresh_requests_only(mut self) -> Self {
        self.mix.only_fresh = true;
        self
    }

    /// The day on which this registry is looked at.
    #[must_use]
    pub const fn today(&self) -> NaiveDate {
        self.today
    }

    /// The whole registry, one line for each record, what is referred to before what refers to it.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        companies::lines(self)
            .chain(divisions::lines(self))
            .chain(divisions::service_lines(self))
            .chain(employees::lines(self))
            .chain(medications::lines(self))
            .chain(programs::lines(self))
            .chain(programs::participant_lines(self))
            .chain(contracts::lines(self))
            .chain(contracts::provision_lines(self))
            .chain(persons::lines(self))
            .chain(care_plans::lines(self))
            .chain(requests::lines(self))
    }

    fn ago(&self, days: u32) -> NaiveDate {
        self.today - Days::new(days.into())
    }

    fn ahead(&self, days: u32) -> NaiveDate {
        self.today + Days::new(days.into())
    }
}
