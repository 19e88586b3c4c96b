//! `Dispense-Position`: where the log was when something was answered, and how far it must have been
//! read before the next question is.
//!
//! An endpoint that answers from a read model:
//!
//! ```text
//! let asker = door.admit(&request, READ).await?;
//! // … path and query are believed …
//! door.wait_for(&request, Model::Reports).await?;
//! let report = door.dispensary.report(…).await?;
//! // After the rows were read, so that nothing in them is newer than what is told.
//! let positions = door.read_by(Model::Reports).await?;
//! Ok(HttpResponse::Ok().insert_header(told(&positions)).json(report))
//! ```
//!
//! The register's API, whose answers are made by its envelope, puts [`telling`] around them.
//!
//! Where the statement that reads the rows reads the positions as well, they are told in place of
//! those of `read_by`. An endpoint that folds the log is always current: it calls
//! [`Door::judge_position`] in place of `wait_for`, and tells where the partition ended in the same
//! reading. A question that finds nothing tells it too, where it looked.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use dispensary::{InvalidPositions, LogPositions, Model, PositionError};

use crate::Door;
use crate::body::clipped;
use crate::catalogue;
use crate::problem::Problem;

/// Where the log was, and how far it must have been read.
pub(crate) const DISPENSE_POSITION: HeaderName = HeaderName::from_static("dispense-position");

/// The header of an answer that rests on the log up to those positions.
pub(crate) fn told(positions: &LogPositions) -> (HeaderName, String) {
    (DISPENSE_POSITION, positions.to_string())
}

/// An answer that was made before, with that header.
pub(crate) fn telling(positions: &LogPositions, mut answer: HttpResponse) -> HttpResponse {
    // Digits, colons and commas: nothing that a header cannot hold.
    if let Ok(value) = HeaderValue::try_from(positions.to_string()) {
        answer.headers_mut().insert(DISPENSE_POSITION, value);
    }
    answer
}

impl Door {
    /// Judges the `Dispense-Position` of a question that folds the log, and so has no need to wait.
    ///
    /// # Errors
    ///
    /// `position-invalid`.
    pub(crate) async fn judge_position(&self, request: &HttpRequest) -> Result<(), Problem> {
        let known = known(request)?;
        Ok(self.dispensary.judge_positions(&known).await?)
    }

    /// Waits until a read model has what the `Dispense-Position` of a question names.
    ///
    /// # Errors
    ///
    /// `position-invalid`, and `read-model-behind` after a second.
    pub(crate) async fn wait_for(
        &self,
        request: &HttpRequest,
        model: Model,
    ) -> Result<(), Problem> {
        let known = known(request)?;
        Ok(self.dispensary.wait_for(model, &known).await?)
    }

    /// How far a read model has read, for the header of an answer whose rows were read before.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub(crate) async fn read_by(&self, model: Model) -> Result<LogPositions, Problem> {
        Ok(self.dispensary.read_by(model).await?)
    }
}

/// What the header of a question names; nothing if there is none. Several headers are one list.
fn known(request: &HttpRequest) -> Result<LogPositions, Problem> {
    let sent: Vec<String> = request
        .headers()
        .get_all(DISPENSE_POSITION)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    if sent.is_empty() {
        return Ok(LogPositions::default());
    }
    sent.join(",").parse().map_err(|invalid| match invalid {
        InvalidPositions::Malformed(part) => {
            let part = clipped(&part);
            let says = format!(
                "expected <partition>:<position>, several with commas between them; found `{part}`"
            );
            Problem::saying(&catalogue::POSITION_INVALID, says).with("position", part)
        }
        InvalidPositions::Repeated(place) => {
            let says = format!("expected each partition once; {} comes twice", place.partition);
            Problem::saying(&catalogue::POSITION_INVALID, says).with("position", &place.to_string())
        }
    })
}

impl From<PositionError> for Problem {
    fn from(error: PositionError) -> Self {
        match &error {
            PositionError::UnknownPartition { position, partitions } => {
                let says = format!("{error}; they are 0 to {}", partitions.saturating_sub(1));
                Self::saying(&catalogue::POSITION_INVALID, says)
                    .with("position", &position.to_string())
            }
            PositionError::BeyondHead { position, head } => {
                Self::saying(&catalogue::POSITION_INVALID, error.to_string())
                    .with("position", &position.to_string())
                    .with("head", &head.to_string())
            }
            PositionError::Behind { model, position, read } => {
                Self::saying(&catalogue::READ_MODEL_BEHIND, error.to_string())
                    .with("readModel", model.name())
                    .with("position", &position.to_string())
                    .with("read", &read.to_string())
            }
            PositionError::Unavailable(silent) => silent.into(),
        }
    }
}
