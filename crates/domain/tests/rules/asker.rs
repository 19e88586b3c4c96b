//! Rules 3a to 5, 9 and 10: who asks, and from where.

use dispense_domain::registry::{DivisionStatus, EmployeeStatus, LegalEntityStatus};
use dispense_domain::{Code, Place, Switch};
use serde_json::json;

use crate::sample::{
    OTHER_PHARMACY, OUTLET, PHARMACY, Scene, USER, all_in_order, id, params, text, uuid,
};

#[test]
fn a_pharmacy_in_order_may_hold() {
    assert_eq!(all_in_order().codes(), Vec::<&str>::new());
}

/// 3a.
#[test]
fn an_unknown_company_is_refused() {
    let no = all_in_order().but(|it| it.sight.evidence.legal_entity = None).the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::LegalEntityNotFound, Some(Place::Asker)));
    assert_eq!(params(&no), json!({"legalEntityId": uuid(PHARMACY)}));
}

/// 3b.
#[test]
fn a_closed_or_reorganised_company_is_refused_and_not_a_second_time_as_inactive() {
    for (status, word) in
        [(LegalEntityStatus::Closed, "CLOSED"), (LegalEntityStatus::Reorganized, "REORGANIZED")]
    {
        for is_active in [true, false] {
            let no = all_in_order()
                .but(|it| it.company().status = status)
                .but(|it| it.company().is_active = is_active)
                .the_refusal();
            assert_eq!((no.code, no.place.clone()), (Code::LegalEntityClosed, Some(Place::Asker)));
            assert_eq!(params(&no), json!({"status": word}));
        }
    }
}

/// 4a.
#[test]
fn a_suspended_company_and_one_whose_record_does_not_count_are_not_active() {
    let suspended = all_in_order().but(|it| it.company().status = LegalEntityStatus::Suspended);
    let no = suspended.the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::LegalEntityNotActive, Some(Place::Asker)));
    assert_eq!(params(&no), json!({"status": "SUSPENDED"}));

    let no = all_in_order().but(|it| it.company().is_active = false).the_refusal();
    assert_eq!(no.code, Code::LegalEntityNotActive);
    assert_eq!(params(&no), json!({"status": "inactive"}));
}

/// 4b: off unless the installation asks.
#[test]
fn a_company_that_the_payer_has_not_verified_is_refused_where_that_is_asked_for() {
    let mut scene = all_in_order().but(|it| it.company().nhs_verified = false);
    assert!(scene.codes().is_empty(), "nobody asks");
    scene.terms().legal_entity_nhs_verify = Switch::On;
    let no = scene.the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::LegalEntityNotVerified, Some(Place::Asker)));
    assert_eq!(params(&no), json!({}));
    scene.company().nhs_verified = true;
    assert!(scene.codes().is_empty());
    let unknown = scene.but(|it| it.sight.evidence.legal_entity = None);
    assert_eq!(unknown.codes(), ["legal-entity-not-found"]);
}

/// 4c.
#[test]
fn only_the_configured_types_of_company_may_dispense() {
    let mut scene = all_in_order();
    for allowed in ["PHARMACY", "MSP_PHARMACY"] {
        scene.company().kind = text(allowed);
        assert!(scene.codes().is_empty(), "{allowed}");
    }
    scene.company().kind = text("MSP");
    let no = scene.the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::LegalEntityType, Some(Place::Asker)));
    assert_eq!(params(&no), json!({"type": "MSP", "allowed": "PHARMACY, MSP_PHARMACY"}));

    scene.terms().legal_entity_types = vec!["MSP".to_owned()];
    assert!(scene.codes().is_empty());
}

/// 5.
#[test]
fn a_user_without_a_person_is_refused_and_nothing_is_said_of_a_job() {
    let no = all_in_order()
        .but(|it| it.sight.evidence.party = None)
        .but(|it| it.sight.evidence.employees.clear())
        .the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::PartyNotFound, Some(Place::Asker)));
    assert_eq!(params(&no), json!({"userId": uuid(USER)}));
}

