//! The command line: one file for each command.

mod accept_restore;
mod audit;
mod bench;
mod database;
mod explain;
mod health;
mod help;
pub(crate) mod import;
mod log;
mod migrate;
mod privacy;
mod progress;
mod projections;
mod replay;
pub(crate) mod sign;
mod streams;
pub(crate) mod token;

use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Reader, Settings, help};
use crate::{dev, serve, telemetry};

/// How long what still runs may take after the work is done.
const LEFT_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// The version of this build.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Holds, dispenses and gives back medication, so that nothing is dispensed twice.
#[derive(Debug, Parser)]
#[command(name = "dispense", version, after_help = "docs/operations.md explains the rest.")]
pub(crate) struct Arguments {
    /// A file with settings, one NAME=value a line; the environment wins over it
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything on a private database with a demo registry
    #[command(after_long_help = help())]
    Dev(dev::Arguments),
    /// Serve HTTP on a database that `migrate` has prepared
    #[command(after_help = help())]
    Serve,
    /// Prepare the database, and the role that serves
    #[command(after_long_help = help())]
    Migrate,
    /// Registry data
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// Print a token signed with the development key
    Token(token::Arguments),
    /// Sign the document of a hold with the development authority, and print it in base64
    Sign(sign::Arguments),
    /// Say rule by rule whether a dispense could begin now, and why not; nothing is written
    #[command(after_long_help = explain::HELP)]
    Explain(explain::Arguments),
    /// The log itself
    #[command(subcommand)]
    Log(log::LogCommand),
    /// Prove that the log is whole
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Read models: how far they are, and making them anew
    #[command(subcommand)]
    Projections(projections::ProjectionsCommand),
    /// Topics of Kafka: make them, hold them against the log, make them whole
    #[command(subcommand)]
    Streams(streams::StreamsCommand),
    /// Personal data: erase a person
    #[command(subcommand)]
    Privacy(privacy::PrivacyCommand),
    /// Print an `OpenAPI` document
    Openapi {
        /// Of which API: the platform's under /api/v1, or the register's under /api
        #[arg(long, value_enum, default_value_t = Api::Ndp)]
        api: Api,
    },
    /// Print the list of problems as `docs/problems.md` has it
    #[command(hide = true)]
    Problems,
    /// Ask the instance on this machine how it is
    #[command(after_help = health::HELP)]
    Health(health::Arguments),
    /// Measure, and compare with pgbench on the same machine
    Bench(bench::Arguments),
}

/// One of the two APIs.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Api {
    /// The platform's, under /api/v1
    Ndp,
    /// The register's, under /api
    Ehealth,
}

#[derive(Debug, Subcommand)]
enum RegistryCommand {
    /// Apply lines of registry data: good ones are applied, faulty ones are listed
    Import(import::Arguments),
    /// Print the demo registry
    Demo(import::DemoArguments),
}

/// What was asked for; ends the process where that is wrong, or help.
pub(crate) fn arguments() -> Arguments {
    let mut command = help::plain(Arguments::command());
    let mut matches = command.get_matches_mut();
    Arguments::from_arg_matches_mut(&mut matches)
        .unwrap_or_else(|error| error.format(&mut command).exit())
}

/// Runs what was asked for.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let reader = Reader::open(arguments.config.as_deref())?;
    let done = match arguments.command {
        Command::Dev(arguments) => {
            let reader = log(reader, "warn,dispense=info")?;
            dev::run(reader, &arguments)
        }
        Command::Serve => {
            let reader = log(reader, "info")?;
            let settings = Settings::read(reader)?;
            let listener = serve::listen(settings.serving.listen)?;
            wait(serve::serve(settings, listener, |_| {}))
        }
        Command::Migrate => {
            let reader = log(reader, "warn")?;
            wait(migrate::run(reader))
        }
        Command::Registry(RegistryCommand::Import(arguments)) => {
            let reader = log(reader, "warn")?;
            wait(import::run(reader, arguments))
        }
        Command::Registry(RegistryCommand::Demo(arguments)) => import::demo(&arguments),
        Command::Token(arguments) => token::run(reader, &arguments),
        Command::Sign(arguments) => wait(sign::run(reader, arguments)),
        Command::Explain(arguments) => {
            let reader = log(reader, "warn")?;
            return wait(explain::run(reader, arguments));
        }
        Command::Log(command) => return log::run(reader, command),
        Command::Audit(command) => return audit::run(reader, command),
        Command::Projections(command) => {
            let reader = log(reader, "warn")?;
            wait(projections::run(reader, command))
        }
        Command::Streams(command) => return streams::run(reader, command),
        Command::Privacy(command) => return privacy::run(reader, command),
        Command::Openapi { api } => {
            let document = match api {
                Api::Ndp => dispense_http::openapi(),
                Api::Ehealth => dispense_http::ehealth_openapi(),
            };
            // By way of a value, so that members stand in one order, whoever writes it down.
            let document = serde_json::to_value(document)?;
            print(&format!("{document:#}\n"))
        }
        Command::Problems => print(&dispense_http::problems_markdown()),
        Command::Health(arguments) => return wait(health::run(reader, arguments)),
        Command::Bench(arguments) => bench::run(arguments),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Starts logging, and logs what is doubtful in the settings.
fn log(reader: Reader, usual: &str) -> anyhow::Result<Reader> {
    let reader = telemetry::log(reader, usual)?;
    reader.warn();
    Ok(reader)
}

/// Prints a document. Who reads only the beginning of it is no error.
fn print(document: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(document.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Runs what waits.
pub(crate) fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    let outcome = runtime.block_on(work);
    // Whoever still waits for brokers on a thread of its own is not waited for.
    runtime.shutdown_timeout(LEFT_WITHIN);
    outcome
}
