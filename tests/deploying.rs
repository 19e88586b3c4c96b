//! What is in `deploy/`: started as it is written there, and held against the service that it is for. What linters know
//! is checked by `make lint`.

mod figures;
mod image;
mod promises;
mod rolling_out;
mod starting;
mod written;
