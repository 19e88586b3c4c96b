//! Wrong verification codes: however they are tried, no more are judged than the rule allows.

use std::time::Duration;

use dispensary::{AppendError, Appended, Tried};
use dispense_demo::{Dispensable, Pharmacy};
use dispense_domain::decide::create_hold::Verdict;
use dispense_domain::{Code, CreateHold, Refusal, Text};
use dispense_postgres::sweep;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::world::{World, hold_at};

const RIGHT: &str = "4711";

/// How many guess at once.
const GUESSES: usize = 64;

/// What the rule allows.
const MOST: usize = 5;

/// A medication request with a code.
async fn coded(world: &World) -> Dispensable {
    let mut all = world.demo.holdable(300);
    let wanted = all.find(|it| !it.program.skips_signature()).unwrap();
    world.change(wanted.medication_request_id, &json!({"verification_code": RIGHT})).await;
    wanted
}

fn guess(world: &World, by: &Pharmacy, wanted: &Dispensable, n: usize) -> CreateHold {
    let mut command = world.command(by, wanted, &format!("guess {n}"));
    command.verification_code = Some(Text::try_from(format!("{n:04}")).unwrap());
    command
}

fn right(world: &World, by: &Pharmacy, wanted: &Dispensable) -> CreateHold {
    let mut command = world.command(by, wanted, "right");
    command.verification_code = Some(Text::try_from(RIGHT).unwrap());
    command
}

