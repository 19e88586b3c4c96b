//! Qualification and holds never contradict each other, whatever the registries say: what can be
//! paid for can be held, and what can be held can be paid for.

mod ground;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use dispense_domain::qualify::{
    ProgramEvidence, Qualified, Qualify, QualifyEvidence, Rejection, qualify,
};
use dispense_domain::registry::{MedicalProgram, Medication, MedicationType, ProgramMedication};
use dispense_domain::{
    Approved, Command, DispenseEvent, Dispensing, MedicalProgramId, Money, Provision, Quantity,
    Refusals, RequestEvidence, decide, evolve,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::sample::{OUTLET, PHARMACY, PROGRAM, Scene, hryvnias, id, noon_and};
use ground::{Ground, IN_ORDER, OTHER_PROGRAM, ground};

/// The refusals of a hold for reasons that qualification looks at.
const SEEN: [&str; 21] = [
    "medication-request-not-active",
    "medication-request-is-plan",
    "division-not-found",
    "division-not-active",
    "division-foreign",
    "division-not-dls-verified",
    "program-not-found",
    "program-not-active",
    "program-misconfigured",
    "provision-missing",
    "provision-without-contract",
    "provision-contract-suspended",
    "medication-not-active",
    "medication-mismatch",
    "medication-not-in-program",
    "program-medication-expired",
    "care-plan-status",
    "care-plan-expired",
    "activity-status",
    "not-qualified",
    "quantity-not-divisible",
];

/// One more, which no hold here brings about: each names a participant of its brand and program.
const NOT_HERE: [&str; 1] = ["program-medication-invalid"];

/// Finds what the registries hold, as the registries of the service do.
impl Ground {
    fn program(&self, number: u128) -> Option<Arc<MedicalProgram>> {
        self.programs.iter().find(|it| it.id == id(number)).cloned()
    }

    fn medication(&self, of: &ProgramMedication) -> Arc<Medication> {
        self.medications.iter().find(|it| it.id == of.medication_id).unwrap().clone()
    }

    fn approved(&self, program: u128) -> Arc<[Approved]> {
        let of_program = self.participants.iter().filter(|it| it.medical_program_id == id(program));
        let approved =
            of_program.map(|it| Approved { participant: it.clone(), brand: self.medication(it) });
        approved.filter(|it| contains(&it.brand) == Some(self.request.medication_id)).collect()
    }

    fn provisions(&self, program: u128) -> Arc<[Provision]> {
        let of_program = self
            .provisions
            .iter()
            .filter(|it| it.medical_program_id == id(program) && it.division_id == id(OUTLET));
        let provisions = of_program.map(|record| {
            let contracts = self.contracts.iter();
            let contracts =
                contracts.filter(|it| Some(&it.contract_number) == record.contract_number.as_ref());
            Provision { record: record.clone(), contracts: contracts.cloned().collect() }
        });
        provisions.collect()
    }

    fn request_evidence(&self) -> RequestEvidence {
        RequestEvidence {
            request: self.request.clone(),
            program: self.program(PROGRAM),
            approved: self.approved(PROGRAM),
            others: self.others.clone(),
            care: self.care.clone(),
            ..IN_ORDER.sight.evidence.request.clone().unwrap()
        }
    }

    fn dispensing(&self) -> Dispensing {
        self.given.iter().fold(Dispensing::default(), evolve)
    }

    fn remaining(&self) -> Decimal {
        self.request.medication_qty.decimal() - self.dispensing().processed()
    }
}

/// What a brand is dispensed for.
fn contains(medication: &Medication) -> Option<dispense_domain::MedicationId> {
    match medication.kind {
        MedicationType::Brand => medication.dosage_id(),
        MedicationType::InnmDosage | MedicationType::Innm => Some(medication.id),
    }
}

fn qualified(ground: &Ground, programs: &[u128]) -> Result<Vec<Qualified>, Refusals> {
    let asked = Qualify {
        client: id(PHARMACY),
        programs: programs.iter().map(|number| id::<MedicalProgramId>(*number)).collect(),
        division_id: Some(id(OUTLET)),
    };
    let found = programs.iter().map(|number| ProgramEvidence {
        program: ground.program(*number),
        approved: ground.approved(*number),
        provisions: ground.provisions(*number),
    });
    let evidence = QualifyEvidence {
        terms: ground.terms.clone(),
        request: ground.request_evidence(),
        programs: found.collect(),
        division: ground.division.clone(),
    };
    qualify(&ground.dispensing(), &asked, &evidence, noon_and(0))
}

/// What a quantity of that brand must be a multiple of.
fn step(brand: &Medication, participant: &ProgramMedication) -> Option<Decimal> {
    match participant.package_qty_divisible {
        Some(false) => brand.package_qty,
        Some(true) | None => brand.package_min_qty,
    }
}

/// A part of what remains that could be dispensed, or all of it; `which` says which.
fn allowed(ground: &Ground, step: Option<Decimal>, which: u64) -> Option<Quantity> {
    let program = ground.program(PROGRAM);
    let in_parts = program.is_none_or(|it| it.medical_program_settings.multi_dispense());
    let remaining = ground.remaining();
    if !in_parts || which == 0 {
        let whole = in_parts || ground.given.is_empty();
        return whole.then_some(remaining)?.try_into().ok();
    }
    let step = step.unwrap_or(Decimal::ONE);
    let parts = u64::try_from((remaining / step).floor()).unwrap();
    let part = (which % parts.max(1)) + 1;
    Quantity::try_from(step * Decimal::from(part)).ok().filter(|it| it.decimal() <= remaining)
}

/// What the program pays for that quantity.
fn discount(brand: &Medication, participant: &ProgramMedication, quantity: Quantity) -> Money {
    let paid = participant.reimbursement.reimbursement_amount.decimal() * quantity.decimal();
    let package = brand.package_qty.filter(|_| participant.reimbursement.kind.as_str() == "FIXED");
    let paid = package.map_or(Decimal::ONE, |package| paid / package);
    let stated = paid.round_dp_with_strategy(Money::SCALE, RoundingStrategy::ToPositiveInfinity);
    stated.try_into().unwrap()
}

/// Whether the pharmacy says on which terms, or leaves it to the newest.
#[derive(Clone, Copy, PartialEq)]
enum Naming {
    Named,
    Newest,
}

/// A hold of that quantity on those terms.
fn hold(ground: &Ground, on: &ProgramMedication, naming: Naming, quantity: Quantity) -> Scene {
    let brand = ground.medication(on);
    let mut scene = IN_ORDER.clone();
    scene.given.clone_from(&ground.given);
    let item = &mut scene.hold.items[0];
    (item.medication_id, item.quantity) = (brand.id, quantity);
    item.discount_amount = Some(discount(&brand, on, quantity));
    item.total_price = Some(hryvnias("100000"));
    item.program_medication_id = (naming == Naming::Named).then_some(on.id);
    let evidence = &mut scene.sight.evidence;
    evidence.terms = ground.terms.clone();
    evidence.division.clone_from(&ground.division);
    evidence.program = ground.program(PROGRAM);
    evidence.contracts = ground.contracts.clone().into();
    evidence.provisions = ground.provisions(PROGRAM);
    evidence.medications = vec![Some(brand)];
    let of_brand = ground
        .participants
        .iter()
        .filter(|it| it.medical_program_id == id(PROGRAM) && it.medication_id == on.medication_id);
    evidence.participants = vec![of_brand.cloned().collect()];
    evidence.request = Some(ground.request_evidence());
    scene
}

/// The participant on whose terms something was held.
fn taken(events: &[DispenseEvent]) -> dispense_domain::ProgramMedicationId {
    let DispenseEvent::HoldCreated(hold) = &events[0] else { panic!("{events:?}") };
    hold.items[0].program_medication_id.unwrap()
}

/// How often each thing happened.
#[derive(Default)]
struct Counted(BTreeMap<String, u32>);

impl Counted {
    fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    fn of(&self, what: &str) -> u32 {
        self.0.get(what).copied().unwrap_or_default()
    }
}

const CASES: u32 = 5_000;

/// Asks both of one state of the registries, and compares what they say.
fn agree(ground: &Ground, which: u64, counted: &mut Counted) {
    let alone = qualified(ground, &[PROGRAM]);
    let standing = alone.as_ref().ok().map(|all| all[0].standing.clone());
    let listed = standing.clone().and_then(Result::ok);
    counted.count(match &standing {
        None => "refused",
        Some(Err(Rejection::DivisionNotDlsVerified)) => "not verified",
        Some(Err(Rejection::Provision(_))) => "not provided",
        Some(Err(Rejection::NotApproved { .. })) => "not approved",
        Some(Err(Rejection::OncePerTerm)) => "once per term",
        Some(Ok(listed)) if listed.is_empty() => "valid without brands",
        Some(Ok(_)) => "valid",
    });
    let of_program = ground.participants.iter().filter(|it| it.medical_program_id == id(PROGRAM));
    for on in of_program {
        let step = step(&ground.medication(on), on);
        let Some(quantity) = allowed(ground, step, which) else { continue };
        for naming in [Naming::Named, Naming::Newest] {
            match decided(&hold(ground, on, naming, quantity)) {
                Err(refusals) => {
                    counted.count("not granted");
                    let codes = refusals.all().iter().map(|it| it.code.definition().code);
                    let codes: Vec<_> = codes.collect();
                    for code in &codes {
                        counted.count(*code);
                    }
                    if naming == Naming::Named && is_listed(listed.as_deref(), on) {
                        // What can be paid for can be held.
                        counted.count("listed and not granted");
                        let seen =
                            codes.iter().any(|it| SEEN.contains(it) || NOT_HERE.contains(it));
                        assert!(!seen, "{codes:?} of {on:#?} in {ground:#?}");
                    }
                }
                Ok(events) => {
                    // What can be held can be paid for, with the very participant that is taken.
                    counted.count("granted");
                    let Some(listed) = &listed else { panic!("{standing:?} in {ground:#?}") };
                    let taken = taken(&events);
                    let taken = ground.participants.iter().find(|it| it.id == taken).unwrap();
                    let step = self::step(&ground.medication(taken), taken);
                    let whole = step.is_none_or(|step| (ground.remaining() % step).is_zero());
                    let is_listed = is_listed(Some(listed), taken);
                    assert_eq!(is_listed, whole, "{taken:#?} in {ground:#?}");
                    counted.count(if is_listed { "granted and listed" } else { LEAVES_A_REST });
                }
            }
        }
    }
}

/// A part is granted of a brand that is not listed, because what remains is no whole number of its
/// parts: then a rest stays undispensed (7.2).
const LEAVES_A_REST: &str = "granted and not listed";

fn is_listed(listed: Option<&[Approved]>, participant: &ProgramMedication) -> bool {
    listed.into_iter().flatten().any(|it| it.participant.id == participant.id)
}

fn decided(scene: &Scene) -> Result<Vec<DispenseEvent>, Refusals> {
    let command = Command::CreateHold(Arc::new(scene.hold.clone()));
    decide(&scene.dispensing(), &command, &scene.sight)
}

/// What is said of a program does not depend on what else is asked for: but for rule Q9d, which
/// leaves it to each program where one of them does not ask for the regulator.
fn does_not_depend_on_others(ground: &Ground) {
    let Ok(both) = qualified(ground, &[OTHER_PROGRAM, PROGRAM, OTHER_PROGRAM]) else { return };
    assert_eq!(both[0].standing, both[2].standing);
    match qualified(ground, &[PROGRAM]) {
        Ok(alone) => assert_eq!(alone[0].standing, both[1].standing),
        Err(refusals) => {
            let rules: Vec<_> = refusals.all().iter().map(|it| it.rule).collect();
            assert_eq!(rules, ["Q9d"]);
            assert_eq!(both[1].standing, Err(Rejection::DivisionNotDlsVerified));
        }
    }
}

#[test]
fn a_hold_is_never_refused_for_what_qualification_has_seen_nor_granted_against_it() {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let counted = RefCell::new(Counted::default());
    let strategy = (ground(), prop_oneof![2 => Just(0), 1 => 1..1_000_u64]);
    TestRunner::new(config)
        .run(&strategy, |(ground, which)| {
            agree(&ground, which, &mut counted.borrow_mut());
            does_not_depend_on_others(&ground);
            Ok(())
        })
        .unwrap();

    // Both outcomes occur often, and for every reason; else nothing would be proved.
    let counted = counted.into_inner();
    let at_least = |share: u32, what: &str| {
        let least = CASES * share / 1_000;
        assert!(counted.of(what) >= least, "{what}: {} of {:#?}", counted.of(what), counted.0);
    };
    at_least(150, "valid");
    at_least(150, "granted and listed");
    at_least(3, "listed and not granted");
    at_least(500, "not granted");
    at_least(100, "refused");
    for reason in ["not provided", "not approved", "once per term"] {
        at_least(10, reason);
    }
    at_least(1, "valid without brands");
    at_least(10, LEAVES_A_REST);
    for code in SEEN {
        at_least(1, code);
    }
}
