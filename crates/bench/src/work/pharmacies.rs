//! The pharmacies that send orders.

use std::collections::BTreeSet;

use dispense_demo::{Demo, Pharmacy};
use uuid::Uuid;

/// Pharmacies that take part: so many that tokens and outlets vary as they do in a country.
const MOST: usize = 50;

/// A pharmacy, and what is the same in each of its requests.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) pharmacy: Pharmacy,
    /// The headers that say who asks whom.
    headers: String,
}

impl Desk {
    /// What an order of a hold begins with.
    pub(crate) fn hold(&self) -> Vec<u8> {
        self.command("/api/v1/dispenses")
    }

    /// What the hand-over of a hold begins with.
    pub(crate) fn process(&self, dispense: Uuid) -> Vec<u8> {
        self.command(&format!("/api/v1/dispenses/{dispense}/process"))
    }

    /// Asks for the document that is to be signed for a hold.
    pub(crate) fn content(&self, dispense: Uuid) -> Vec<u8> {
        self.get(&format!("/api/v1/dispenses/{dispense}/content"))
    }

    /// Asks for something.
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        let headers = &self.headers;
        format!("GET {path} HTTP/1.1\r\n{headers}\r\n").into_bytes()
    }

    fn command(&self, path: &str) -> Vec<u8> {
        let headers = &self.headers;
        format!("POST {path} HTTP/1.1\r\n{headers}Content-Type: application/json\r\n").into_bytes()
    }
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
            let headers = format!("Host: {host}\r\nAuthorization: Bearer {token}\r\n");
            Ok(Desk { pharmacy, headers })
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
    }

    #[test]
    fn every_request_says_who_asks_for_what() {
        let demo = Demo::new(NaiveDate::from_ymd_opt(2026, 11, 22).unwrap());
        let desks = desks(&demo, "127.0.0.1:1", |_| Ok("abc".to_owned())).unwrap();
        let [desk, ..] = desks.as_slice() else { panic!("no pharmacy") };
        let id = Uuid::from_u128(7);
        let who = "HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAuthorization: Bearer abc\r\n";
        let json = "Content-Type: application/json\r\n";
        let text = |bytes| String::from_utf8(bytes).unwrap();
        assert_eq!(text(desk.hold()), format!("POST /api/v1/dispenses {who}{json}"));
        let path = format!("/api/v1/dispenses/{id}");
        assert_eq!(text(desk.process(id)), format!("POST {path}/process {who}{json}"));
        assert_eq!(text(desk.content(id)), format!("GET {path}/content {who}\r\n"));
    }
}