/// The one code that a command was refused with.
fn refused(outcome: Result<Appended, AppendError>) -> Code {
    match outcome {
        Err(AppendError::Refused { refusals, .. }) => {
            let codes: Vec<_> = refusals.all().iter().map(|refusal| refusal.code).collect();
            assert_eq!(codes.len(), 1, "{codes:?}");
            codes[0]
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// The codes that a trial fails with.
fn failed(tried: &Tried) -> Vec<Code> {
    let of = |refusals: &[Refusal]| refusals.iter().map(|it| it.code).collect::<Vec<_>>();
    let mut codes = Vec::new();
    for rule in &tried.rules {
        match &rule.verdict {
            Verdict::Failed(refusals) => codes.extend(of(refusals)),
            Verdict::Passed | Verdict::NotEvaluated => {}
        }
    }
    codes
}

/// How many tries are kept.
async fn kept(world: &World) -> i64 {
    world
        .database
        .number("SELECT coalesce(sum(cardinality(tried_at)), 0)::bigint FROM wrong_codes")
        .await
}

/// Makes all tries older.
async fn age(world: &World, by: &str) {
    let older = format!(
        "UPDATE wrong_codes
         SET tried_at = ARRAY(SELECT t - interval '{by}' FROM unnest(tried_at) t ORDER BY t)"
    );
    sqlx::query(&older).execute(&world.database.admin).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_guess_at_once_at_two_instances_five_are_answered() {
    let world = World::new().await;
    let (wanted, pharmacy) = (coded(&world).await, world.pharmacy(0));
    let instances = [world.log.clone(), world.other_instance().await];
    let guesses = (0..GUESSES).map(|n| {
        let log = instances[n % 2].clone();
        let command = guess(&world, &pharmacy, &wanted, n);
        tokio::spawn(async move { refused(hold_at(&log, command).await) })
    });
    let codes = futures::future::join_all(guesses).await;
    let judged = codes.iter().filter(|it| *it.as_ref().unwrap() == Code::WrongCode).count();
    let sent_off = codes.iter().filter(|it| *it.as_ref().unwrap() == Code::TooManyWrongCodes);
    assert_eq!((judged, sent_off.count()), (MOST, GUESSES - MOST));
    assert_eq!(kept(&world).await, 5);
    assert_eq!(world.events().await, 0);

    let too_late = world.hold(right(&world, &pharmacy, &wanted)).await;
    assert_eq!(refused(too_late), Code::TooManyWrongCodes, "the right one is not looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_does_not_use_up_the_tries_of_another() {
    let world = World::new().await;
    let (wanted, pharmacy) = (coded(&world).await, world.pharmacy(0));
    let other =
        world.demo.pharmacies().find(|it| it.legal_entity_id != pharmacy.legal_entity_id).unwrap();
    for n in 0..=MOST {
        let expected = if n < MOST { Code::WrongCode } else { Code::TooManyWrongCodes };
        assert_eq!(refused(world.hold(guess(&world, &pharmacy, &wanted, n)).await), expected);
    }
    let first = world.hold(guess(&world, &other, &wanted, 0)).await;
    assert_eq!(refused(first), Code::WrongCode);
    let held = world.hold(right(&world, &other, &wanted)).await.unwrap();
    assert_eq!(held.events.len(), 1);
    assert_eq!(world.database.number("SELECT count(*) FROM wrong_codes").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_that_only_try_a_hold_count_too() {
    let world = World::new().await;
    let (wanted, pharmacy) = (coded(&world).await, world.pharmacy(0));
    for n in 0..3 {
        let tried = world.try_out(guess(&world, &pharmacy, &wanted, n)).await;
        assert_eq!(failed(&tried), [Code::WrongCode]);
    }
    for n in 3..MOST {
        let outcome = world.hold(guess(&world, &pharmacy, &wanted, n)).await;
        assert_eq!(refused(outcome), Code::WrongCode);
    }
    let tried = world.try_out(right(&world, &pharmacy, &wanted)).await;
    assert_eq!(failed(&tried), [Code::TooManyWrongCodes]);
    assert_eq!((kept(&world).await, world.events().await), (5, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_code_was_given_none_was_tried() {
    let world = World::new().await;
    let (wanted, pharmacy) = (coded(&world).await, world.pharmacy(0));
    let without = world.command(&pharmacy, &wanted, "without");
    assert_eq!(refused(world.hold(without.clone()).await), Code::WrongCode);
    assert_eq!(failed(&world.try_out(without).await), [Code::WrongCode]);
    assert_eq!(kept(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_is_forgotten_after_a_quarter_of_an_hour() {
    let world = World::new().await;
    let (wanted, pharmacy) = (coded(&world).await, world.pharmacy(0));
    for n in 0..MOST {
        refused(world.hold(guess(&world, &pharmacy, &wanted, n)).await);
    }
    age(&world, "14 minutes").await;
    let early = world.hold(right(&world, &pharmacy, &wanted)).await;
    assert_eq!(refused(early), Code::TooManyWrongCodes);

    age(&world, "1 minute").await;
    for n in MOST..2 * MOST {
        let again = world.hold(guess(&world, &pharmacy, &wanted, n)).await;
        assert_eq!(refused(again), Code::WrongCode);
        assert_eq!(kept(&world).await, 5, "of more, the latest are kept");
    }
    let enough = world.hold(guess(&world, &pharmacy, &wanted, 2 * MOST)).await;
    assert_eq!(refused(enough), Code::TooManyWrongCodes);

    age(&world, "15 minutes").await;
    world.hold(right(&world, &pharmacy, &wanted)).await.unwrap();
}

/// SQLSTATE 23505 has a batch decided once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_rolled_back_and_repeated_counts_a_try_once() {
    let world = World::new().await;
    let (wanted, pharmacy) = (coded(&world).await, world.pharmacy(0));
    for statement in [
        "CREATE SEQUENCE written",
        "CREATE FUNCTION once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
         BEGIN
             IF nextval('written') = 1 THEN
                 RAISE EXCEPTION 'once' USING ERRCODE = 'unique_violation';
             END IF;
             RETURN NEW;
         END $$",
        "CREATE TRIGGER once AFTER INSERT ON wrong_codes FOR EACH ROW EXECUTE FUNCTION once()",
    ] {
        sqlx::query(statement).execute(&world.database.admin).await.unwrap();
    }
    let outcome = world.hold(guess(&world, &pharmacy, &wanted, 0)).await;
    assert_eq!(refused(outcome), Code::WrongCode);
    assert_eq!(world.database.number("SELECT last_value FROM written").await, 2);
    assert_eq!(kept(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_counts_no_more_is_swept_away_and_the_rest_is_not() {
    let world = World::new().await;
    let (old, young) = (Uuid::from_u128(1), Uuid::from_u128(2));
    for (client, latest) in [(old, "61 minutes"), (young, "59 minutes")] {
        let kept = format!(
            "INSERT INTO wrong_codes
             SELECT 3, '{client}', '{client}', ARRAY[now() - interval '2 hours',
                                                     now() - interval '{latest}']"
        );
        sqlx::query(&kept).execute(&world.database.admin).await.unwrap();
    }
    let stop = CancellationToken::new();
    let sweeping =
        tokio::spawn(sweep(world.log.clone(), world.database.serving.clone(), stop.clone()));
    let swept = tokio::time::timeout(Duration::from_mins(1), async {
        while world.database.number("SELECT count(*) FROM wrong_codes").await > 1 {
            tokio::task::yield_now().await;
        }
    });
    swept.await.unwrap();
    stop.cancel();
    sweeping.await.unwrap();
    let left: Uuid = sqlx::query_scalar("SELECT client_id FROM wrong_codes")
        .fetch_one(&world.database.admin)
        .await
        .unwrap();
    assert_eq!(left, young);
}
