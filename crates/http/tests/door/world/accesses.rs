//! Who looked, in memory.

use async_trait::async_trait;
use chrono::TimeDelta;
use dispensary::Unavailable;
use dispensary::access::{Access, AccessLog, Look, LookPlace, LooksAsked, Unusual, UnusualAsked};

use super::State;

pub(super) struct MemoryAccesses(pub(super) State);

#[async_trait]
impl AccessLog for MemoryAccesses {
    async fn record(&self, access: Access) -> Result<(), Unavailable> {
        let mut inner = self.0.get();
        if inner.access_log_is_full {
            let source = "no room (secret detail)".into();
            return Err(Unavailable { what: "the access log", source });
        }
        inner.accesses.push(access);
        Ok(())
    }

    async fn looks(&self, asked: &LooksAsked) -> Result<Vec<Look>, Unavailable> {
        let inner = self.0.get();
        let last = i64::try_from(inner.accesses.len()).unwrap();
        let numbered = (1..=last).rev().zip(inner.accesses.iter().rev());
        let is_asked_for = |(number, access): &(i64, &Access)| {
            asked.whose.user().is_none_or(|user| user == access.user)
                && asked.whose.patient().is_none_or(|it| access.patients.ids().contains(&it))
                && asked.after.is_none_or(|after| *number < after.number)
        };
        let page = numbered.filter(is_asked_for).take(asked.limit.try_into().unwrap());
        Ok(page.map(|(number, access)| look(LookPlace { at: inner.now, number }, access)).collect())
    }

    /// Whoever looked at all.
    async fn unusual(&self, asked: &UnusualAsked) -> Result<Vec<Unusual>, Unavailable> {
        let inner = self.0.get();
        let to = asked.to.unwrap_or(inner.now);
        let of = |access: &Access| Unusual {
            user: access.user,
            client: access.client,
            from: to - TimeDelta::minutes(asked.minutes.into()),
            to,
            patients: asked.patients.into(),
            looks: asked.hours.into(),
        };
        Ok(inner.accesses.iter().map(of).take(asked.limit.try_into().unwrap()).collect())
    }
}

fn look(place: LookPlace, access: &Access) -> Look {
    let Access { patients, medication_requests, dispenses, .. } = access;
    Look {
        place,
        user: access.user,
        client: access.client,
        client_type: access.client_type.to_string(),
        request_id: access.request_id.to_string(),
        purpose: access.purpose.as_deref().map(ToOwned::to_owned),
        looked: access.looked.to_string(),
        patients: patients.ids().to_vec(),
        medication_requests: medication_requests.ids().to_vec(),
        dispenses: dispenses.ids().to_vec(),
        beyond: patients.beyond() + medication_requests.beyond() + dispenses.beyond(),
    }
}