/// 9.
#[test]
fn a_person_needs_one_approved_and_active_job_there() {
    let jobless = all_in_order().but(|it| it.sight.evidence.employees.clear());
    let no = jobless.the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::EmployeeNotAuthorised, Some(Place::Asker)));
    assert_eq!(params(&no), json!({"partyId": uuid(0x6_0002)}));

    for status in [EmployeeStatus::New, EmployeeStatus::Dismissed] {
        let mut scene = all_in_order().but(|it| it.job().status = status);
        assert_eq!(scene.codes(), ["employee-not-authorised"]);

        // One good job among several is enough, and the good one is recorded.
        let mut good = scene.sight.evidence.employees[0].as_ref().clone();
        good.status = EmployeeStatus::Approved;
        good.id = id(0x6_0099);
        scene.sight.evidence.employees.push(good.into());
        let events = scene.granted();
        let [dispense_domain::DispenseEvent::HoldCreated(hold)] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(hold.employee_id, id(0x6_0099));
    }
    let inactive = all_in_order().but(|it| it.job().is_active = false);
    assert_eq!(inactive.codes(), ["employee-not-authorised"]);

    // The type of the job is nobody's business here.
    let owner = all_in_order().but(|it| it.job().employee_type = text("HR"));
    assert!(owner.codes().is_empty());
}

/// 9 says nothing where 3a has spoken: nobody works for a company that does not exist.
#[test]
fn a_job_is_not_missed_in_an_unknown_company() {
    let scene = all_in_order()
        .but(|it| it.sight.evidence.legal_entity = None)
        .but(|it| it.sight.evidence.employees.clear());
    assert_eq!(scene.codes(), ["legal-entity-not-found"]);
}

/// 10a.
#[test]
fn an_unknown_outlet_is_refused_once() {
    let no = all_in_order().but(|it| it.sight.evidence.division = None).the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::DivisionNotFound, Some(Place::Division)));
    assert_eq!(params(&no), json!({"divisionId": uuid(OUTLET)}));
}

/// 10b.
#[test]
fn an_outlet_must_be_active_and_its_record_must_count() {
    let no = all_in_order().but(|it| it.outlet().status = DivisionStatus::Inactive).the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::DivisionNotActive, Some(Place::Division)));
    assert_eq!(params(&no), json!({"status": "INACTIVE"}));

    let no = all_in_order().but(|it| it.outlet().is_active = false).the_refusal();
    assert_eq!(no.code, Code::DivisionNotActive);
    assert_eq!(params(&no), json!({"status": "inactive"}));
}

/// 10c.
#[test]
fn an_outlet_of_another_company_is_refused() {
    let no =
        all_in_order().but(|it| it.outlet().legal_entity_id = id(OTHER_PHARMACY)).the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::DivisionForeign, Some(Place::Division)));
    assert_eq!(params(&no), json!({}));
}

/// The regulator is asked, and says that of the outlet.
fn confirmed(dls_verified: Option<bool>) -> Scene {
    all_in_order()
        .but(|it| it.terms().division_dls_verify = Switch::On)
        .but(|it| it.outlet().dls_verified = dls_verified)
}

/// 10d: off unless the installation asks; what nobody has confirmed is not confirmed.
#[test]
fn an_outlet_that_the_regulator_has_not_confirmed_is_refused_where_that_is_asked_for() {
    assert!(confirmed(Some(true)).codes().is_empty());
    for dls_verified in [Some(false), None] {
        let no = confirmed(dls_verified).the_refusal();
        let place = Some(Place::Division);
        assert_eq!((no.code, no.place.clone()), (Code::DivisionNotDlsVerified, place));
        assert_eq!(params(&no), json!({}));
        let unasked = all_in_order().but(|it| it.outlet().dls_verified = dls_verified);
        assert!(unasked.codes().is_empty(), "{dls_verified:?}");
    }
}

/// 10d: a program may do without; the setting has to be said.
#[test]
fn a_program_may_do_without_the_regulator() {
    let skipping = |setting| {
        confirmed(None).but(|it| it.settings().skip_dispense_division_dls_verify = setting).codes()
    };
    assert!(skipping(Some(true)).is_empty());
    assert_eq!(skipping(Some(false)), ["division-not-dls-verified"]);
    assert_eq!(skipping(None), ["division-not-dls-verified"]);
    assert_eq!(confirmed(None).but(Scene::without_program).codes(), ["division-not-dls-verified"]);
}

/// 10d: a program that is unknown does without nothing.
#[test]
fn under_an_unknown_program_the_regulator_is_asked() {
    let unknown = |it: &mut Scene| it.sight.evidence.program = None;
    let codes = confirmed(None).but(unknown).codes();
    assert_eq!(codes, ["division-not-dls-verified", "program-not-found"]);
    assert_eq!(confirmed(Some(true)).but(unknown).codes(), ["program-not-found"]);
    let nowhere = confirmed(None).but(|it| it.sight.evidence.division = None);
    assert_eq!(nowhere.codes(), ["division-not-found"]);
}
