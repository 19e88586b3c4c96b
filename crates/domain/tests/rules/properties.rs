//! Anything nobody thought of: random histories, counted from the events alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::persist::SerializedEvent;
use cqrs_es::{Aggregate, DomainEvent, EventEnvelope};
use dispense_domain::command::key_digest;
use dispense_domain::registry::ProgramSettings;
use dispense_domain::{
    Cancel, Command, DispenseEvent, DispenseId, Dispensing, Expire, Reach, Stated, decide, evolve,
};
use proptest::prelude::*;
use proptest::sample::Index;
use rust_decimal::Decimal;

use crate::sample::{PHARMACY, REQUEST, Scene, USER, all_in_order, hryvnias, id, noon_and};

/// Something that somebody does.
#[derive(Debug, Clone)]
enum Step {
    Create {
        client: u128,
        key: u8,
        quantities: Vec<&'static str>,
        program: Program,
    },
    /// A signed hand-over of the live hold, if there is one.
    HandOver,
    Cancel {
        client: u128,
        key: u8,
        which: Index,
        reach: Reach,
    },
    Expire,
    /// Somebody sends again what was sent before.
    Again(Index),
    /// A registry changes its mind.
    Prescribe(&'static str),
}

#[derive(Debug, Clone, Copy)]
enum Program {
    None,
    Known { in_parts: bool, without_signature: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let client = prop::sample::select(vec![PHARMACY, PHARMACY + 1, PHARMACY + 2]);
    let quantity = prop::sample::select(vec!["0.0001", "7.5", "10", "20", "30", "59.9999", "60"]);
    let program = prop_oneof![
        1 => Just(Program::None),
        5 => any::<(bool, bool)>().prop_map(|(in_parts, without_signature)| Program::Known {
            in_parts: in_parts || without_signature,
            without_signature,
        }),
        3 => Just(Program::Known { in_parts: true, without_signature: false }),
    ];
    let reach = prop::sample::select(vec![Reach::Own, Reach::All]);
    prop_oneof![
        12 => (client.clone(), 0..12u8, prop::collection::vec(quantity, 1..3), program).prop_map(
            |(client, key, quantities, program)| Step::Create { client, key, quantities, program }
        ),
        4 => Just(Step::HandOver),
        4 => (client, 0..4u8, any::<Index>(), reach)
            .prop_map(|(client, key, which, reach)| Step::Cancel { client, key, which, reach }),
        2 => Just(Step::Expire),
        2 => any::<Index>().prop_map(Step::Again),
        1 => prop::sample::select(vec!["6", "60", "600"]).prop_map(Step::Prescribe),
    ]
}

/// How far the clock moves before each step: often not at all, sometimes past a hold's end.
fn passing() -> impl Strategy<Value = TimeDelta> {
    prop_oneof![
        3 => Just(TimeDelta::zero()),
        3 => (0..12i64).prop_map(TimeDelta::minutes),
        1 => Just(TimeDelta::microseconds(1)),
    ]
}

/// The log as it grows: each event with the time at which it was recorded.
#[derive(Default)]
struct Log {
    rows: Vec<(DateTime<Utc>, DispenseEvent)>,
    asked: Vec<(Command, Scene)>,
    prescribed: Option<&'static str>,
}

impl Log {
    fn dispensing(&self) -> Dispensing {
        self.rows.iter().map(|(_, event)| event).fold(Dispensing::default(), evolve)
    }

    fn take(&mut self, command: &Command, scene: &Scene) {
        let decided = decide(&self.dispensing(), command, &scene.sight);
        if decided.is_ok() {
            self.asked.push((command.clone(), scene.clone()));
        }
        let at = scene.sight.at;
        self.rows.extend(decided.unwrap_or_default().into_iter().map(|event| (at, event)));
    }

    fn hand_over(&mut self, at: DateTime<Utc>) {
        if let Some(hold) = Count::of(&self.rows).live(at).first() {
            self.rows.push((at, crate::golden::processed_signed(*hold)));
        }
    }

