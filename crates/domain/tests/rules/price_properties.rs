//! Rule 15f for amounts that nobody thought of: the decision against sums of whole numbers.

use std::sync::Arc;

use dispense_domain::registry::{Medication, ProgramMedication};
use dispense_domain::{Code, Command, Dispensing, Money, NewItem, Place, Quantity, decide};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::sample::{Scene, all_in_order, brand, item, participant};

/// Amounts are counted in ten-thousandths, so all of them are whole.
type TenThousandths = i128;

/// Decisions that are compared.
const DECISIONS: u32 = 1_500;
/// Items of each; together they are more than 20,000 cases.
const ITEMS: usize = 16;

const MOST_MONEY: TenThousandths = 1_000_000_000 * 10_000 - 1;
const MOST_UNITS: TenThousandths = 10_000_000 * 10_000 - 1;

/// One item, and what its program pays for it.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// For a whole package.
    reimbursement: TenThousandths,
    /// Units in it.
    package: TenThousandths,
    /// Units dispensed.
    quantity: TenThousandths,
    /// The discount that is stated.
    discount: TenThousandths,
}

/// What an installation allows.
#[derive(Debug, Clone, Copy)]
struct Slack {
    /// In hundredths.
    deviation: i128,
    tolerance: TenThousandths,
}

/// What a package pays times the units dispensed, by the units in a package: M, as a fraction.
fn paid(line: &Line) -> (i128, i128) {
    (line.reimbursement * line.quantity, line.package)
}

impl Slack {
    /// Both sides of D ≥ M × (1 − DEV) and D ≤ M + TOL, times a hundred packages.
    fn allows(self, line: &Line) -> bool {
        let (over, under) = paid(line);
        let stated = line.discount * under * 100;
        over * (100 - self.deviation) <= stated && stated <= (over + self.tolerance * under) * 100
    }

    /// The least and the most that can be stated: rounded up, and rounded down.
    fn bounds(self, line: &Line) -> (TenThousandths, TenThousandths) {
        let (over, under) = paid(line);
        let least = over * (100 - self.deviation);
        ((least + under * 100 - 1) / (under * 100), (over + self.tolerance * under) / under)
    }
}

/// Prices as they are, and as they never should be.
fn money() -> impl Strategy<Value = TenThousandths> {
    prop_oneof![
        6 => (0..=50_000i128).prop_map(|cents| cents * 100),
        2 => 0..=MOST_MONEY,
        1 => 0..=20i128,
        1 => Just(MOST_MONEY),
    ]
}

/// Quantities likewise.
fn units() -> impl Strategy<Value = TenThousandths> {
    let usual = prop::sample::select(vec![1, 3, 5, 7, 10, 14, 20, 28, 30, 56, 60, 90, 100]);
    prop_oneof![
        6 => usual.prop_map(|units: i128| units * 10_000),
        2 => (1..=2_000i128).prop_map(|halves| halves * 5_000),
        2 => 1..=MOST_UNITS,
        1 => 1..=20i128,
        1 => Just(MOST_UNITS),
    ]
}

fn slack() -> impl Strategy<Value = Slack> {
    let deviation = prop_oneof![3 => Just(10i128), 1 => Just(0), 1 => Just(100), 3 => 0..=100i128];
    let tolerance =
        prop_oneof![3 => Just(100i128), 1 => Just(0), 2 => 0..=10_000i128, 1 => money()];
    (deviation, tolerance).prop_map(|(deviation, tolerance)| Slack { deviation, tolerance })
}

/// Where a discount lies: near one of its bounds, near what is paid, or anywhere.
#[derive(Debug, Clone, Copy)]
enum Near {
    Least(i128),
    Paid(i128),
    Most(i128),
    Nothing(i128),
}

fn near() -> impl Strategy<Value = Near> {
    prop_oneof![
        4 => (-3..=3i128).prop_map(Near::Least),
        1 => (-3..=3i128).prop_map(Near::Paid),
        4 => (-3..=3i128).prop_map(Near::Most),
        1 => (-150..=150i128).prop_map(Near::Most),
        1 => money().prop_map(Near::Nothing),
    ]
}

