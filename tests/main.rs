//! The service from outside: real processes, HTTP and a real database.
//!
//! ```text
//!   harness/   a database for each test, instances of the service, pharmacies that speak HTTP,
//!              registry lines, and the audit, which counts from the events alone
//!   register   the cases that the register's own systems are known by, each with its id
//!   every_rule the rules that none of them tells, family by family
//!   stories    what a pharmacy or an operator meets, one story for each test
//!   fire_*     many clients at once while processes, connections, servers and clocks fail
//! ```
//!
//! They need a PostgreSQL of their own: `make test`, or
//! `with-servers -- cargo test -p dispense-tests -- holding`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod harness;

mod announcing;
mod architecture;
mod asyncapi;
mod auditing;
mod clock;
mod conformance;
mod contract;
mod demo;
mod deploying;
mod erasing;
mod every_rule;
mod expiring;
mod explaining;
mod fire_crashes;
mod fire_races;
mod fire_signing;
mod handing_over;
mod holding;
mod hostile_containers;
mod importing;
mod links;
mod looking_back;
mod lost_commit;
mod outage;
mod plans;
mod poison;
mod privacy;
mod private_kafka;
mod projections;
mod proving;
mod reading_own_writes;
mod register;
mod registry_stream;
mod replaying;
mod reporting;
mod restoring;
mod searching;
mod settings;
mod shutdown;
mod stock_reader;
mod streaming;
mod streams_cli;
mod telling;
mod tokens;
mod walking;