    fn act(&mut self, step: &Step, at: DateTime<Utc>) {
        let mut scene = all_in_order();
        scene.in_any_quantity();
        scene.sight.at = at;
        if let Some(prescribed) = self.prescribed {
            scene.request().medication_qty = crate::sample::quantity(prescribed);
        }
        match step {
            Step::Create { client, key, quantities, program } => {
                scene.asks(*client, &key.to_string());
                scene.outlet().legal_entity_id = id(*client);
                scene.wants(quantities);
                decorate(&mut scene, *program);
                self.take(&Command::CreateHold(Arc::new(scene.hold.clone())), &scene);
            }
            Step::HandOver => self.hand_over(at),
            Step::Cancel { client, key, which, reach } => {
                let Some((_, event)) = (!self.rows.is_empty()).then(|| which.get(&self.rows))
                else {
                    return;
                };
                let cancel = Cancel {
                    dispense_id: event.dispense_id(),
                    user: id(USER),
                    client: id(*client),
                    reach: *reach,
                    reason: None,
                    payment_id: None,
                    key_digest: key_digest(id(*client), &key.to_string()),
                };
                self.take(&Command::Cancel(cancel), &scene);
            }
            Step::Expire => self.take(&Command::Expire(Expire), &scene),
            Step::Again(which) => {
                if !self.asked.is_empty() {
                    let (command, mut scene) = which.get(&self.asked).clone();
                    scene.sight.at = at;
                    let before = self.rows.len();
                    self.take(&command, &scene);
                    let is_expire = matches!(command, Command::Expire(_));
                    assert!(is_expire || self.rows.len() == before, "a replay recorded something");
                }
            }
            Step::Prescribe(quantity) => self.prescribed = Some(quantity),
        }
    }
}

fn decorate(scene: &mut Scene, program: Program) {
    match program {
        Program::None => {
            scene.without_program();
            scene.terms().multi_dispense_without_program = true;
        }
        Program::Known { in_parts, without_signature } => {
            scene.under(ProgramSettings {
                multi_medication_dispense_allowed: Some(in_parts),
                skip_medication_dispense_sign: Some(without_signature),
                ..ProgramSettings::default()
            });
            if without_signature {
                scene.hold.payment_amount = Stated::Value(hryvnias("12.5"));
            }
        }
    }
}

/// What the events say, by a count of its own, so that the code under test is not its own witness.
#[derive(Default)]
struct Count {
    holds: BTreeMap<DispenseId, (Decimal, Option<DateTime<Utc>>)>,
    processed: Decimal,
    prescribed: Decimal,
}

impl Count {
    fn of(rows: &[(DateTime<Utc>, DispenseEvent)]) -> Self {
        rows.iter().fold(Self::default(), |mut count, (_, event)| {
            count.add(event);
            count
        })
    }

    fn add(&mut self, event: &DispenseEvent) {
        match event {
            DispenseEvent::HoldCreated(hold) => {
                let taken = hold.items.iter().map(|item| item.quantity.decimal()).sum();
                if self.prescribed.is_zero() {
                    self.prescribed = hold.prescribed.decimal();
                }
                let fresh = self.holds.insert(hold.dispense_id, (taken, hold.expires_at));
                assert!(fresh.is_none(), "a dispense began twice");
            }
            DispenseEvent::Processed(event) => {
                let (taken, _) = self.holds.remove(&event.dispense_id).unwrap();
                self.processed += taken;
            }
            DispenseEvent::Cancelled(event) => {
                self.holds.remove(&event.dispense_id).unwrap();
            }
            DispenseEvent::Expired(event) => {
                self.holds.remove(&event.dispense_id).unwrap();
            }
        }
    }

    fn live(&self, at: DateTime<Utc>) -> Vec<DispenseId> {
        let lives = |end: Option<DateTime<Utc>>| end.is_none_or(|end| at <= end);
        self.holds.iter().filter(|(_, (_, end))| lives(*end)).map(|(id, _)| *id).collect()
    }

