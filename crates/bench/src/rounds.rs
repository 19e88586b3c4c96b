//! Both sides in turn, round by round, so that a machine that gets slower or faster does so for both.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use crate::dump::Dump;
use crate::figures::grouped;
use crate::findings::{Findings, Sample};
use crate::instance::Service;
use crate::load::{self, Tally, steady, waves};
use crate::machine::{CpuTime, Memory};
use crate::metrics::{Batches, Verification};
use crate::options::{Plan, Row};
use crate::past;
use crate::preparation::Preparation;
use crate::report::progress;
use crate::stage::Stage;
use crate::streams;
use crate::work::Supply;

/// Orders in each second of the steady stretch.
pub(crate) const STEADY_RATE: u32 = 275;

/// Clients of the stretch that is dumped, and of the one that it is compared with.
pub(crate) const DUMP_CLIENTS: u32 = 64;

/// Clients that hand over, and that hold in the stretch which it is compared with.
pub(crate) const HAND_OVER_CLIENTS: u32 = 64;

/// The service answers for this long before its first stretch counts, as pgbench did.
const WARM_UP: Duration = Duration::from_secs(2);

/// How often it is looked whether both sides are idle.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Processor time between two looks below which they are.
const IDLE: Duration = Duration::from_millis(30);

/// How long it is waited for that.
const SETTLE_WITHIN: Duration = Duration::from_secs(20);

/// A dump needs a moment until it holds its snapshot.
const DUMP_BEGINS_WITHIN: Duration = Duration::from_millis(500);

/// What is measured at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stretch {
    /// pgbench with so many clients.
    Pgbench { clients: u32 },
    /// The service with so many clients.
    Service { clients: u32 },
    /// The service with [`DUMP_CLIENTS`], and a dump beside it.
    DuringDump,
    /// The service with [`HAND_OVER_CLIENTS`], who hand over what they hold.
    HandOvers,
}

/// Sets the stage, measures everything that is planned, and clears up.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<Findings> {
    let stage = Stage::set(plan)?;
    let desks = stage.desks()?;
    let preparation = Preparation::new(stage.hand_overs(desks.clone())?);
    let supply = Supply::new(&stage.demo, desks)?;
    let service = stage.open()?;
    let mut bench =
        Bench { plan, stage: &stage, service: &service, supply, preparation, restless: 0 };
    bench.settle()?;
    let at_rest = Memory::of(service.id())?;
    bench.warm_up()?;

    let mut samples = Vec::new();
    for round in 1..=plan.rounds {
        stage.database.checkpoint()?;
        for stretch in plan.stretches() {
            let sample = bench.sample(stretch)?;
            let (name, rate) = (stretch.name(), grouped(sample.per_second));
            progress(&format!("round {round} of {}: {name}: {rate}/s", plan.rounds));
            samples.push(sample);
        }
    }
    let steady = if plan.wants(Row::Steady) { Some(bench.steady()?) } else { None };
    let after_load = Memory::of(service.id())?;
    let restless = bench.restless;
    let checked_alone = if plan.wants(Row::Process) { bench.checked_alone()? } else { None };
    let Bench { mut supply, .. } = bench;
    drop(service);
    let streams = if plan.wants(Row::Streams) {
        Some(streams::measure(&stage, plan, &mut supply)?)
    } else {
        None
    };
    let past = plan.wants(Row::Rebuild) || plan.wants(Row::Search);
    let past = if past { Some(past::measure(&stage, plan)?) } else { None };
    Ok(Findings { samples, steady, checked_alone, at_rest, after_load, past, streams, restless })
}

/// What takes turns. Orders outlive the service that takes them.
struct Bench<'a, 's> {
    plan: &'a Plan,
    stage: &'a Stage,
    service: &'a Service,
    supply: Supply<'s>,
    preparation: Preparation,
    restless: usize,
}

impl Bench<'_, '_> {
    /// Lets the service take some orders, all of which it has to take.
    fn warm_up(&mut self) -> anyhow::Result<()> {
        let tally = self.load(64, WARM_UP)?;
        self.all_taken(&tally)?;
        if self.plan.wants(Row::Process) {
            self.prepare(WARM_UP)?;
            let tally = self.hand_over(WARM_UP)?;
            self.all_taken(&tally)?;
        }
        Ok(())
    }

    fn all_taken(&self, tally: &Tally) -> anyhow::Result<()> {
        if tally.wrongly_refused > 0 || tally.broken > 0 {
            let answers = &tally.examples;
            bail!("the service refuses right orders: {answers:#?}\n{}", self.service.said());
        }
        Ok(())
    }

    /// Has signed hand-overs ready for so long.
    fn prepare(&mut self, time: Duration) -> anyhow::Result<()> {
        progress("making holds, and signing what is handed over");
        self.preparation.prepare(self.service.address(), &mut self.supply, time)
    }

    /// Hands over as fast as can be.
    fn hand_over(&mut self, time: Duration) -> anyhow::Result<Tally> {
        let belt = self.preparation.belt();
        let address = self.service.address();
        let tally = load::run(time, waves(address, HAND_OVER_CLIENTS, time, belt))?;
        self.preparation.learn(&tally);
        Ok(tally)
    }

