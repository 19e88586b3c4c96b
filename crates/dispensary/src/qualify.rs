//! Which programs can pay for a medication request, and with which brands.

use std::sync::Arc;

use dispense_domain::qualify::{Qualified, Qualify, qualifiable, qualify};
use dispense_domain::{Dispensing, DivisionId, LegalEntityId, MedicalProgramId, Refusals, Terms};

use crate::{Asker, Dispensary, QueryError, Registries, RequestKey, Requested};

/// A medication request that this asker may see, for which programs can be asked.
#[derive(Debug, Clone)]
pub struct Qualifiable {
    client: LegalEntityId,
    requested: Requested,
    at: chrono::DateTime<chrono::Utc>,
    registries: Arc<Registries>,
    terms: Arc<Terms>,
}

impl Dispensary {
    /// The medication request, read as a decision about it would read it.
    ///
    /// # Errors
    ///
    /// As [`Dispensary::requested`].
    pub async fn qualifiable(
        &self,
        asker: &Asker,
        key: &RequestKey,
    ) -> Result<Qualifiable, QueryError> {
        let visible = self.visible(asker, key).await?;
        let (requested, stream) = visible.ok_or(QueryError::NotFound("medication request"))?;
        Ok(Qualifiable {
            client: asker.client.into(),
            requested,
            at: stream.at,
            registries: self.registry.small(),
            terms: self.terms.clone(),
        })
    }
}

impl Qualifiable {
    /// The medication request.
    #[must_use]
    pub fn requested(&self) -> &Requested {
        &self.requested
    }

    fn dispensing(&self) -> &Dispensing {
        &self.requested.dispensing
    }

    /// Whether programs can be asked for at all, before it is known which.
    ///
    /// # Errors
    ///
    /// Rules Q3 and Q4.
    pub fn check(&self) -> Result<(), Refusals> {
        qualifiable(self.dispensing(), &self.requested.evidence)
    }

    /// What becomes of each program, in the order in which they are asked for.
    ///
    /// # Errors
    ///
    /// Every rule of 5.10 that forbids to look at programs at all.
    pub fn qualify(
        &self,
        programs: Vec<MedicalProgramId>,
        division_id: Option<DivisionId>,
    ) -> Result<Vec<Qualified>, Refusals> {
        let asked = Qualify { client: self.client, programs, division_id };
        let request = self.requested.evidence.clone();
        let evidence = self.registries.qualify_evidence(&asked, request, &self.terms);
        qualify(self.dispensing(), &asked, &evidence, self.at)
    }
}
