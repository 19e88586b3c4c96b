//! The pharmacists who sign what they hand over.

use std::collections::BTreeMap;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use dispense_demo::Demo;
use dispense_signing::development::{Authority, Holder, Identity, Profile};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::belt::Letter;
use super::order::tail;
use super::pharmacies::Desk;

/// A hold, and the document that is to be signed for it.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// Which of the pharmacies holds it.
    pub(crate) desk: usize,
    pub(crate) dispense: Uuid,
    pub(crate) document: Vec<u8>,
}

/// The pharmacies, each with the certificate of its pharmacist.
#[derive(Debug)]
pub(crate) struct Signers {
    desks: Vec<(Desk, Identity)>,
}

/// A person as the registry has it.
#[derive(Debug, Deserialize)]
struct Party {
    id: Uuid,
    last_name: String,
    first_name: String,
    tax_id: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    data: Party,
}

impl Signers {
    /// Certificates of that authority for the pharmacists of these pharmacies.
    pub(crate) fn new(
        demo: &Demo,
        desks: Vec<Desk>,
        authority: &Authority,
    ) -> anyhow::Result<Self> {
        let parties = parties(demo)?;
        let desks = desks.into_iter().map(|desk| {
            let party = parties.get(&desk.pharmacy.party_id);
            let party = party.context("the demo registry does not have one of its pharmacists")?;
            let holder = Holder {
                tax_id: party.tax_id.clone(),
                surname: party.last_name.clone(),
                given_name: party.first_name.clone(),
            };
            let identity = authority.issue(&Profile::of(&holder))?;
            Ok((desk, identity))
        });
        Ok(Self { desks: desks.collect::<anyhow::Result<_>>()? })
    }

    /// The request that asks what is to be signed for a hold of that pharmacy.
    pub(crate) fn question(&self, desk: usize, dispense: Uuid) -> anyhow::Result<Vec<u8>> {
        Ok(self.desk(desk)?.0.content(dispense))
    }

    /// Hands a hold over: the whole request, with the signed document in it.
    pub(crate) fn signed(&self, held: &Held) -> anyhow::Result<Letter> {
        let (desk, _) = self.desk(held.desk)?;
        let body = json!({
            "signedContent": BASE64.encode(self.container(held)?),
            "signedContentEncoding": "base64",
        });
        let mut request = desk.process(held.dispense);
        request.extend(tail(held.dispense, &body.to_string()));
        Ok(Letter { desk: held.desk, tail: request, is_wrong: false })
    }

    /// What is signed for a hold.
    pub(crate) fn container(&self, held: &Held) -> anyhow::Result<Vec<u8>> {
        let (_, identity) = self.desk(held.desk)?;
        Ok(identity.sign(paid(&held.document)?.as_bytes())?)
    }

    fn desk(&self, place: usize) -> anyhow::Result<&(Desk, Identity)> {
        self.desks.get(place).context("there is no such pharmacy")
    }
}

/// The persons of the registry who are no patients.
fn parties(demo: &Demo) -> anyhow::Result<BTreeMap<Uuid, Party>> {
    const KIND: &str = r#"{"kind":"party","#;
    let lines = demo.lines().skip_while(|line| !line.starts_with(KIND));
    let mut parties = BTreeMap::new();
    for line in lines.take_while(|line| line.starts_with(KIND)) {
        let Line { data } = serde_json::from_str(&line)?;
        parties.insert(data.id, data);
    }
    Ok(parties)
}

/// What the patient paid, as it stands in the document.
const PAYMENT: &str = r#"{"payment_amount":136.50,"payment_id":"receipt 4711"}"#;

/// The document with the payment in it; all else stays as it was written.
fn paid(document: &[u8]) -> anyhow::Result<String> {
    let mut members: BTreeMap<&str, &RawValue> =
        serde_json::from_slice(document).context("what is to be signed is no JSON object")?;
    members.extend(serde_json::from_str::<BTreeMap<&str, &RawValue>>(PAYMENT)?);
    Ok(serde_json::to_string(&members)?)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use dispense_signing::{Verifier, VerifierSettings};
    use serde_json::Value;

    use super::*;
    use crate::work::desks;

    const DOCUMENT: &[u8] =
        br#"{"id":"a","payment_amount":null,"payment_id":null,"price":10.50,"person":{"a":[1]}}"#;

    #[test]
    fn a_hand_over_is_signed_by_the_pharmacist_of_the_hold() {
        let demo = Demo::new(NaiveDate::from_ymd_opt(2026, 11, 22).unwrap());
        let desks = desks(&demo, "h", |_| Ok("t".to_owned())).unwrap();
        let authority = Authority::root("of a test").unwrap();
        let anchors = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(anchors.path(), authority.certificate_pem().unwrap()).unwrap();
        let trust_anchors = Some(anchors.path().to_owned());
        let verifier = Verifier::load(VerifierSettings { trust_anchors, crls: None }).unwrap();

        let signers = Signers::new(&demo, desks.clone(), &authority).unwrap();
        let dispense = Uuid::from_u128(7);
        let held = Held { desk: 3, dispense, document: DOCUMENT.to_vec() };
        let letter = signers.signed(&held).unwrap();
        assert!(letter.tail.starts_with(&desks[3].process(dispense)) && !letter.is_wrong);

        let body = letter.tail.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let body: Value = serde_json::from_slice(&letter.tail[body..]).unwrap();
        assert_eq!(body["signedContentEncoding"], "base64");
        let container = BASE64.decode(body["signedContent"].as_str().unwrap()).unwrap();
        let opened = verifier.open_here(&container);
        let signer = opened.signature.unwrap();
        let surname = signer.surname.unwrap();
        assert!(desks[3].pharmacy.party_name.starts_with(&surname), "{surname}");
        let document: Value = serde_json::from_slice(&opened.document.unwrap()).unwrap();
        assert_eq!(document["payment_id"], "receipt 4711");
        let left: Value = serde_json::from_slice(DOCUMENT).unwrap();
        assert_eq!((&document["person"], &document["id"]), (&left["person"], &left["id"]));
    }

    #[test]
    fn a_number_is_signed_as_the_document_writes_it() {
        let paid = paid(DOCUMENT).unwrap();
        assert!(paid.contains("\"price\":10.50") && paid.contains("\"payment_amount\":136.50"));
        assert!(super::paid(b"[]").is_err());
    }
}
