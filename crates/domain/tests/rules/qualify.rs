//! Rule 5.10: which programs can be asked for, and what is found of each. A case in which all is well
//! stands first; a test changes only what matters to it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use dispense_domain::qualify::{
    ProgramEvidence, Qualified, Qualify, QualifyEvidence, Rejection, order, qualifiable, qualify,
};
use dispense_domain::registry::{
    Division, DivisionStatus, Intent, MedicalProgram, MedicationRequest, ProgramSettings,
    RequestStatus,
};
use dispense_domain::{
    Approved, Code, DispenseEvent, Dispensing, Place, Refusal, Refusals, Switch, Terms, evolve,
};
use serde_json::json;
use uuid::Uuid;

use crate::care::{activity, followed};
use crate::records::{evidence, participant, provision};
use crate::sample::{
    OTHER_PHARMACY, OUTLET, PHARMACY, PROGRAM, all_in_order, id, in_parts, noon_and, params,
    program, quantity, text,
};

/// What happened, what is asked, and what the registries say.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) given: Vec<DispenseEvent>,
    pub(crate) question: Qualify,
    pub(crate) evidence: QualifyEvidence,
    pub(crate) at: DateTime<Utc>,
}

/// A pharmacy asks for one program at its outlet, and the program can pay.
pub(crate) fn all_can_pay() -> Asked {
    let found = evidence();
    let mut terms = Terms::clone(&found.terms);
    terms.division_dls_verify = Switch::On;
    terms.program_provision_verify = Switch::On;
    Asked {
        given: Vec::new(),
        question: Qualify {
            client: id(PHARMACY),
            programs: vec![id(PROGRAM)],
            division_id: Some(id(OUTLET)),
        },
        evidence: QualifyEvidence {
            terms: Arc::new(terms),
            request: found.request.unwrap(),
            programs: vec![program_evidence(PROGRAM, "Affordable Medicines")],
            division: found.division,
        },
        at: noon_and(0),
    }
}

/// A program of that name with the brand of the sample, which the outlet provides.
pub(crate) fn program_evidence(number: u128, name: &str) -> ProgramEvidence {
    let mut found = program(ProgramSettings::default());
    let record = Arc::make_mut(&mut found);
    (record.id, record.name) = (id(number), text(name));
    ProgramEvidence {
        program: Some(found),
        approved: Arc::new([Approved {
            participant: participant(),
            brand: crate::sample::brand(),
        }]),
        provisions: Arc::new([provision()]),
    }
}

impl Asked {
    /// The case with something changed.
    pub(crate) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Those programs are asked for.
    pub(crate) fn programs(&mut self, programs: Vec<(u128, ProgramEvidence)>) {
        self.question.programs = programs.iter().map(|(number, _)| id(*number)).collect();
        self.evidence.programs = programs.into_iter().map(|(_, found)| found).collect();
    }

    pub(crate) fn request(&mut self) -> &mut MedicationRequest {
        Arc::make_mut(&mut self.evidence.request.request)
    }

    pub(crate) fn outlet(&mut self) -> &mut Division {
        Arc::make_mut(self.evidence.division.as_mut().unwrap())
    }

    pub(crate) fn terms(&mut self) -> &mut Terms {
        Arc::make_mut(&mut self.evidence.terms)
    }

    /// No outlet is named.
    pub(crate) fn anywhere(&mut self) {
        self.question.division_id = None;
        self.evidence.division = None;
        self.evidence.programs.iter_mut().for_each(|it| it.provisions = Arc::default());
    }

    /// The first program, and what is found of it.
    pub(crate) fn program(&mut self) -> &mut MedicalProgram {
        Arc::make_mut(self.evidence.programs[0].program.as_mut().unwrap())
    }

    pub(crate) fn dispensing(&self) -> Dispensing {
        self.given.iter().fold(Dispensing::default(), evolve)
    }

    pub(crate) fn qualified(&self) -> Result<Vec<Qualified>, Refusals> {
        qualify(&self.dispensing(), &self.question, &self.evidence, self.at)
    }

