//! Every event reaches Kafka once and in order, whatever falls over: a real broker, a real database, and
//! consumers that share no line with the service.
//!
//! ```text
//!   house     a database, a prefix of its own on a broker, instances that announce there
//!   brokers   a broker of a test's own, to be stopped, killed and asked for passwords
//!   topics    what an operator does to topics behind the service's back
//!   messages  what any client gets there
//!   witness   docs/streams/consumer.py and consumer.rs, which say what was missing, doubled or altered
//! ```

pub(crate) mod brokers;
pub(crate) mod house;
mod messages;
pub(crate) mod topics;
mod witness;

mod cluster;
mod described;
mod doubted;
mod fallen;
mod fenced;
mod killed;
mod locked_out;
mod lost;
mod restored;
mod told;
mod too_large;
