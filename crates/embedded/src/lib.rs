//! A private PostgreSQL from the system's own binaries, and a private Apache Kafka from its jars.
//!
//! `make run`, `make test` and `make bench` each need a database of their own, next to any other that
//! the machine may have: nothing to set up before, nothing left behind, no fixed port. Whoever wants
//! streams needs a broker in the same way.
//!
//! ```text
//!   Server::builder(folder)            folder/data         what initdb made, once
//!        │ .start()                    folder/password     of the superuser `postgres`, mode 0600
//!        ▼                             folder/server.log   what the server says
//!   lock the folder ── stop a leftover server ── initdb if new ── pick a port ── postgres ── ready
//! ```
//!
//! * It listens on 127.0.0.1 alone and asks for the password, so other users of the machine stay out.
//! * It has a process group of its own: Ctrl-C in a terminal reaches us, and we stop it in our order.
//! * It ends with us. A watcher waits at a pipe that only we hold open, and stops the server when we
//!   are gone, whatever killed us.
//! * PostgreSQL refuses to run as root. As root, it runs as the user `postgres` (or `nobody`); where
//!   that user cannot reach the wanted folder, the data lives below `/var/lib/dispense/` and a note in
//!   the wanted folder says so.
//! * Kafka has no such scruples about root, and no password unless its builder names users. It is killed
//!   if it does not stop in time, which loses nothing.
//!
//! Start reading at [`Server`] and [`Broker`]. The program `with-servers` wraps a command in such servers.

#![allow(clippy::doc_markdown, reason = "PostgreSQL and OpenSSL are names, not code")]

mod account;
mod binaries;
mod broker;
mod builder;
mod cluster;
mod error;
mod home;
mod leftover;
mod log;
mod port;
mod postmaster;
mod random;
mod server;
mod stepped_clock;

pub use binaries::Binaries;
pub use broker::{Broker, BrokerBuilder};
pub use builder::Builder;
pub use error::{Error, Result};
pub use server::{Mode, Server};
