//! A hand-over in which everything is in order; a test changes only what matters to it.

use std::sync::Arc;

use dispense_domain::command::key_digest;
use dispense_domain::registry::{Division, Party};
use dispense_domain::{
    Command, Digest, DispenseEvent, Dispensing, Process, Reach, Refusal, Sight, Signer,
    StoredContent, decide, evolve,
};
use serde_json::json;

use crate::content::{document, sign};
use crate::sample::{
    OUTLET, PHARMACY, PROGRAM, Scene, all_in_order, id, in_parts, noon_and, record, uuid,
};

/// A hold, and a hand-over that nothing forbids.
#[derive(Clone)]
pub(crate) struct HandOver {
    pub(crate) given: Vec<DispenseEvent>,
    pub(crate) command: Process,
    pub(crate) sight: Sight,
}

/// Thirty of sixty tablets are held, and are now signed for.
pub(crate) fn all_signed() -> HandOver {
    signed_after(all_in_order().but(|it| it.under(in_parts())).but(|it| it.wants(&["30"])))
}

pub(crate) fn signed_after(mut scene: Scene) -> HandOver {
    scene.happens();
    let mut sight = scene.sight.clone();
    sight.at = noon_and(5);
    sight.evidence.party = Some(pharmacist());
    let dispense_id = scene.hold.dispense_id;
    HandOver {
        given: scene.given,
        command: Process {
            dispense_id,
            user: scene.hold.user,
            client: id(PHARMACY),
            reach: Reach::Own,
            division_id: id(OUTLET),
            medical_program_id: Some(id(PROGRAM)),
            signature: Ok(Signer {
                tax_id: Some("2953710241".to_owned()),
                surname: Some("Shevchuk".to_owned()),
            }),
            content: Some(sign(&document())),
            stored: StoredContent {
                key: format!("{dispense_id}/abc"),
                digest: Digest::of(&[b"container"]),
            },
            key_digest: key_digest(id(PHARMACY), "hand over"),
        },
        sight,
    }
}

pub(crate) fn pharmacist() -> Arc<Party> {
    record(&json!({
        "id": uuid(0x6_0002), "first_name": "Maria", "last_name": "Shevchuk",
        "tax_id": "2953710241"
    }))
}

impl HandOver {
    pub(crate) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn dispensing(&self) -> Dispensing {
        self.given.iter().fold(Dispensing::default(), evolve)
    }

    pub(crate) fn decided(&self) -> Result<Vec<DispenseEvent>, Vec<Refusal>> {
        let command = Command::Process(Arc::new(self.command.clone()));
        decide(&self.dispensing(), &command, &self.sight).map_err(|no| no.all().to_vec())
    }

    #[track_caller]
    pub(crate) fn the_refusal(&self) -> Refusal {
        let [only] = <[Refusal; 1]>::try_from(self.decided().unwrap_err()).unwrap();
        only
    }

    pub(crate) fn codes(&self) -> Vec<&'static str> {
        let code = |no: &Refusal| no.code.definition().code;
        self.decided().err().iter().flatten().map(code).collect()
    }

    pub(crate) fn signer(&mut self) -> &mut Signer {
        self.command.signature.as_mut().unwrap()
    }

    pub(crate) fn outlet(&self) -> Arc<Division> {
        self.sight.evidence.division.clone().unwrap()
    }

    pub(crate) fn party(&mut self) -> &mut Party {
        Arc::make_mut(self.sight.evidence.party.as_mut().unwrap())
    }

    pub(crate) fn happens(&mut self) {
        let events = self.decided().unwrap();
        self.given.extend(events);
    }
}
