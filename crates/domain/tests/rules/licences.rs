//! Rules 11a and 11b: what the outlet is licensed to do.

use std::sync::Arc;

use dispense_domain::registry::{LicensedService, MedicationType};
use dispense_domain::{Carried, Code, Member, Place};
use serde_json::{Value, json};

use crate::records::service;
use crate::sample::{DOSAGE, Scene, all_in_order, brand, id, params, text, uuid};

type Change = fn(&mut Scene);

/// The program takes licences of those types.
fn asking_for(types: &[&str]) -> Scene {
    let types = types.iter().map(|kind| text(kind)).collect();
    all_in_order().but(|it| it.settings().license_types_allowed = Some(types))
}

/// The service names a licence, and what it is stands in the record of the company.
fn licensed_by(licenses: Value) -> Scene {
    asking_for(&["PHARMACY"]).but(|it| {
        it.sale().license_type = None;
        it.sale().license_id = Some(text("L-1"));
        it.company().licenses = Some(Carried::try_from(licenses).unwrap());
    })
}

/// 11a.
#[test]
fn an_outlet_needs_a_licence_of_a_type_that_the_program_takes() {
    for types in [&["PHARMACY"][..], &["PHARMACY_DRUGS", "PHARMACY"], &[]] {
        assert!(asking_for(types).codes().is_empty(), "{types:?}");
    }
    let no = asking_for(&["PHARMACY_DRUGS", "NARCOTICS"]).the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::LicenceMissing, Some(Place::Division)));
    assert_eq!(params(&no), json!({"allowed": "PHARMACY_DRUGS, NARCOTICS"}));
}

/// 11a.
#[test]
fn a_program_that_takes_every_licence_asks_for_none() {
    let unlicensed = |types: Option<&[&str]>| {
        let mut scene = all_in_order();
        let list = |types: &[&str]| types.iter().map(|kind| text(kind)).collect();
        scene.settings().license_types_allowed = types.map(list);
        scene.but(|it| it.sight.evidence.healthcare_services = Arc::default()).codes()
    };
    assert!(unlicensed(None).is_empty());
    assert!(unlicensed(Some(&[])).is_empty(), "a list of none is no list");
    assert_eq!(unlicensed(Some(&["PHARMACY"])), ["licence-missing"]);
}

/// 11a: service and licence have to count, each by itself.
#[test]
fn a_service_or_a_licence_that_is_not_active_licenses_nothing() {
    let changes: [(&str, Change); 6] = [
        ("record", |it| it.sale().is_active = false),
        ("status", |it| it.sale().status = text("INACTIVE")),
        ("type", |it| it.sale().kind = text("PRODUCTION")),
        ("licence", |it| {
            let status = text("INACTIVE");
            it.sale().licensed_healthcare_service = Some(LicensedService { status });
        }),
        ("licence unsaid", |it| it.sale().licensed_healthcare_service = None),
        ("type unsaid", |it| it.sale().license_type = None),
    ];
    for (what, change) in changes {
        let scene = asking_for(&["PHARMACY"]).but(change);
        assert_eq!(scene.codes(), ["licence-missing"], "{what}");
        assert!(all_in_order().but(change).codes().is_empty(), "{what}: nobody asks");
    }
}

/// 11a.
#[test]
fn one_good_service_among_several_is_enough() {
    let mut closed = service("SALE");
    Arc::make_mut(&mut closed).status = text("INACTIVE");
    let mut other = service("SALE");
    Arc::make_mut(&mut other).license_type = Some(text("NARCOTICS"));
    let with = |services: &[_]| {
        asking_for(&["PHARMACY"])
            .but(|it| it.sight.evidence.healthcare_services = services.into())
            .codes()
    };
    assert!(with(&[closed.clone(), other.clone(), service("SALE")]).is_empty());
    assert_eq!(with(&[closed, other]), ["licence-missing"]);
}

/// 11a: no service may borrow what makes another one good.
#[test]
fn two_half_good_services_are_no_good_one() {
    let mut without_type = service("SALE");
    Arc::make_mut(&mut without_type).license_type = None;
    let mut without_licence = service("SALE");
    Arc::make_mut(&mut without_licence).licensed_healthcare_service = None;
    let scene = asking_for(&["PHARMACY"]).but(|it| {
        it.sight.evidence.healthcare_services = Arc::new([without_type, without_licence]);
    });
    assert_eq!(scene.codes(), ["licence-missing"]);
}

