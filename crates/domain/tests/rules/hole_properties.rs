//! Registries that nobody thought of. Whatever they say, there is a decision, and every no is one that
//! is documented.

use std::sync::{Arc, LazyLock};

use dispense_domain::decide::create_hold::{Verdict, explain};
use dispense_domain::decide::{create_hold, process};
use dispense_domain::qualify::{
    self, ProgramEvidence, Qualified, Qualify, QualifyEvidence, Rejection,
};
use dispense_domain::{Code, Command, DispenseEvent, Dispensing, Place, Refusal, decide};
use proptest::prelude::*;

use crate::hand_over::{HandOver, all_signed};
use crate::odd_registries::{Odd, RECORDS, VALUES, everything_known, hole, with};
use crate::sample::{OUTLET, PHARMACY, PROGRAM, Scene, id};

/// A no is in the catalogue, says what it promises, and points at what is there.
fn assert_documented(no: &Refusal, items: usize, rules: &[&str]) {
    assert!(Code::ALL.contains(&no.code), "{no:?}");
    assert!(rules.contains(&no.rule), "{no:?}");
    assert!(!no.message.is_empty(), "{no:?}");
    let promised = no.code.definition().params;
    assert!(no.params.keys().all(|name| promised.contains(&name.as_str())), "{no:?}");
    if let Some(Place::Item(index, _)) = no.place {
        assert!(index < items, "{no:?}");
    }
}

/// What is said of a hold, and every reason for it.
fn assert_decided(scene: &Scene) {
    let dispensing = Dispensing::default();
    let rules: Vec<_> = create_hold::order().collect();
    let command = Command::CreateHold(Arc::new(scene.hold.clone()));
    let decided = decide(&dispensing, &command, &scene.sight);
    let explained = explain(&dispensing, &scene.hold, &scene.sight);
    assert!(explained.iter().map(|it| it.rule).eq(rules.iter().copied()));
    let failed: Vec<Refusal> = explained
        .iter()
        .filter_map(|it| match &it.verdict {
            Verdict::Failed(refusals) => Some(refusals.clone()),
            Verdict::Passed | Verdict::NotEvaluated => None,
        })
        .flatten()
        .collect();
    match decided {
        Err(refusals) => {
            assert_eq!(refusals.all(), failed);
            for no in refusals.all() {
                assert_documented(no, scene.hold.items.len(), &rules);
            }
        }
        Ok(events) => {
            assert_eq!(failed, []);
            // What is granted can be written down, and read again.
            for event in events {
                let stored = serde_json::to_string(&event).unwrap();
                assert_eq!(serde_json::from_str::<DispenseEvent>(&stored).unwrap(), event);
            }
        }
    }
}

/// What is said of programs, and every reason for it.
fn assert_qualified(scene: &Scene) {
    let Some(request) = scene.sight.evidence.request.clone() else { return };
    let asked = Qualify {
        client: id(PHARMACY),
        programs: vec![id(PROGRAM), id(0xBAD)],
        division_id: Some(id(OUTLET)),
    };
    let program = |program| ProgramEvidence {
        program,
        approved: request.approved.clone(),
        provisions: scene.sight.evidence.provisions.clone(),
    };
    let evidence = |second| QualifyEvidence {
        terms: scene.sight.evidence.terms.clone(),
        programs: vec![program(scene.sight.evidence.program.clone()), program(second)],
        division: scene.sight.evidence.division.clone(),
        request: request.clone(),
    };
    let rules: Vec<_> = qualify::order().collect();
    for second in [None, request.program.clone()] {
        let evidence = evidence(second);
        match qualify::qualify(&Dispensing::default(), &asked, &evidence, scene.sight.at) {
            Err(refusals) => {
                refusals.all().iter().for_each(|no| assert_documented(no, 0, &rules));
            }
            Ok(programs) => {
                assert_eq!(programs.len(), 2);
                programs.iter().for_each(assert_standing);
            }
        }
    }
}

fn assert_standing(qualified: &Qualified) {
    let Err(rejection) = &qualified.standing else { return };
    assert!(!rejection.to_string().is_empty());
    match rejection {
        Rejection::Provision(no) => assert_documented(no, 0, &["14"]),
        Rejection::DivisionNotDlsVerified
        | Rejection::NotApproved { .. }
        | Rejection::OncePerTerm => {}
    }
}

/// What is said of a hand-over.
fn assert_handed_over(scene: &Scene) {
    static SIGNED: LazyLock<HandOver> = LazyLock::new(all_signed);
    let mut hand_over = SIGNED.clone();
    hand_over.sight.evidence = scene.sight.evidence.clone();
    let rules: Vec<_> = process::order().chain(["D-10"]).collect();
    for no in hand_over.decided().err().iter().flatten() {
        assert_documented(no, 0, &rules);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_registries_say_there_is_a_documented_decision(
        holes in prop::collection::vec(hole(), 1..8),
    ) {
        let scene = with(&holes);
        assert_decided(&scene);
        assert_qualified(&scene);
        assert_handed_over(&scene);
    }
}

/// Each record can be spoilt; of one that could not, nothing would be said above.
#[test]
fn every_record_can_be_spoilt() {
    let whole = everything_known();
    assert_eq!(whole.codes(), [""; 0]);
    for (place, spoil) in RECORDS.iter().enumerate() {
        let spoilt = VALUES.iter().any(|value| {
            let mut scene = whole.clone();
            spoil(&mut scene, &Odd { member: 0, value });
            format!("{:?}", scene.sight) != format!("{:?}", whole.sight)
        });
        assert!(spoilt, "record {place}");
    }
}
