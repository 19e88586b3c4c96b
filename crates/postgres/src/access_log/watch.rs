//! Watches for users who look at many patients in a short time, as far as this process sees them.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use dispensary::access::Access;
use dispense_domain::{PersonId, UserId};

/// How short the time is, and how many patients are many: as the report has it unless told.
const WITHIN: Duration = Duration::from_hours(1);
const MANY: usize = 60;

/// The most users that are watched at once. Beyond them only those are who were before.
const MOST_USERS: usize = 10_000;

/// Who looked at how many patients lately.
#[derive(Debug, Default)]
pub(super) struct Watch {
    users: HashMap<UserId, Lately>,
}

#[derive(Debug)]
struct Lately {
    since: Instant,
    patients: HashSet<PersonId>,
}

impl Watch {
    /// Takes note of a look. Says whether it is the one with which they are many. Payers and systems
    /// look at many by duty, so only users of pharmacies and clinics are watched.
    pub(super) fn notes(&mut self, access: &Access, now: Instant) -> bool {
        if !access.client_type.is_personal() || access.patients.ids().is_empty() {
            return false;
        }
        if self.users.len() >= MOST_USERS && !self.users.contains_key(&access.user) {
            self.users.retain(|_, lately| now.duration_since(lately.since) < WITHIN);
            if self.users.len() >= MOST_USERS {
                return false;
            }
        }
        let lately = self.users.entry(access.user);
        let lately = lately.or_insert_with(|| Lately { since: now, patients: HashSet::new() });
        if now.duration_since(lately.since) >= WITHIN {
            *lately = Lately { since: now, patients: HashSet::new() };
        }
        let were_many = lately.patients.len() >= MANY;
        // Nobody has to be counted beyond that.
        let room = MANY.saturating_sub(lately.patients.len());
        let fresh = access.patients.ids().iter().filter(|id| !lately.patients.contains(id));
        let fresh: Vec<PersonId> = fresh.take(room).copied().collect();
        lately.patients.extend(fresh);
        !were_many && lately.patients.len() >= MANY
    }
}

#[cfg(test)]
mod tests {
    use dispensary::ClientType;
    use dispensary::access::{Looked, Named};
    use uuid::Uuid;

    use super::*;

    fn look(user: u128, client_type: ClientType, patients: std::ops::Range<usize>) -> Access {
        let mut named = Named::default();
        for patient in patients {
            named.add(Uuid::from_u128(patient as u128).into());
        }
        Access {
            user: Uuid::from_u128(user).into(),
            client: Uuid::nil().into(),
            client_type,
            request_id: "r".into(),
            purpose: None,
            looked: Looked::Dispense,
            patients: named,
            medication_requests: Named::default(),
            dispenses: Named::default(),
        }
    }

    #[test]
    fn it_is_told_once_an_hour_and_of_different_patients_alone() {
        let (mut watch, began) = (Watch::default(), Instant::now());
        for _ in 0..1_000 {
            assert!(!watch.notes(&look(1, ClientType::Pharmacy, 0..MANY - 1), began));
        }
        assert!(watch.notes(&look(1, ClientType::Pharmacy, MANY..MANY + 1), began));
        assert!(!watch.notes(&look(1, ClientType::Pharmacy, 0..300), began), "told already");
        let later = began + WITHIN;
        assert!(!watch.notes(&look(1, ClientType::Pharmacy, 0..MANY - 1), later));
        assert!(watch.notes(&look(1, ClientType::Pharmacy, 0..300), later));
    }

    #[test]
    fn users_of_a_payer_look_at_many_by_duty() {
        let mut watch = Watch::default();
        assert!(!watch.notes(&look(1, ClientType::Nhs, 0..300), Instant::now()));
        assert!(watch.notes(&look(1, ClientType::Msp, 0..300), Instant::now()));
    }

    #[test]
    fn no_more_are_watched_than_there_is_room_for() {
        let (mut watch, began) = (Watch::default(), Instant::now());
        for user in 0..MOST_USERS + 10 {
            watch.notes(&look(user as u128, ClientType::Pharmacy, 0..1), began);
        }
        assert_eq!(watch.users.len(), MOST_USERS);
        let late = look(u128::MAX, ClientType::Pharmacy, 0..300);
        assert!(!watch.notes(&late, began));
        assert!(watch.notes(&late, began + WITHIN), "those before are over");
    }
}
