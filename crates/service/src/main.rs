//! The binary `dispense`: knows every room of the house, and decides nothing.
//!
//! `config` reads the settings, `wiring` chooses what stands behind which port, `serve` starts and
//! stops it all together, `dev` brings a private PostgreSQL and a demo registry, and `cli` has a
//! file for each command. The way of a command through the house is told at [`dispensary`].

mod checkpoints;
mod cli;
mod config;
mod dev;
mod following;
mod health;
mod orphans;
mod registry_stream;
mod serve;
mod stream_signs;
mod streams;
mod telemetry;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = cli::arguments();
    match cli::run(arguments) {
        Ok(code) => code,
        Err(error) => {
            // Causes belong to the sentence here: whoever reads this can act on them.
            eprintln!("dispense: {error:#}");
            let wrong_usage = error.downcast_ref::<config::Mistakes>().is_some();
            if wrong_usage { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}
