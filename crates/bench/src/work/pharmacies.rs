//! The pharmacies that send orders.

use std::collections::BTreeSet;

use dispense_demo::{Demo, Pharmacy};

/// Pharmacies that take part: so many that tokens and outlets vary as they do in a country.
const MOST: usize = 50;

/// A pharmacy with what each of its requests begins with.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) pharmacy: Pharmacy,
    /// Request line and headers that do not change.
    pub(crate) head: Vec<u8>,
}

/// Pharmacies of all companies in turn, each with a token.
pub(crate) fn desks(
    demo: &Demo,
    host: &str,
    token: impl Fn(&Pharmacy) -> anyhow::Result<String>,
) -> anyhow::Result<Vec<Desk>> {
    mixed(demo.pharmacies().collect())
        .into_iter()
        .take(MOST)
        .map(|pharmacy| {
            let token = token(&pharmacy)?;
            let head = format!(
                "POST /api/v1/dispenses HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
                 Content-Type: application/json\r\n"
            );
            Ok(Desk { pharmacy, head: head.into_bytes() })
        })
        .collect()
}

/// So ordered that neighbours belong to different companies for as long as there are some.
fn mixed(pharmacies: Vec<Pharmacy>) -> Vec<Pharmacy> {
    let mut waiting = pharmacies;
    let mut mixed = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let mut seen = BTreeSet::new();
        let (turn, later): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|pharmacy| seen.insert(pharmacy.legal_entity_id));
        mixed.extend(turn);
        waiting = later;
    }
    mixed
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn desks_are_of_many_companies_and_neighbours_are_strangers() {
        let demo = Demo::new(NaiveDate::from_ymd_opt(2026, 11, 22).unwrap());
        let desks = desks(&demo, "127.0.0.1:1", |_| Ok("abc".to_owned())).unwrap();
        assert_eq!(desks.len(), MOST);
        let companies: BTreeSet<_> = desks.iter().map(|it| it.pharmacy.legal_entity_id).collect();
        assert!(companies.len() > 5, "{}", companies.len());
        let head = String::from_utf8(desks[0].head.clone()).unwrap();
        assert!(head.starts_with("POST /api/v1/dispenses HTTP/1.1\r\nHost: 127.0.0.1:1\r\n"));
        assert!(head.contains("\r\nAuthorization: Bearer abc\r\n") && head.ends_with("json\r\n"));
    }
}
