//! Registries with holes: members missing, odd or dangling, wherever they stand.

use std::sync::Arc;

use chrono::NaiveDate;
use dispense_domain::{
    Approved, Care, CodeTurn, DispenseDay, Evidence, OtherRequest, Prices, RequestEvidence, Switch,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::records::sixty_tablets;
use crate::sample::{
    PARTICIPANT, Scene, all_in_order, hryvnias, id, item, moment, record, text, uuid,
};

/// Something that is wrong with what is known.
#[derive(Debug, Clone)]
pub(crate) enum Hole {
    /// A member of a record is another one, or is gone.
    Member { record: Index, member: usize, value: &'static str },
    /// More than a member is missing, or was never expected.
    Whole(Index),
}

/// What a member may be: each is tried where it can be read at all. `gone` takes it away.
pub(crate) const VALUES: &[&str] = &[
    "gone",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1",
    "0.0001",
    "0.00001",
    "7.5",
    "9999999.9999",
    "10000000",
    "79228162514264337593543950335",
    "1e300",
    "[]",
    "[null]",
    "{}",
    r#""-""#,
    r#""ACTIVE""#,
    r#""active""#,
    r#""INACTIVE""#,
    r#""SUSPENDED""#,
    r#""CLOSED""#,
    r#""plan""#,
    r#""COMPLETED""#,
    r#""INNM""#,
    r#""INNM_DOSAGE""#,
    r#""SALE""#,
    r#""PRODUCTION""#,
    r#""LOCAL""#,
    r#""EXTERNAL""#,
    r#""REIMBURSEMENT""#,
    r#""scheduled""#,
    r#""2026-03-10""#,
    r#""2026-03-11""#,
    r#""0000-01-01""#,
    r#""9999-12-31""#,
    r#""+262142-12-31""#,
    r#""-262143-01-01""#,
    r#""2026-03-10T10:00:00Z""#,
    r#""2026-03-10T25:61:00Z""#,
    r#"{"reimbursement_amount": 0, "type": "FIXED"}"#,
    r#"{"type": "EXTERNAL"}"#,
    r#"{"type": "FIXED", "reimbursement_amount": 999999999.9999}"#,
    r#"{"license_types_allowed": ["PHARMACY"], "multi_medication_dispense_allowed": true}"#,
    r#"{"skip_contract_provision_verify": true, "skip_medication_dispense_sign": true}"#,
    r#"{"medical_program_change_on_dispense_allowed": true, "license_types_allowed": []}"#,
    r#"{"status": "SUSPENDED"}"#,
    r#"{"start": "soon", "end": "2026-03-09"}"#,
    r#"{"end": "2026-03-10T22:00:00+02:00"}"#,
    r#"[{"is_primary": true}]"#,
    r#"[{"type": "care_plan"}, [], 7, {"identifier": {"type": {"coding": "activity"}}}]"#,
    r#"[{"id": 7, "type": []}, null, {"id": "licence", "type": "PHARMACY"}]"#,
    r#""licence""#,
    r#""00000000-0000-0000-0000-000000050001""#,
    r#""00000000-0000-0000-0000-000000050002""#,
    r#""00000000-0000-0000-0000-0000000bad00""#,
    r#""00000000-0000-0000-0000-000000020001""#,
];

/// Members that records may have and the sample's do not.
const MORE: &[&str] = &[
    "is_active",
    "is_blocked",
    "blocked_to",
    "blocked_by_legal_entity_id",
    "based_on",
    "intent",
    "started_at",
    "ended_at",
    "verification_code",
    "package_qty",
    "package_min_qty",
    "ingredients",
    "start_date",
    "end_date",
    "package_qty_divisible",
    "funding_source",
    "license_id",
    "licenses",
    "license_type",
    "licensed_healthcare_service",
    "medical_program_settings",
    "dls_verified",
    "medical_programs",
    "is_suspended",
    "quantity",
    "period",
    "second_name",
    "created_at",
    "contract_number",
    "program",
    "addresses",
    "reimbursement",
    "status",
    "no_tax_id",
];

pub(crate) fn hole() -> impl Strategy<Value = Hole> {
    let member = (any::<Index>(), any::<usize>(), select(VALUES));
    prop_oneof![
        4 => member.prop_map(|(record, member, value)| Hole::Member { record, member, value }),
        1 => any::<Index>().prop_map(Hole::Whole),
    ]
}

/// A member of a record, and what it becomes.
pub(crate) struct Odd<'a> {
    pub(crate) member: usize,
    pub(crate) value: &'a str,
}

/// Makes the record what a registry line with that member would make it; a line that cannot be read
/// changes nothing, so the next member is tried.
fn spoil<T: Serialize + DeserializeOwned>(record: &mut Arc<T>, odd: &Odd<'_>) {
    let Ok(Value::Object(known)) = serde_json::from_str(&serde_json::to_string(&**record).unwrap())
    else {
        return;
    };
    let mut names: Vec<&str> = known.keys().map(String::as_str).collect();
    names.extend(MORE);
    let start = odd.member % names.len();
    names.rotate_left(start);
    let spoilt = names.into_iter().find_map(|name| line(&known, name, odd.value));
    if let Some(spoilt) = spoilt {
        *record = Arc::new(spoilt);
    }
}

fn line<T: DeserializeOwned>(known: &Map<String, Value>, name: &str, value: &str) -> Option<T> {
    let mut members: Vec<String> = known
        .iter()
        .filter(|(known, _)| *known != name)
        .map(|(name, value)| format!("{}:{value}", json!(name)))
        .collect();
    if value != "gone" {
        members.push(format!("{}:{value}", json!(name)));
    }
    serde_json::from_str(&format!("{{{}}}", members.join(","))).ok()
}

fn option<T: Serialize + DeserializeOwned>(record: &mut Option<Arc<T>>, odd: &Odd<'_>) {
    if let Some(record) = record {
        spoil(record, odd);
    }
}

fn list<'a, T: Serialize + DeserializeOwned + 'a>(
    records: impl IntoIterator<Item = &'a mut Arc<T>>,
    odd: &Odd<'_>,
) {
    let mut records: Vec<_> = records.into_iter().collect();
    if !records.is_empty() {
        let which = odd.member % records.len();
        spoil(records[which], odd);
    }
}

fn found(scene: &mut Scene, change: impl FnOnce(&mut RequestEvidence)) {
    scene.sight.evidence.request.iter_mut().next().map(change);
}

fn care(scene: &mut Scene, change: impl FnOnce(&mut Care)) {
    found(scene, |it| {
        it.care.iter_mut().next().map(change);
    });
}

fn approved(scene: &mut Scene, change: impl FnOnce(&mut Approved)) {
    found(scene, |it| {
        Arc::make_mut(&mut it.approved).iter_mut().next().map(change);
    });
}

pub(crate) type Spoil = fn(&mut Scene, &Odd<'_>);

/// Every record that a decision may look at.
pub(crate) const RECORDS: &[Spoil] = &[
    |it, odd| option(&mut it.sight.evidence.legal_entity, odd),
    |it, odd| option(&mut it.sight.evidence.party, odd),
    |it, odd| list(&mut it.sight.evidence.employees, odd),
    |it, odd| option(&mut it.sight.evidence.division, odd),
    |it, odd| list(Arc::make_mut(&mut it.sight.evidence.healthcare_services), odd),
    |it, odd| option(&mut it.sight.evidence.program, odd),
    |it, odd| list(Arc::make_mut(&mut it.sight.evidence.contracts), odd),
    |it, odd| {
        let provisions = Arc::make_mut(&mut it.sight.evidence.provisions);
        list(provisions.iter_mut().map(|it| &mut it.record), odd);
    },
    |it, odd| {
        let provisions = Arc::make_mut(&mut it.sight.evidence.provisions);
        list(provisions.iter_mut().flat_map(|it| Arc::make_mut(&mut it.contracts)), odd);
    },
    |it, odd| list(it.sight.evidence.medications.iter_mut().flatten(), odd),
    |it, odd| list(it.sight.evidence.participants.iter_mut().flatten(), odd),
    |it, odd| found(it, |it| spoil(&mut it.request, odd)),
    |it, odd| found(it, |it| option(&mut it.person, odd)),
    |it, odd| found(it, |it| option(&mut it.employee, odd)),
    |it, odd| found(it, |it| option(&mut it.doctor, odd)),
    |it, odd| found(it, |it| option(&mut it.legal_entity, odd)),
    |it, odd| found(it, |it| option(&mut it.division, odd)),
    |it, odd| found(it, |it| option(&mut it.medication, odd)),
    |it, odd| found(it, |it| option(&mut it.program, odd)),
    |it, odd| found(it, |it| list(it.others.iter_mut().map(|it| &mut it.request), odd)),
    |it, odd| approved(it, |it| spoil(&mut it.participant, odd)),
    |it, odd| approved(it, |it| spoil(&mut it.brand, odd)),
    |it, odd| care(it, |it| option(&mut it.plan, odd)),
    |it, odd| care(it, |it| option(&mut it.activity, odd)),
];

/// What else may be missing, twice, crossed, or beyond all measure.
const WHOLES: &[fn(&mut Scene)] = &[
    |it| it.sight.evidence = Evidence::none(it.sight.evidence.terms.clone()),
    |it| it.sight.evidence.legal_entity = None,
    |it| it.sight.evidence.party = None,
    |it| it.sight.evidence.employees.clear(),
    |it| it.sight.evidence.division = None,
    |it| it.sight.evidence.healthcare_services = Arc::default(),
    |it| it.sight.evidence.program = None,
    |it| it.hold.medical_program_id = None,
    |it| {
        if it.sight.evidence.request.is_some() {
            it.without_program();
        }
    },
    |it| it.sight.evidence.contracts = Arc::default(),
    |it| it.sight.evidence.provisions = Arc::default(),
    |it| it.sight.evidence.medications.clear(),
    |it| it.sight.evidence.medications.push(None),
    |it| it.sight.evidence.medications.reverse(),
    |it| it.sight.evidence.participants.clear(),
    |it| it.sight.evidence.participants.iter_mut().for_each(Vec::clear),
    |it| it.sight.evidence.participants.iter_mut().for_each(|it| it.extend(it.clone())),
    |it| it.sight.evidence.request = None,
    |it| found(it, |it| it.person = None),
    |it| found(it, |it| it.doctor = None),
    |it| found(it, |it| it.medication = None),
    |it| found(it, |it| it.program = None),
    |it| found(it, |it| it.approved = Arc::default()),
    |it| found(it, |it| it.care = None),
    |it| found(it, |it| it.others.clear()),
    |it| care(it, |it| it.plan = None),
    |it| care(it, |it| it.processed = Decimal::MAX),
    |it| care(it, |it| it.processed = Decimal::MIN),
    |it| it.sight.evidence.wrong_codes = vec![it.sight.at; 9],
    |it| it.hold.items.push(item("9999999.9999")),
    |it| it.hold.items[0].discount_amount = None,
    |it| it.hold.items[0].discount_amount = Some(hryvnias("999999999.9999")),
    |it| it.hold.items[0].program_medication_id = Some(id(PARTICIPANT + 9)),
    |it| it.hold.items[0].expiry_date = Some(NaiveDate::MIN),
    |it| it.hold.dispensed_on = NaiveDate::MAX,
    |it| it.hold.dispensed_on = NaiveDate::MIN,
    |it| it.hold.dispense_day = DispenseDay::AsStated,
    |it| it.hold.code_turn = CodeTurn::InPlace,
    |it| it.hold.prices = Prices::UnlessFundedElsewhere,
    |it| it.hold.verification_code = Some(text("0000")),
    |it| it.terms().program_provision_verify = Switch::Off,
    |it| it.terms().deviation = Decimal::ZERO.try_into().unwrap(),
    |it| it.terms().tolerance = hryvnias("999999999.9999"),
    |it| it.terms().zone = chrono_tz::Tz::Pacific__Apia,
    |it| it.sight.at = moment("1970-01-01T00:00:00Z"),
    |it| it.sight.at = moment("9999-12-31T23:59:59.999999Z"),
];

/// Everything is in order, every rule is asked for, and every record is there.
pub(crate) fn everything_known() -> Scene {
    let mut scene = all_in_order();
    scene.terms().legal_entity_nhs_verify = Switch::On;
    scene.terms().division_dls_verify = Switch::On;
    scene.terms().program_provision_verify = Switch::On;
    scene.settings().license_types_allowed = Some(vec![text("PHARMACY")]);
    let mut other = sixty_tablets();
    Arc::make_mut(&mut other).id = id(0x1_0002);
    let found = scene.points_at();
    found.others = vec![OtherRequest { request: other, innm_id: None }];
    found.care = Some(Care {
        plan: Some(record(&json!({
            "id": uuid(0xB0), "person_id": uuid(0x7_0001), "status": "active"
        }))),
        activity: Some(record(&json!({
            "id": uuid(0xB1), "care_plan_id": uuid(0xB0), "status": "scheduled", "quantity": 60
        }))),
        processed: Decimal::ZERO,
    });
    scene
}

/// What is known with those holes in it.
pub(crate) fn with(holes: &[Hole]) -> Scene {
    let mut scene = everything_known();
    for hole in holes {
        match hole {
            Hole::Member { record, member, value } => {
                record.get(RECORDS)(&mut scene, &Odd { member: *member, value });
            }
            Hole::Whole(which) => which.get(WHOLES)(&mut scene),
        }
    }
    scene
}