    /// What checking a signature costs, when everything is quiet.
    fn checked_alone(&mut self) -> anyhow::Result<Option<Duration>> {
        self.settle()?;
        self.preparation.checked_alone(self.stage.program.anchors())
    }

    /// Waits until neither side still works off what came before.
    fn settle(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        let mut before = self.cpu()?;
        while start.elapsed() < SETTLE_WITHIN {
            thread::sleep(LOOK_EVERY);
            let now = self.cpu()?;
            let used = now - before;
            if used.service + used.postgres < IDLE {
                return Ok(());
            }
            before = now;
        }
        self.restless += 1;
        Ok(())
    }

    fn cpu(&self) -> anyhow::Result<CpuTime> {
        CpuTime::now(self.service.id(), self.stage.database.process()?)
    }

    /// Full load from so many clients.
    fn load(&mut self, clients: u32, time: Duration) -> anyhow::Result<Tally> {
        let ahead = self.stage.orders_per_second().saturating_mul(usize::try_from(time.as_secs())?);
        let belt = self.supply.right_orders(ahead);
        load::run(time, waves(self.service.address(), clients, time, belt))
    }

    /// One stretch, when everything is quiet.
    fn sample(&mut self, stretch: Stretch) -> anyhow::Result<Sample> {
        let time = self.plan.stretch;
        if stretch == Stretch::HandOvers {
            self.prepare(time)?;
        }
        self.settle()?;
        match stretch {
            Stretch::Pgbench { clients } => self.of_pgbench(clients),
            Stretch::Service { clients } => self.of_holds(stretch, clients),
            Stretch::DuringDump => {
                let dump = Dump::start(&self.stage.database)?;
                thread::sleep(DUMP_BEGINS_WITHIN);
                let sample = self.of_holds(stretch, DUMP_CLIENTS)?;
                Ok(Sample { dumps: dump.stop()?, ..sample })
            }
            Stretch::HandOvers => self.of_service(stretch, |bench| bench.hand_over(time)),
        }
    }

    fn of_pgbench(&self, clients: u32) -> anyhow::Result<Sample> {
        let (start, before) = (Instant::now(), self.cpu()?);
        let database = &self.stage.database;
        let per_second = self.stage.pgbench.run(database, clients, self.plan.stretch)?;
        Ok(Sample {
            stretch: Stretch::Pgbench { clients },
            per_second,
            elapsed: start.elapsed(),
            cpu: self.cpu()? - before,
            tally: Tally::default(),
            batches: Batches::default(),
            verification: Verification::default(),
            dumps: 0,
        })
    }

    fn of_holds(&mut self, stretch: Stretch, clients: u32) -> anyhow::Result<Sample> {
        let time = self.plan.stretch;
        // Written before the processor time is read, so that it does not count as load.
        let ahead = self.stage.orders_per_second().saturating_mul(usize::try_from(time.as_secs())?);
        self.supply.right_orders(ahead);
        self.of_service(stretch, |bench| bench.load(clients, time))
    }

    fn of_service(
        &mut self,
        stretch: Stretch,
        load: impl FnOnce(&mut Self) -> anyhow::Result<Tally>,
    ) -> anyhow::Result<Sample> {
        let (earlier, before) = (self.service.scrape()?, self.cpu()?);
        let tally = load(self)?;
        let (later, cpu) = (self.service.scrape()?, self.cpu()? - before);
        ensure!(
            tally.taken.count() > 0,
            "{}: not one order was taken: {:?} {:#?}\n{}",
            stretch.name(),
            tally.statuses,
            tally.examples,
            self.service.said()
        );
        Ok(Sample {
            stretch,
            per_second: tally.per_second(),
            elapsed: tally.elapsed,
            cpu,
            tally,
            batches: Batches::between(&earlier, &later),
            verification: Verification::between(&earlier, &later),
            dumps: 0,
        })
    }

    /// A steady rate, with wrong orders in between.
    fn steady(&mut self) -> anyhow::Result<Tally> {
        let time = self.plan.steady;
        progress(&format!("{STEADY_RATE} orders in a second for {} s", time.as_secs()));
        let count = usize::try_from(u64::from(STEADY_RATE) * time.as_secs())?;
        let belt = self.supply.mixed_orders(count);
        self.settle()?;
        let short = belt.len() < count;
        let mut tally = load::run(time, steady(self.service.address(), STEADY_RATE, belt))?;
        tally.ran_out = short;
        Ok(tally)
    }
}

impl Stretch {
    /// What it is called in the table.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Pgbench { clients } => format!("pgbench, {clients} clients"),
            Self::Service { clients } => format!("service, {clients} clients"),
            Self::DuringDump => format!("service, {DUMP_CLIENTS} clients, during pg_dump"),
            Self::HandOvers => format!("hand-overs, {HAND_OVER_CLIENTS} clients"),
        }
    }
}
