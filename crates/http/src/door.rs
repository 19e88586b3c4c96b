//! What stands behind the door.

use std::sync::Arc;

use actix_web::HttpRequest;
use chrono_tz::Tz;
use dispensary::access::AccessLog;
use dispensary::registry_changes::RegistryChanges;
use dispensary::{Asker, Dispensary};

use crate::auth::{Authenticator, require_scope};
use crate::cursor::CursorKey;
use crate::health::Health;
use crate::ndp::events::readers::Readers;
use crate::problem::Problem;

/// What stands behind the door. The service fills it; every worker has a clone.
#[derive(Clone)]
pub struct Door {
    /// What the service can do.
    pub dispensary: Dispensary,
    /// Who looked.
    pub access: Arc<dyn AccessLog>,
    /// What registries said, and when.
    pub registry_changes: Arc<dyn RegistryChanges>,
    /// Who asks.
    pub authenticator: Arc<Authenticator>,
    /// What vouches for cursors.
    pub cursors: CursorKey,
    /// Who reads the log itself.
    pub readers: Readers,
    /// What is wrong with this instance.
    pub health: Arc<dyn Health>,
    /// The metrics as Prometheus reads them.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Days are counted in this zone (`TIME_ZONE`).
    pub zone: Tz,
}

impl Door {
    /// Returns who asks, if the token is good and allows the scope. Comes before anything else of a
    /// request is looked at.
    pub(crate) async fn admit(
        &self,
        request: &HttpRequest,
        scope: &'static str,
    ) -> Result<Asker, Problem> {
        let asker = self.authenticator.authenticate(request.headers()).await?;
        require_scope(&asker, scope)?;
        Ok(asker)
    }
}