    /// What became of the one program.
    #[track_caller]
    pub(crate) fn standing(&self) -> Result<Vec<Approved>, Rejection> {
        let mut all = self.qualified().unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0).standing
    }

    /// Why that program cannot pay, as it is written; nothing if it can.
    #[track_caller]
    pub(crate) fn rejection(&self) -> String {
        self.standing().err().map(|it| it.to_string()).unwrap_or_default()
    }

    /// The participants that can be dispensed.
    #[track_caller]
    pub(crate) fn listed(&self) -> Vec<Uuid> {
        let listed = self.standing().unwrap().into_iter();
        listed.map(|it| it.participant.id.uuid()).collect()
    }

    #[track_caller]
    fn refused(&self) -> Vec<Refusal> {
        self.qualified().unwrap_err().all().to_vec()
    }

    #[track_caller]
    fn the_refusal(&self) -> Refusal {
        let [only] = <[Refusal; 1]>::try_from(self.refused()).unwrap();
        only
    }
}

/// The only refusal has that code, rule, place and text.
#[track_caller]
fn refuses(asked: &Asked, code: Code, rule: &str, place: Place, message: &str) -> Refusal {
    let refusal = asked.the_refusal();
    assert_eq!((refusal.code, refusal.rule), (code, rule));
    assert_eq!(refusal.place, Some(place));
    assert_eq!(refusal.message, message);
    refusal
}

#[test]
fn where_all_is_well_the_program_can_pay_with_its_brand() {
    let asked = all_can_pay();
    let qualified = asked.qualified().unwrap();
    assert_eq!(qualified.len(), 1);
    assert_eq!(qualified[0].program.id, id(PROGRAM));
    assert_eq!(asked.standing().unwrap().as_slice(), &*asked.evidence.programs[0].approved);
}

#[test]
fn only_an_active_request_qualifies() {
    let message = "Invalid status Medication request for qualify action!";
    let told = |asked: &Asked, status: &str| {
        let code = Code::MedicationRequestNotActive;
        let refusal = refuses(asked, code, "Q3", Place::Request, message);
        assert_eq!(params(&refusal), json!({"status": status}));
        let said = qualifiable(&asked.dispensing(), &asked.evidence.request).unwrap_err();
        assert_eq!(said.all(), [refusal], "before it is known which programs are asked for");
    };
    for (status, word) in [
        (RequestStatus::Completed, "COMPLETED"),
        (RequestStatus::Rejected, "REJECTED"),
        (RequestStatus::Expired, "EXPIRED"),
    ] {
        told(&all_can_pay().but(|it| it.request().status = status), word);
    }
    told(&all_can_pay().but(|it| it.request().is_active = false), "inactive");
    assert!(qualifiable(&Dispensing::default(), &all_can_pay().evidence.request).is_ok());

    let whole = handed_over("60");
    told(&all_can_pay().but(|it| it.given = whole), "COMPLETED");
    let half = handed_over("30");
    assert!(all_can_pay().but(|it| it.given = half).qualified().is_ok());
}

/// So many of the sixty tablets were handed over.
pub(crate) fn handed_over(quantity: &str) -> Vec<DispenseEvent> {
    let mut scene = all_in_order();
    let mut settings = in_parts();
    settings.skip_medication_dispense_sign = Some(true);
    scene.under(settings);
    scene.in_any_quantity();
    scene.wants(&[quantity]);
    scene.hold.payment_amount = dispense_domain::Stated::Value(crate::sample::hryvnias("0"));
    scene.granted()
}

#[test]
fn a_plan_does_not_qualify() {
    let asked = all_can_pay().but(|it| it.request().intent = Intent::Plan);
    let message = "Medication request with type (intent) PLAN cannot be qualified";
    let refusal = refuses(&asked, Code::MedicationRequestIsPlan, "Q4", Place::Request, message);
    let said = qualifiable(&asked.dispensing(), &asked.evidence.request).unwrap_err();
    assert_eq!(said.all(), [refusal]);
}

