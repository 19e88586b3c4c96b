//! Holds that are only tried: judged where a command would be decided, and nothing comes of it.

use dispense_domain::Code;
use dispense_domain::decide::create_hold::{Explained, Verdict, order};

use crate::world::World;

/// The rules that are broken.
fn broken(rules: &[Explained]) -> Vec<Code> {
    let failed = rules.iter().filter_map(|rule| match &rule.verdict {
        Verdict::Failed(refusals) => Some(refusals),
        Verdict::Passed | Verdict::NotEvaluated => None,
    });
    failed.flatten().map(|refusal| refusal.code).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_judges_a_hold_that_is_not_placed() {
    let world = World::new().await;
    let wanted = world.demo.holdable(300).find(|it| !it.program.skips_signature()).unwrap();
    let command = world.command(&world.pharmacy(0), &wanted, "key");

    let tried = world.try_out(command.clone()).await;
    assert_eq!(broken(&tried.rules), []);
    let rules: Vec<_> = tried.rules.iter().map(|it| it.rule).collect();
    assert_eq!(rules, order().collect::<Vec<_>>());
    assert_eq!(tried.position.position, 0);
    assert_eq!(world.events().await, 0);

    let held = world.hold(command.clone()).await.unwrap();
    assert_eq!((held.events.len(), held.position.position), (1, 1), "a trial is in nobody's way");
    assert!(held.at >= tried.at);

    let tried = world.try_out(command.clone()).await;
    assert_eq!(broken(&tried.rules), [Code::AlreadyHeld], "whatever was asked before");
    assert_eq!(tried.position, held.position);
    let other = world.command(&world.pharmacy(1), &wanted, "another key");
    assert_eq!(broken(&world.try_out(other).await.rules), [Code::AlreadyHeld]);
    assert_eq!(world.events().await, 1);
}

/// Of a trial and a command at once, the trial sees what the command left, or nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn trials_share_batches_with_commands() {
    let world = World::new().await;
    let wanted = world.demo.holdable(300).find(|it| !it.program.skips_signature()).unwrap();
    let command = world.command(&world.pharmacy(0), &wanted, "key");
    let trials = (0..16).map(|_| world.try_out(command.clone()));
    let (before, held, after) = tokio::join!(
        futures::future::join_all(trials),
        world.hold(command.clone()),
        world.try_out(command.clone()),
    );
    let held = held.unwrap();
    assert_eq!(held.events.len(), 1);
    for tried in before.iter().chain([&after]) {
        let expected: &[Code] =
            if tried.position == held.position { &[Code::AlreadyHeld] } else { &[] };
        assert_eq!(broken(&tried.rules), expected);
    }
    assert_eq!(after.position, held.position, "the queue is a queue");
}
