//! The coat of cqrs-es over the plain functions, and what must never be put on.

use std::sync::Arc;

use std::fs;
use std::path::Path;

use cqrs_es::test::TestFramework;
use dispense_domain::{Command, Dispensing, Expire};

use crate::cancel::{cancel, one_hold};
use crate::sample::{Scene, all_in_order, noon_and};

type Framework = TestFramework<Dispensing>;

fn hold(scene: &Scene) -> Command {
    Command::CreateHold(Arc::new(scene.hold.clone()))
}

#[test]
fn given_nothing_when_a_hold_is_wanted_then_it_is_created() {
    let scene = all_in_order();
    Framework::with(scene.sight.clone())
        .given_no_previous_events()
        .when(hold(&scene))
        .then_expect_events(scene.granted());
}

#[test]
fn given_a_hold_when_another_is_wanted_then_the_text_is_the_registers() {
    let scene = one_hold().but(|it| it.asks(crate::sample::OTHER_PHARMACY, "second"));
    Framework::with(scene.sight.clone())
        .given(scene.given.clone())
        .when(hold(&scene))
        .then_expect_error_message("Division does not belong to user's legal entity");
    let scene = one_hold().but(|it| it.asks(crate::sample::PHARMACY, "second"));
    Framework::with(scene.sight.clone())
        .given(scene.given.clone())
        .when(hold(&scene))
        .then_expect_error_message("Active medication dispense already exists");
}

#[test]
fn given_a_hold_when_it_is_asked_for_again_then_nothing_happens() {
    let scene = one_hold();
    Framework::with(scene.sight.clone())
        .given(scene.given.clone())
        .when(hold(&scene))
        .then_expect_events(vec![]);
}

#[test]
fn given_a_hold_when_it_is_cancelled_or_lapses_then_it_says_so() {
    let mut scene = one_hold();
    let wish = cancel(&scene, "cancel");
    Framework::with(scene.sight.clone())
        .given(scene.given.clone())
        .when(Command::Cancel(wish.clone()))
        .then_expect_events(crate::cancel::asked(&scene, &wish).unwrap());

    scene.sight.at = noon_and(11);
    Framework::with(scene.sight.clone())
        .given(scene.given.clone())
        .when(Command::Expire(Expire))
        .then_expect_events(crate::expire::expired(&scene));
}

/// The state can be written down and read back, for whoever keeps it in a cache.
#[test]
fn the_state_survives_json() {
    let state = one_hold().dispensing();
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<Dispensing>(&text).unwrap(), state);
}

/// cqrs-es 0.5 applies every event twice in its snapshot modes: a dispensed quantity would count
/// double. Nobody may turn them on.
#[test]
fn no_crate_turns_snapshots_on() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(crates).unwrap() {
        seen += sources(&entry.unwrap().path().join("src"), &mut |path, source| {
            for name in [
                "new_snapshot_store",
                "new_aggregate_store",
                "postgres_snapshot_cqrs",
                "postgres_aggregate_cqrs",
                "snapshot_cqrs",
            ] {
                assert!(!source.contains(name), "{} names {name}", path.display());
            }
        });
    }
    assert!(seen > 20, "only {seen} sources were found");
}

/// Shows every source below `folder`, and counts them.
fn sources(folder: &Path, show: &mut impl FnMut(&Path, &str)) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let mut seen = 0;
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            seen += sources(&path, show);
        } else if path.extension().is_some_and(|it| it == "rs") {
            show(&path, &fs::read_to_string(&path).unwrap_or_default());
            seen += 1;
        }
    }
    seen
}