#[test]
fn every_program_that_does_not_exist_or_has_ended_is_told() {
    let nobody =
        || ProgramEvidence { program: None, approved: Arc::default(), provisions: Arc::default() };
    let ended = || {
        let mut found = program_evidence(0x4_0004, "Ended");
        Arc::make_mut(found.program.as_mut().unwrap()).is_active = false;
        found
    };
    let known = || (PROGRAM, program_evidence(PROGRAM, "Known"));
    let one = all_can_pay().but(|it| it.programs(vec![(0x4_0003, nobody())]));
    let place = Place::ProgramAt(0);
    let message = "Medical program not found";
    let refusal = refuses(&one, Code::ProgramNotFound, "Q6", place, message);
    let unknown = crate::sample::uuid(0x4_0003);
    assert_eq!(params(&refusal), json!({"medicalProgramId": unknown}));

    let many = vec![known(), (0x4_0004, ended()), known(), (0x4_0003, nobody())];
    let refused = all_can_pay().but(|it| it.programs(many)).refused();
    let places: Vec<_> = refused.iter().map(|it| (it.rule, it.place.clone().unwrap())).collect();
    assert_eq!(places, [("Q6", Place::ProgramAt(1)), ("Q6", Place::ProgramAt(3))]);
    assert!(refused.iter().all(|it| it.message == message));
}

#[test]
fn a_care_plan_that_does_not_run_is_told_whole() {
    let mut care = crate::care::until(Some("2026-03-09"));
    Arc::make_mut(care.plan.as_mut().unwrap()).status = text("completed");
    activity(&mut care).status = text("cancelled");
    let refused = all_can_pay().but(|it| it.evidence.request.care = Some(care)).refused();
    let told: Vec<_> = refused.iter().map(|it| (it.rule, it.message.as_str())).collect();
    let expected = [
        ("Q7", "Invalid care plan status"),
        ("Q7", "Care plan expired"),
        ("Q7", "Invalid activity status"),
    ];
    assert_eq!(told, expected);
    assert!(refused.iter().all(|it| it.place == Some(Place::Request)));
    let runs = all_can_pay().but(|it| it.evidence.request.care = Some(followed()));
    assert!(runs.standing().is_ok());
}

#[test]
fn an_activity_must_have_room_for_the_whole_request() {
    let budget = |limit, processed: &str| {
        let mut care = followed();
        activity(&mut care).quantity = Some(quantity(limit));
        care.processed = processed.parse().unwrap();
        all_can_pay().but(|it| it.evidence.request.care = Some(care))
    };
    assert!(budget("100", "40").standing().is_ok());
    let message = "The total amount of the dispensed medication quantity exceeds quantity in care \
                   plan activity";
    let over = budget("100", "40.10");
    let refusal = refuses(&over, Code::ActivityQuantity, "Q8", Place::Request, message);
    let numbers = json!({"requested": "60", "dispensed": "40.1", "limit": "100"});
    assert_eq!(params(&refusal), numbers);
    let second = budget("60", "0").but(|it| it.given = handed_over("30"));
    assert!(second.standing().is_ok(), "its own parts are not counted twice");
}

#[test]
fn an_outlet_that_is_named_must_be_a_verified_one_of_the_asker() {
    let unknown = all_can_pay().but(|it| it.evidence.division = None);
    let (code, place) = (Code::DivisionNotFound, Place::Division);
    let refusal = refuses(&unknown, code, "Q9a", place.clone(), "Division not found");
    assert_eq!(params(&refusal), json!({"divisionId": crate::sample::uuid(OUTLET)}));

    let message = "Division is not active";
    for (status, is_active, word) in
        [(DivisionStatus::Inactive, true, "INACTIVE"), (DivisionStatus::Active, false, "inactive")]
    {
        let closed = all_can_pay().but(|it| {
            (it.outlet().status, it.outlet().is_active) = (status, is_active);
        });
        let refusal = refuses(&closed, Code::DivisionNotActive, "Q9b", place.clone(), message);
        assert_eq!(params(&refusal), json!({"status": word}));
    }

    let foreign = all_can_pay().but(|it| it.outlet().legal_entity_id = id(OTHER_PHARMACY));
    let message = "Division does not belong to user's legal entity";
    refuses(&foreign, Code::DivisionForeign, "Q9c", place.clone(), message);

    let message = "Division is not verified in DLS";
    for verified in [None, Some(false)] {
        let asked = all_can_pay().but(|it| it.outlet().dls_verified = verified);
        refuses(&asked, Code::DivisionNotDlsVerified, "Q9d", place.clone(), message);
        let nobody_asks = asked.but(|it| it.terms().division_dls_verify = Switch::Off);
        assert!(nobody_asks.standing().is_ok());
    }
}

