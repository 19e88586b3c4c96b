//! Both sides, set up and ready to be measured.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use chrono::{DateTime, NaiveDate};
use dispense_demo::{Demo, Program as MedicalProgram};

use crate::database::{DISPENSE, Database, PGBENCH};
use crate::figures::{float, grouped, rate};
use crate::instance::{Program, Service};
use crate::options::{Plan, Row};
use crate::pgbench::Pgbench;
use crate::report::progress;
use crate::rounds::{STEADY_RATE, Stretch};
use crate::streams::ANNOUNCED_RATE;
use crate::work::{Desk, HandOvers, Signers, desks};

/// The registry never has fewer medication requests.
const FEWEST_REQUESTS: f64 = 20_000.0;

/// Nor more, however fast the machine is: a stretch then ends when they run out.
const MOST_REQUESTS: f64 = 1_500_000.0;

/// pgbench runs this long to warm the server up, and to say how fast the machine is.
const WARM_UP: Duration = Duration::from_secs(3);

/// Orders to have ready, for each hold of pgbench's: more than any machine has reached.
const PLENTY: f64 = 4.0;

/// PostgreSQL with two databases, pgbench with its tables, the service with its registry.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) pgbench: Pgbench,
    /// What pgbench reached when it warmed the server up, in holds per second.
    speed: f64,
    pub(crate) program: Program,
    /// The registry, of which every medication request is fresh.
    pub(crate) demo: Demo,
    pub(crate) database: Database,
}

impl Stage {
    /// Starts the server and plans a registry that will last.
    pub(crate) fn set(plan: &Plan) -> anyhow::Result<Self> {
        progress("starting a private PostgreSQL");
        let database = Database::start(&plan.folder)?;
        let pgbench = Pgbench::prepare(&database)?;
        let speed = pgbench.run(&database, 64, WARM_UP)?;
        let program = Program::new(plan, &database)?;
        program.migrate()?;
        let demo = Demo::new(today()?)
            // Under this program a dispense is held first, and signed for later.
            .with_program(MedicalProgram::Affordable)
            .with_fresh_requests_only()
            .with_requests(requests(plan, speed));
        Ok(Self { pgbench, speed, program, demo, database })
    }

    /// How many orders to have ready for each second of a stretch.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    pub(crate) fn orders_per_second(&self) -> usize {
        (self.speed * PLENTY).clamp(1_000.0, 1_000_000.0) as usize
    }

    /// The pharmacies with their tokens.
    pub(crate) fn desks(&self) -> anyhow::Result<Vec<Desk>> {
        let host = self.program.address().to_string();
        desks(&self.demo, &host, |pharmacy| self.program.token(pharmacy))
    }

    /// Hand-overs by these pharmacies, none of them signed yet.
    pub(crate) fn hand_overs(&self, desks: Vec<Desk>) -> anyhow::Result<HandOvers> {
        let signers = Signers::new(&self.demo, desks, self.program.authority())?;
        Ok(HandOvers::new(signers))
    }

    /// Reads the registry in, and starts the service.
    pub(crate) fn open(&self) -> anyhow::Result<Service> {
        progress("reading the registry in");
        let start = Instant::now();
        let count = self.program.import(self.demo.lines())?;
        let speed = grouped(rate(count, start.elapsed()));
        progress(&format!("read {} lines in, {speed} in a second", grouped(float(count))));
        for name in [PGBENCH, DISPENSE] {
            self.database.tell(name, "VACUUM ANALYZE")?;
        }
        self.program.serve()
    }
}

/// How many medication requests to provide, where pgbench does `speed` holds in a second.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn requests(plan: &Plan, speed: f64) -> u32 {
    let expected: f64 = plan.stretches().iter().map(|stretch| expected(*stretch)).sum();
    let full = plan.stretch.as_secs_f64() * f64::from(plan.rounds) * speed * expected;
    let steady = plan.steady.as_secs_f64() * f64::from(STEADY_RATE);
    let steady = if plan.wants(Row::Steady) { steady } else { 0.0 };
    let announced = plan.steady.as_secs_f64() * f64::from(ANNOUNCED_RATE);
    let announced = if plan.wants(Row::Streams) { announced } else { 0.0 };
    (full + steady + announced + FEWEST_REQUESTS).min(MOST_REQUESTS) as u32
}

/// How many times pgbench's holds a stretch of the service may well reach.
const fn expected(stretch: Stretch) -> f64 {
    match stretch {
        Stretch::Pgbench { .. } => 0.0,
        Stretch::Service { clients: ..=64 } => 2.2,
        Stretch::Service { .. } => 2.7,
        Stretch::DuringDump => 2.0,
        // A third of it, and what is ready and not sent.
        Stretch::HandOvers => 0.5,
    }
}

/// The day in Greenwich: never later than that of the service, which lies to the east.
fn today() -> anyhow::Result<NaiveDate> {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let time = DateTime::from_timestamp(time.as_secs().cast_signed(), 0);
    Ok(time.context("the clock shows no day")?.date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    #[test]
    fn requests_suffice_for_what_is_planned_and_no_more() {
        let requests = |options: Options| requests(&options.plan().unwrap(), 5_000.0);
        let steady = Options { only: Some(Row::Steady), ..Options::default() };
        assert_eq!(requests(steady), 20_000 + 60 * 275);
        let quick = requests(Options { quick: true, ..Options::default() });
        assert_eq!(quick, 20_000 + 15 * (275 + 500) + 296_000);
        let long = Options { seconds: Some(600), ..Options::default() };
        assert_eq!(requests(long), 1_500_000);
    }
}