    fn held(&self, at: DateTime<Utc>) -> Decimal {
        self.live(at).iter().map(|id| self.holds[id].0).sum()
    }
}

/// Events as the log stores them, and back.
fn through_the_log(rows: &[(DateTime<Utc>, DispenseEvent)]) -> Vec<DispenseEvent> {
    let stored = rows.iter().enumerate().map(|(index, (_, event))| {
        let envelope = EventEnvelope::<Dispensing> {
            aggregate_id: crate::sample::uuid(REQUEST),
            sequence: index + 1,
            payload: event.clone(),
            metadata: std::iter::once(("user".to_owned(), crate::sample::uuid(USER))).collect(),
        };
        let serialized = SerializedEvent::try_from(&envelope).unwrap();
        assert_eq!(serialized.aggregate_type, Dispensing::TYPE);
        assert_eq!(serialized.event_type, event.event_type());
        assert!(dispense_domain::upcast::is_known(
            &serialized.event_type,
            &serialized.event_version
        ));
        let text = serialized.payload.to_string();
        SerializedEvent { payload: serde_json::from_str(&text).unwrap(), ..serialized }
    });
    stored.map(|row| EventEnvelope::<Dispensing>::try_from(row).unwrap().payload).collect()
}

/// Random histories would prove nothing if nothing of them were ever granted.
#[test]
fn every_kind_of_step_can_be_granted() {
    let flags = [(true, false), (true, true), (false, false)];
    let known =
        flags.map(|(in_parts, without_signature)| Program::Known { in_parts, without_signature });
    for program in known.into_iter().chain([Program::None]) {
        let mut log = Log::default();
        let quantities = vec!["59.9999", "0.0001"];
        log.act(&Step::Create { client: PHARMACY + 1, key: 1, quantities, program }, noon_and(0));
        assert!(!log.rows.is_empty(), "{program:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 160,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The invariant: processed and live holds together never exceed what was prescribed, at every
    /// position of the log; and never two live holds.
    #[test]
    fn never_more_than_prescribed(
        steps in prop::collection::vec((passing(), step()), 1..40),
    ) {
        let (mut log, mut at) = (Log::default(), noon_and(0));
        for (passes, step) in steps {
            at += passes;
            log.act(&step, at);
        }

        let mut count = Count::default();
        for (at, event) in &log.rows {
            count.add(event);
            let taken = count.processed + count.held(*at);
            prop_assert!(taken <= count.prescribed, "{:#?}", log.rows);
            prop_assert!(count.live(*at).len() <= 1, "{:#?}", log.rows);
        }

        // What the code under test says is what the events say.
        let dispensing = log.dispensing();
        prop_assert_eq!(dispensing.processed(), count.processed);
        prop_assert_eq!(dispensing.held(at), count.held(at));

        let events = through_the_log(&log.rows);
        let recorded: Vec<_> = log.rows.iter().map(|(_, event)| event.clone()).collect();
        prop_assert_eq!(&events, &recorded);
        prop_assert_eq!(events.iter().fold(Dispensing::default(), evolve), dispensing);
    }

    /// What a hold says of what is left before it, and a hand-over of what is left after it, is
    /// what the events before them say.
    #[test]
    fn what_is_left_is_what_the_events_say(
        steps in prop::collection::vec((passing(), step()), 1..25),
    ) {
        let (mut log, mut at) = (Log::default(), noon_and(0));
        for (passes, step) in steps {
            at += passes;
            log.act(&step, at);
        }
        let mut count = Count::default();
        for (_, event) in &log.rows {
            let before = count.prescribed - count.processed;
            count.add(event);
            match event {
                DispenseEvent::HoldCreated(hold) if !before.is_zero() => {
                    let said: Decimal = hold.medication_request.remaining.into();
                    prop_assert_eq!(said, before);
                }
                DispenseEvent::Processed(processed) if !processed.signed => {
                    let said: Decimal = processed.remaining.into();
                    prop_assert_eq!(said, count.prescribed - count.processed);
                }
                DispenseEvent::HoldCreated(_)
                | DispenseEvent::Processed(_)
                | DispenseEvent::Cancelled(_)
                | DispenseEvent::Expired(_) => {}
            }
        }
    }

    /// Deciding changes nothing and looks at nothing but what it is given.
    #[test]
    fn the_same_decision_twice_is_the_same(
        steps in prop::collection::vec((passing(), step()), 1..15),
    ) {
        let (mut log, mut at) = (Log::default(), noon_and(0));
        for (passes, step) in steps {
            at += passes;
            log.act(&step, at);
        }
        let dispensing = Arc::new(log.dispensing());
        for (command, scene) in &log.asked {
            let first = decide(&dispensing, command, &scene.sight);
            prop_assert_eq!(first, decide(&dispensing, command, &scene.sight));
        }
    }
}
