//! What is answered in place of a success: the status, the type, and what is to blame.

use actix_web::{HttpRequest, HttpResponse};
use dispensary::document::DocumentError;
use dispensary::{AppendError, CommandError, QueryError};
use dispense_domain::{Code, Refusals};

use super::error::{ErrorObject, Invalid};
use super::words::{Form, VALIDATION_FAILED, Words, told};
use super::{envelope, place};
use crate::answer::Denial;
use crate::catalogue::{self, Entry};
use crate::problem::Problem;

/// A no of this API: the problem, and how the register says it.
#[derive(Debug)]
pub(crate) struct Refused {
    problem: Box<Problem>,
    words: Words,
    /// For each member that is to blame, the name of the rule that it broke: lines of one step may
    /// break different ones.
    broken: Box<[&'static str]>,
}

impl Denial for Refused {
    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let head = self.problem.head(self.words.status);
        envelope::failure(request, head, self.words.status, &self.error())
    }
}

impl Refused {
    /// A rule that is told as forbidding, whatever its status elsewhere: nothing is commanded here.
    pub(super) fn forbidden(code: Code, says: String) -> Self {
        let problem = Problem::saying(Entry::of(code), says);
        Self { problem: problem.into(), words: Words::forbidden(), broken: Box::default() }
    }

    fn error(&self) -> ErrorObject<'_> {
        let words = self.words;
        let entry = self.problem.entry();
        let violations = self.problem.violations();
        let said = violations.first().map_or(entry.title, |first| &first.message);
        let (message, invalid) = match words.form {
            Form::Member(_) => {
                let broken = violations.iter().zip(&self.broken);
                let invalid = broken.map(|(it, rule)| Invalid::by_rule(it, rule));
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
        let words = Words::of_door(problem.entry());
        Self { problem: problem.into(), words, broken: Box::default() }
    }
}

impl From<QueryError> for Refused {
    fn from(error: QueryError) -> Self {
        Problem::from(error).into()
    }
}

impl From<&Refusals> for Refused {
    fn from(refusals: &Refusals) -> Self {
        let (first, told) = (refusals.first(), told(refusals));
        let broken = told.iter().filter_map(|it| Words::of_refusal(it).form.member_rule());
        let broken = broken.collect();
        let problem = Problem::telling(first.code, told, place::path);
        Self { problem: problem.into(), words: Words::of_refusal(first), broken }
    }
}

impl From<Refusals> for Refused {
    fn from(refusals: Refusals) -> Self {
        (&refusals).into()
    }
}

impl From<CommandError> for Refused {
    fn from(error: CommandError) -> Self {
        match &error {
            CommandError::Refused { refusals, position }
            | CommandError::NotAppended(AppendError::Refused { refusals, position }) => {
                let refused = Self::from(refusals);
                Self { problem: refused.problem.known_at(*position).into(), ..refused }
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
