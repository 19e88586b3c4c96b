//! What is answered in place of a success: the status, the type, and what is to blame.

use actix_web::{HttpRequest, HttpResponse};
use dispensary::document::DocumentError;
use dispensary::{AppendError, CommandError, QueryError};
use dispense_domain::Code;

use super::error::{ErrorObject, Invalid};
use super::words::{Form, VALIDATION_FAILED, Words, told};
use super::{envelope, place};
use crate::answer::Denial;
use crate::catalogue;
use crate::problem::Problem;

/// A no of this API: the problem, and the rule that decides where it was a rule that said so.
#[derive(Debug)]
pub(crate) struct Refused {
    problem: Problem,
    rule: Option<Code>,
}

impl Denial for Refused {
    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let words = self.words();
        let head = self.problem.head(words.status);
        envelope::failure(request, head, words.status, &self.error(words))
    }
}

impl Refused {
    fn words(&self) -> Words {
        match self.rule {
            Some(rule) => Words::of(rule),
            None => Words::of_door(self.problem.entry()),
        }
    }

    fn error(&self, words: Words) -> ErrorObject<'_> {
        let entry = self.problem.entry();
        let violations = self.problem.violations();
        let said = violations.first().map_or(entry.title, |first| &first.message);
        let (message, invalid) = match words.form {
            Form::Member(rule) => {
                let invalid = violations.iter().map(|it| Invalid::by_rule(it, rule));
                (VALIDATION_FAILED, invalid.collect())
            }
            Form::Schema => {
                (VALIDATION_FAILED, violations.iter().map(Invalid::by_schema).collect())
            }
            Form::Request => (said, vec![Invalid::REQUEST]),
            Form::Message => (said, Vec::new()),
        };
        ErrorObject { r#type: words.kind(), message, code: entry.code, invalid }
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { problem, rule: None }
    }
}

impl From<QueryError> for Refused {
    fn from(error: QueryError) -> Self {
        Problem::from(error).into()
    }
}

impl From<CommandError> for Refused {
    fn from(error: CommandError) -> Self {
        match &error {
            CommandError::Refused { refusals, position }
            | CommandError::NotAppended(AppendError::Refused { refusals, position }) => {
                let first = refusals.first().code;
                let problem = Problem::telling(first, told(refusals), place::path);
                Self { problem: problem.known_at(*position), rule: Some(first) }
            }
            CommandError::NotFound | CommandError::NotStored(_) | CommandError::NotAppended(_) => {
                Problem::of_command(&error, place::path).into()
            }
        }
    }
}

/// A dispense, or a medication request, that cannot be shown.
impl From<DocumentError> for Refused {
    fn from(error: DocumentError) -> Self {
        let said = match &error {
            DocumentError::BrokenReference(broken) => {
                Problem::saying(&catalogue::BUG, broken.to_string())
            }
            DocumentError::NoHold
            | DocumentError::BodyUnreadable(_)
            | DocumentError::Unwritable(_) => Problem::of(&catalogue::BUG),
        };
        said.caused_by(&error).into()
    }
}
