//! Who looked is recorded before anything is shown.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use dispensary::access::{Access, Looked, Named};
use dispensary::{Asker, Requested, Shown};
use dispense_domain::{DispenseId, MedicationRequestId, PersonId};

use crate::Door;
use crate::body::Fault;
use crate::problem::{Problem, Violation};
use crate::visit::{RequestId, visible_ascii};

/// What somebody looks for, such as `TREAT`; a word of the caller's own house.
pub(crate) const X_PURPOSE_OF_USE: HeaderName = HeaderName::from_static("x-purpose-of-use");

/// How it is written, in messages and in the API descriptions.
const WRITTEN: &str = "X-Purpose-Of-Use";

/// What an answer shows, and of whom.
#[derive(Debug)]
pub(crate) struct Seen {
    looked: Looked,
    patients: Named<PersonId>,
    medication_requests: Named<MedicationRequestId>,
    dispenses: Named<DispenseId>,
}

impl Seen {
    /// Nothing yet.
    pub(crate) fn nothing(looked: Looked) -> Self {
        Self {
            looked,
            patients: Named::default(),
            medication_requests: Named::default(),
            dispenses: Named::default(),
        }
    }

    /// One dispense.
    pub(crate) fn of(looked: Looked, shown: &Shown) -> Self {
        Self::all(looked, [shown])
    }

    /// A page of dispenses, which may be empty.
    pub(crate) fn all<'a>(looked: Looked, page: impl IntoIterator<Item = &'a Shown>) -> Self {
        page.into_iter().fold(Self::nothing(looked), Self::with)
    }

    /// A medication request.
    pub(crate) fn requested(looked: Looked, requested: &Requested) -> Self {
        let request = &requested.evidence.request;
        Self::nothing(looked).request(request.id).patient(request.person_id)
    }

    /// This dispense too.
    pub(crate) fn with(self, shown: &Shown) -> Self {
        let request = &shown.hold.medication_request;
        let own = self.dispense(shown.hold.dispense_id);
        own.request(request.id).patient(request.person_id)
    }

    /// This patient too, even if nothing of them was found.
    pub(crate) fn patient(mut self, id: PersonId) -> Self {
        self.patients.add(id);
        self
    }

    /// This medication request too.
    pub(crate) fn request(mut self, id: MedicationRequestId) -> Self {
        self.medication_requests.add(id);
        self
    }

    /// This dispense too, by its id alone.
    pub(crate) fn dispense(mut self, id: DispenseId) -> Self {
        self.dispenses.add(id);
        self
    }
}

impl Door {
    /// Records that the asker is about to be shown that. Comes last, before the answer: nothing is
    /// shown that is not recorded.
    ///
    /// # Errors
    ///
    /// `unavailable` if it cannot be recorded; `schema` if the purpose is malformed.
    pub(crate) async fn saw(
        &self,
        request: &HttpRequest,
        asker: &Asker,
        seen: Seen,
    ) -> Result<(), Problem> {
        let access = Access {
            user: asker.user.into(),
            client: asker.client.into(),
            client_type: asker.client_type,
            request_id: RequestId::given_to(request).as_str().into(),
            purpose: purpose(request)?,
            looked: seen.looked,
            patients: seen.patients,
            medication_requests: seen.medication_requests,
            dispenses: seen.dispenses,
        };
        self.access.record(access).await.map_err(|silent| Problem::from(&silent))
    }
}

/// What the caller says to look for. A word of visible characters has no room for the name of a
/// patient, which some would write there.
fn purpose(request: &HttpRequest) -> Result<Option<Arc<str>>, Problem> {
    let refused = |fault| Problem::schema(vec![Violation::schema(WRITTEN.to_owned(), fault)]);
    let mut sent = request.headers().get_all(X_PURPOSE_OF_USE);
    match (sent.next(), sent.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(refused(Fault::repeated(WRITTEN))),
        (Some(value), None) => match visible_ascii(value.as_bytes()) {
            Some(text) => Ok(Some(text.into())),
            None => Err(refused(Fault::format("expected 1 to 255 visible ASCII characters"))),
        },
    }
}
