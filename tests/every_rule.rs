//! Every rule over HTTP that no case of the register tells: through both APIs, each family in a file.

mod askers;
mod care_plans;
mod codes;
mod contexts;
mod contracts;
mod dry_runs;
mod licences;
mod outlets;
mod participants;
mod payments;
mod provisions;
mod quantities;
mod requests;
