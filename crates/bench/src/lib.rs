//! How fast the service is, next to what its database could do at best on the same machine.
//!
//! A figure in holds per second says more about the machine than about the service. So the measure
//! is a ratio: the service over HTTP, divided by `pgbench` with the smallest hold that can be
//! written down, in turn on one PostgreSQL with one set of settings.
//!
//! ```text
//!   Plan ──▶ Database ── pgbench: lock a row, update it, insert an event, commit
//!    what      │          in turn, round by round, with
//!   to run     └─ Service ◀── load: a fresh medication request for each hold;
//!                   │               a hold made before, and signed for, for each hand-over
//!                   └──▶ Findings ──▶ report: what | measured | aim | met?
//! ```
//!
//! * [`Options`] says how long and which rows.
//! * `database`, `pgbench` and `dump` are PostgreSQL's side; `service` is ours, the same binary that
//!   production runs.
//! * `work` writes the orders, `load` sends them, `machine` and `metrics` see where the time goes.
//! * `preparation` has hand-overs ready: making the holds and signing is not what is measured.
//!   `alone` says what checking a signature costs when nothing else runs.
//! * `past` makes a large log, rebuilds the read models and searches: the read side.
//! * `streams` has the log announced on a private Apache Kafka, next to Kafka's own producer.
//! * `rounds` takes turns; `report` prints.
//!
//! Start reading at [`run`].

#![allow(clippy::doc_markdown, reason = "PostgreSQL is a name, not code")]

mod alone;
mod database;
mod dump;
mod figures;
mod findings;
mod instance;
mod load;
mod machine;
mod metrics;
mod options;
mod past;
mod pgbench;
mod preparation;
mod report;
mod rounds;
mod stage;
mod streams;
mod work;

use anyhow::anyhow;

pub use options::{Options, Row};

/// Measures, and prints a table of what was found.
///
/// Blocks for minutes; says on standard error how far it is. It may be called from anywhere, because
/// it does its work on a thread of its own.
///
/// # Errors
///
/// When PostgreSQL or the service cannot be started, when the service answers an order with a status
/// of 500 or more (unless [`Options::tolerate_server_errors`]), or when it takes an order that is
/// wrong.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let measured = std::thread::scope(|scope| scope.spawn(|| measure(options)).join());
    measured.map_err(|_| anyhow!("the measurement panicked; what it said is above"))?
}

fn measure(options: &Options) -> anyhow::Result<()> {
    let plan = options.plan()?;
    let findings = rounds::measure(&plan)?;
    print!("{}", report::written(&plan, &findings));
    findings.verdict(plan.tolerate_server_errors)
}
