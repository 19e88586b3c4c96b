//! What every test stands on.

mod answer;
mod audit;
pub(crate) mod case;
mod database;
mod figures;
mod instance;
mod issuer;
mod load;
mod order;
mod own_server;
mod pharmacy;
mod ports;
mod process;
mod proxy;
mod register;
mod signing;
mod small_disk;
mod wait;
pub(crate) mod world;

pub(crate) use answer::Answer;
pub(crate) use audit::{Audit, Entry};
pub(crate) use case::{Asking, Case, OVER, Opened, Running, Switches};
pub(crate) use database::Database;
pub(crate) use instance::Instance;
pub(crate) use issuer::{Token, key_set};
pub(crate) use load::{Crowd, Told, done, insist, shuffled};
pub(crate) use order::{Kind, Order};
pub(crate) use own_server::OwnServer;
pub(crate) use pharmacy::Pharmacy;
pub(crate) use ports::free as free_port;
pub(crate) use process::{Process, temporary};
pub(crate) use proxy::{Mischief, Proxy};
pub(crate) use signing::{PAID, Payment, authority, sign_as};
pub(crate) use small_disk::SmallDisk;
pub(crate) use wait::{eventually, within};
pub(crate) use world::{PRESCRIBED, Prescribed, Terms, World, line, today};