/// 11a: the type of a licence may stand with the company, under the id that the service names.
#[test]
fn a_licence_is_found_at_the_company_by_its_id() {
    let good = json!({"id": "L-1", "type": "PHARMACY"});
    let other = json!({"id": "L-2", "type": "PHARMACY"});
    for licenses in [json!([good]), json!([other, good]), good.clone()] {
        assert!(licensed_by(licenses.clone()).codes().is_empty(), "{licenses}");
    }
    let wrong_type = json!({"id": "L-1", "type": "NARCOTICS"});
    for licenses in [
        json!([]),
        json!([other]),
        json!([wrong_type]),
        json!([{"id": "L-1"}]),
        json!([{"id": "L-1", "type": 7}, "L-1", null]),
        json!("PHARMACY"),
    ] {
        assert_eq!(licensed_by(licenses.clone()).codes(), ["licence-missing"], "{licenses}");
    }
    let unnamed = licensed_by(json!([good])).but(|it| it.sale().license_id = None);
    assert_eq!(unnamed.codes(), ["licence-missing"]);
    let unlisted = licensed_by(json!([good])).but(|it| it.company().licenses = None);
    assert_eq!(unlisted.codes(), ["licence-missing"]);
}

/// 11a: what the service says itself counts more than what the company's record says.
#[test]
fn the_type_that_a_service_states_is_believed() {
    let scene = licensed_by(json!([{"id": "L-1", "type": "PHARMACY"}]))
        .but(|it| it.sale().license_type = Some(text("NARCOTICS")));
    assert_eq!(scene.codes(), ["licence-missing"]);
}

/// 11a: of an unknown outlet only rule 10a speaks, of an unknown program only 12c.
#[test]
fn nobody_misses_licences_of_what_is_unknown() {
    let scene = asking_for(&["NARCOTICS"]).but(|it| it.sight.evidence.division = None);
    assert_eq!(scene.codes(), ["division-not-found"]);
    let scene = asking_for(&["NARCOTICS"]).but(|it| it.sight.evidence.program = None);
    assert_eq!(scene.codes(), ["program-not-found"]);
}

/// Both halves of the prescription are made by the pharmacy itself.
fn made_here() -> Scene {
    let mut dosage = brand();
    let made = Arc::make_mut(&mut dosage);
    (made.id, made.kind) = (id(DOSAGE), MedicationType::InnmDosage);
    all_in_order().but(|it| it.wants(&["20", "20", "20"])).but(|it| {
        it.sight.evidence.medications = vec![Some(brand()), Some(dosage.clone()), Some(dosage)];
    })
}

/// 11b.
#[test]
fn who_dispenses_what_it_makes_itself_may_produce() {
    assert!(made_here().codes().is_empty());
    let changes: [(&str, Change); 4] = [
        ("record", |it| it.production().is_active = false),
        ("status", |it| it.production().status = text("INACTIVE")),
        ("type", |it| it.production().kind = text("SALE")),
        ("licence", |it| {
            let status = text("INACTIVE");
            it.production().licensed_healthcare_service = Some(LicensedService { status });
        }),
    ];
    for (what, change) in changes {
        let no = made_here().but(change).the_refusal();
        let first_made_here = Place::Item(1, Member::Medication);
        assert_eq!(
            (no.code, no.place.clone()),
            (Code::ProductionLicenceMissing, Some(first_made_here))
        );
        assert_eq!(params(&no), json!({"medicationId": uuid(DOSAGE)}), "{what}");
        assert!(
            all_in_order().but(change).codes().is_empty(),
            "{what}: a brand was made elsewhere"
        );
    }
}

/// 11b: asked for is an active service; a licence that nobody states is not held against it.
#[test]
fn a_production_service_without_a_stated_licence_may_produce() {
    let scene = made_here().but(|it| it.production().licensed_healthcare_service = None);
    assert!(scene.codes().is_empty());
}

/// 11b: the law on making medicine asks no program.
#[test]
fn a_production_service_is_asked_for_outside_any_program_too() {
    let scene = made_here().but(Scene::without_program);
    assert!(scene.codes().is_empty());
    let scene = scene.but(|it| it.production().is_active = false);
    assert_eq!(scene.codes(), ["production-licence-missing"]);
    let unknown = scene.but(|it| it.sight.evidence.division = None);
    assert_eq!(unknown.codes(), ["division-not-found"]);
}