#[test]
fn an_outlet_that_is_not_named_is_not_judged() {
    let asked = all_can_pay().but(Asked::anywhere);
    assert!(asked.standing().is_ok());
}

#[test]
fn where_a_program_skips_the_regulator_only_the_others_cannot_pay() {
    let skips = |number, name: &str| {
        let mut found = program_evidence(number, name);
        let record = Arc::make_mut(found.program.as_mut().unwrap());
        let settings = Arc::make_mut(&mut record.medical_program_settings);
        settings.skip_dispense_division_dls_verify = Some(true);
        (number, found)
    };
    let asks = |number, name: &str| (number, program_evidence(number, name));
    let asked = all_can_pay().but(|it| it.outlet().dls_verified = None);
    let one = asked.clone().but(|it| it.programs(vec![skips(PROGRAM, "Skips")]));
    assert!(one.standing().is_ok());

    let both = vec![asks(0x4_0002, "Asks"), skips(PROGRAM, "Skips"), asks(0x4_0003, "Asks too")];
    let both = asked.clone().but(|it| it.programs(both)).qualified().unwrap();
    let told = both.iter().map(|it| it.standing.as_ref().err().map(ToString::to_string));
    let not_verified = Some("Division is not verified in DLS".to_owned());
    assert_eq!(told.collect::<Vec<_>>(), [not_verified.clone(), None, not_verified]);

    let neither = vec![asks(0x4_0002, "Asks"), asks(0x4_0003, "Asks too")];
    let neither = asked.but(|it| it.programs(neither)).the_refusal();
    assert_eq!((neither.code, neither.rule), (Code::DivisionNotDlsVerified, "Q9d"));
}

/// Everything is wrong; what is told is told at once, in the order of the table.
#[test]
fn all_that_forbids_to_look_at_programs_is_told_at_once_in_order() {
    let mut care = crate::care::until(Some("2026-03-09"));
    activity(&mut care).quantity = Some(quantity("59"));
    let mut wrong = all_can_pay().but(|it| {
        it.request().status = RequestStatus::Rejected;
        it.request().intent = Intent::Plan;
        it.program().is_active = false;
        it.evidence.request.care = Some(care);
        it.outlet().status = DivisionStatus::Inactive;
        it.outlet().legal_entity_id = id(OTHER_PHARMACY);
        it.outlet().dls_verified = None;
    });
    let rules = |asked: &Asked| asked.refused().iter().map(|it| it.rule).collect::<Vec<_>>();
    assert_eq!(rules(&wrong), ["Q3", "Q4", "Q6", "Q7", "Q8", "Q9b", "Q9c", "Q9d"]);
    wrong.evidence.division = None;
    assert_eq!(rules(&wrong), ["Q3", "Q4", "Q6", "Q7", "Q8", "Q9a"]);
    let table = ["Q3", "Q4", "Q6", "Q7", "Q8", "Q9a", "Q9b", "Q9c", "Q9d"];
    assert_eq!(order().collect::<Vec<_>>(), table);
    let said = qualifiable(&wrong.dispensing(), &wrong.evidence.request).unwrap_err();
    assert_eq!(said.all().iter().map(|it| it.rule).collect::<Vec<_>>(), ["Q3", "Q4"]);
}
