//! Who reads the log at one time: so many, and no longer than the service runs.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::catalogue;
use crate::problem::Problem;

/// The most who read the log at one time, one of whom costs a page of it in memory.
const MOST_READERS: usize = 32;

/// Room for those who read the log.
#[derive(Debug, Clone)]
pub struct Readers {
    places: Arc<Semaphore>,
    closing: CancellationToken,
}

/// A place among them, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place(#[allow(dead_code, reason = "held, and given back")] OwnedSemaphorePermit);

impl Readers {
    /// Nobody yet. When `closing` is cancelled, those who wait for what is to come are let go.
    #[must_use]
    pub fn new(closing: CancellationToken) -> Self {
        Self { places: Arc::new(Semaphore::new(MOST_READERS)), closing }
    }

    /// A place.
    ///
    /// # Errors
    ///
    /// `busy`, if there is none or the service stops.
    pub(crate) fn take(&self) -> Result<Place, Problem> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        match place {
            Ok(place) if !self.closing.is_cancelled() => Ok(Place(place)),
            Ok(_) | Err(_) => Err(Problem::saying(
                &catalogue::BUSY,
                format!("At most {MOST_READERS} may read the log at one time; try again"),
            )),
        }
    }

    /// Returns when the service stops.
    pub(crate) fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }
}
