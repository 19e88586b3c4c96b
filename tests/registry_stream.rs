//! Registry data that comes in messages, from outside: a real broker, a real database, and messages as
//! any client of Kafka sends them.
//!
//! ```text
//!   registry   the topics of an installation of its own, and what may be said of them in the end
//!   letters    what stands in the topic of dead letters
//! ```

mod letters;
mod registry;

mod arriving;
mod faulty;
mod killed;
mod operators;