fn line(slack: Slack) -> impl Strategy<Value = Line> {
    (money(), units(), units(), near()).prop_map(move |(reimbursement, package, quantity, near)| {
        let mut line = Line { reimbursement, package, quantity, discount: 0 };
        let (least, most) = slack.bounds(&line);
        let (over, under) = paid(&line);
        let discount = match near {
            Near::Least(by) => least + by,
            Near::Paid(by) => over / under + by,
            Near::Most(by) => most + by,
            Near::Nothing(by) => by,
        };
        line.discount = discount.clamp(0, MOST_MONEY);
        line
    })
}

fn lines() -> impl Strategy<Value = (Slack, Vec<Line>)> {
    slack().prop_flat_map(|slack| (Just(slack), prop::collection::vec(line(slack), ITEMS)))
}

fn decimal(amount: TenThousandths) -> Decimal {
    Decimal::from_i128_with_scale(amount, 4)
}

fn hryvnias(amount: TenThousandths) -> Money {
    decimal(amount).try_into().unwrap()
}

/// Somebody asks for these items, and what the registries say of them.
fn asked(slack: Slack, lines: &[Line]) -> Scene {
    let mut scene = all_in_order();
    scene.terms().deviation = Decimal::from_i128_with_scale(slack.deviation, 2).try_into().unwrap();
    scene.terms().tolerance = hryvnias(slack.tolerance);
    let (usual, sold, pays) = (item("1"), brand(), participant());
    scene.hold.items = lines
        .iter()
        .map(|line| NewItem {
            quantity: Quantity::try_from(decimal(line.quantity)).unwrap(),
            discount_amount: Some(hryvnias(line.discount)),
            ..usual.clone()
        })
        .collect();
    let medications = lines.iter().map(|line| {
        let package_qty = Some(decimal(line.package));
        Some(Arc::new(Medication { package_qty, package_min_qty: None, ..(*sold).clone() }))
    });
    scene.sight.evidence.medications = medications.collect();
    let participants = lines.iter().map(|line| {
        let mut row: ProgramMedication = (*pays).clone();
        row.reimbursement.reimbursement_amount = hryvnias(line.reimbursement);
        vec![Arc::new(row)]
    });
    scene.sight.evidence.participants = participants.collect();
    scene
}

/// For each item what the decision says of its discount: nothing, or the bounds that it names.
fn said(scene: &Scene) -> Vec<Option<(Decimal, Decimal)>> {
    let command = Command::CreateHold(Arc::new(scene.hold.clone()));
    let mut said = vec![None; scene.hold.items.len()];
    let Err(refusals) = decide(&Dispensing::default(), &command, &scene.sight) else { return said };
    for no in refusals.all().iter().filter(|no| no.code == Code::DiscountOutOfBounds) {
        let Some(Place::Item(index, _)) = no.place else { panic!("{no:?}") };
        let bound = |name: &str| no.params[name].as_str().unwrap().parse().unwrap();
        assert!(said[index].is_none(), "told twice");
        said[index] = Some((bound("least"), bound("most")));
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: DECISIONS,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Not a ten-thousandth too strict and not one too mild, for each item whatever the others are;
    /// and the bounds that are named are the outermost that can be stated.
    #[test]
    fn a_discount_is_judged_as_whole_numbers_judge_it((slack, lines) in lines()) {
        let scene = asked(slack, &lines);
        for (line, said) in lines.iter().zip(said(&scene)) {
            prop_assert_eq!(said.is_none(), slack.allows(line), "{:?} {:?}", slack, line);
            if let Some((least, most)) = said {
                let named = slack.bounds(line);
                prop_assert_eq!((least, most), (decimal(named.0), decimal(named.1)));
            }
        }
    }
}

/// The arithmetic that the decisions are compared with, on the worked examples (6.6).
#[test]
fn the_whole_numbers_agree_with_the_worked_examples() {
    let slack = Slack { deviation: 10, tolerance: 100 };
    for (reimbursement, package, quantity, discount, allowed) in [
        (1_500_000, 30, 10, 450_000, true),
        (1_500_000, 30, 10, 449_900, false),
        (1_500_000, 30, 10, 500_100, true),
        (1_500_000, 30, 10, 500_200, false),
        (165_600, 30, 90, 496_900, true),
        (165_600, 30, 90, 497_000, false),
        (100_000, 30, 10, 33_400, true),
        (100_000, 30, 10, 33_500, false),
        (0, 30, 10, 100, true),
        (0, 30, 10, 200, false),
    ] {
        let (package, quantity) = (package * 10_000, quantity * 10_000);
        let line = Line { reimbursement, package, quantity, discount };
        assert_eq!(slack.allows(&line), allowed, "{line:?}");
    }
}
