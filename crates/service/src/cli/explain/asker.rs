//! Who asks, where nobody brings a token.

use anyhow::{Context, bail};
use dispensary::{Asker, ClientType, Registries, Scopes};
use dispense_domain::registry::EmployeeStatus;
use dispense_domain::{DivisionId, LegalEntityId, UserId};
use uuid::Uuid;

/// Who is named; else the company that owns the outlet, and the first of its users who may dispense
/// there.
pub(super) fn of(
    registries: &Registries,
    division: DivisionId,
    user: Option<Uuid>,
    client: Option<Uuid>,
) -> anyhow::Result<Asker> {
    let owner = || registries.divisions.get(&division).map(|it| it.legal_entity_id);
    let client = client.map(LegalEntityId::from).or_else(owner).with_context(|| {
        format!(
            "--client: the registry has no pharmacy {division}, so no company that owns it can be \
             taken; look at pharmacyId in the body, or say who asks with --client ID to have every \
             rule judged"
        )
    })?;
    let taken = match user {
        Some(user) => UserId::from(user),
        None => first_user(registries, client, division)?,
    };
    let company = registries.legal_entities.get(&client);
    let client_type = company.and_then(|it| ClientType::of_legal_entity(it.kind.as_str()));
    Ok(Asker {
        user: taken.uuid(),
        client: client.uuid(),
        // No rule of a hold looks at it.
        client_type: client_type.unwrap_or(ClientType::Pharmacy),
        scopes: Scopes::parse(""),
    })
}

/// What is to be said of who asks, if not both were named.
pub(super) fn taken(asker: &Asker, user: Option<Uuid>, client: Option<Uuid>) -> Option<String> {
    let (user_taken, client_taken) = (asker.user, asker.client);
    let ways = match (user, client) {
        (Some(_), Some(_)) => return None,
        (Some(_), None) => "--client names another company than the one that owns the pharmacy",
        (None, Some(_)) => "--user names another user",
        (None, None) => "--user and --client name others",
    };
    Some(format!("asked as user {user_taken} of company {client_taken}; {ways}"))
}

/// Of the users with an approved, active job in that company the first, those at the outlet before
/// all others. Always the same one.
fn first_user(
    registries: &Registries,
    client: LegalEntityId,
    division: DivisionId,
) -> anyhow::Result<UserId> {
    let jobs = registries.employees.values().filter(|job| {
        job.legal_entity_id == client && job.is_active && job.status == EmployeeStatus::Approved
    });
    let jobs: std::collections::HashMap<_, _> =
        jobs.map(|job| (job.party_id, job.division_id != Some(division))).collect();
    let users = registries.party_users.values().filter_map(|account| {
        jobs.get(&account.party_id).map(|elsewhere| (*elsewhere, account.user_id))
    });
    match users.min() {
        Some((_, user)) => Ok(user),
        None => bail!(
            "--user: company {client} has no user with an approved, active job; say who asks with \
             --user ID"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dispense_demo::{Demo, Tour};
    use dispense_domain::registry::{Division, Employee, PartyUser};
    use serde_json::Value;

    use super::*;

    /// Outlets, jobs and accounts of the demo registry, and its tour.
    fn demo() -> (Registries, Tour) {
        let demo = Demo::new("2026-11-22".parse().unwrap()).with_requests(2);
        let mut registries = Registries::default();
        for line in demo.lines() {
            let mut line: Value = serde_json::from_str(&line).unwrap();
            let record = line["data"].take();
            match line["kind"].as_str().unwrap() {
                "division" => {
                    let record: Division = serde_json::from_value(record).unwrap();
                    registries.divisions.insert(record.id, Arc::new(record));
                }
                "employee" => {
                    let record: Employee = serde_json::from_value(record).unwrap();
                    registries.employees.insert(record.id, Arc::new(record));
                }
                "party_user" => {
                    let record: PartyUser = serde_json::from_value(record).unwrap();
                    registries.party_users.insert(record.user_id, Arc::new(record));
                }
                _ => {}
            }
        }
        registries.index();
        (registries, demo.tour())
    }

    #[test]
    fn the_owner_of_the_outlet_asks_and_a_user_who_works_there() {
        let (registries, tour) = demo();
        for pharmacy in [tour.pharmacy, tour.other_pharmacy] {
            let asker = of(&registries, pharmacy.division_id.into(), None, None).unwrap();
            assert_eq!(asker.client, pharmacy.legal_entity_id);
            let party = registries.party_users[&asker.user.into()].party_id;
            let works_there = |job: &&Arc<Employee>| {
                job.party_id == party && job.division_id == Some(pharmacy.division_id.into())
            };
            assert!(registries.employees.values().any(|job| works_there(&job)));
        }
    }

    #[test]
    fn whoever_is_named_asks() {
        let (registries, tour) = demo();
        let (one, other) = (tour.pharmacy, tour.other_pharmacy);
        let division = one.division_id.into();
        let (user, client) = (Some(other.user_id), Some(other.legal_entity_id));
        let asker = of(&registries, division, user, client).unwrap();
        assert_eq!((Some(asker.user), Some(asker.client)), (user, client));
        let asker = of(&registries, division, user, None).unwrap();
        assert_eq!((asker.user, asker.client), (other.user_id, one.legal_entity_id));
    }

    #[test]
    fn what_was_taken_is_said_unless_both_are_named() {
        let (registries, tour) = demo();
        let one = tour.pharmacy;
        let said = |user, client| {
            let asker = of(&registries, one.division_id.into(), user, client).unwrap();
            taken(&asker, user, client)
        };
        let (user, client) = (Some(tour.other_pharmacy.user_id), Some(one.legal_entity_id));
        assert_eq!(said(user, client), None);
        let company = format!(" of company {}; ", one.legal_entity_id);
        for (user, client) in [(None, None), (user, None), (None, client)] {
            let said = said(user, client).unwrap();
            assert!(said.contains(&company), "{said}");
            assert_eq!(said.contains("--user names"), user.is_none() && client.is_some(), "{said}");
            assert_eq!(said.contains("--client names"), user.is_some(), "{said}");
        }
    }

    #[test]
    fn a_company_that_is_named_asks_for_a_pharmacy_that_nobody_knows() {
        let (registries, tour) = demo();
        let client = tour.pharmacy.legal_entity_id;
        let asker = of(&registries, Uuid::nil().into(), None, Some(client)).unwrap();
        assert_eq!(asker.client, client);
    }

    #[test]
    fn where_nobody_can_be_taken_the_way_out_is_told() {
        let (mut registries, tour) = demo();
        let unknown = of(&registries, Uuid::nil().into(), None, None).unwrap_err();
        assert!(unknown.to_string().contains("say who asks with --client"), "{unknown}");
        registries.party_users.clear();
        let nobody = of(&registries, tour.pharmacy.division_id.into(), None, None).unwrap_err();
        assert!(nobody.to_string().contains("say who asks with --user"), "{nobody}");
    }
}
