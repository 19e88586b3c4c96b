//! The register's words, literally: pharmacy systems match on them.

use std::collections::BTreeMap;

use dispense_domain::decide::{create_hold, process, register_word};
use dispense_domain::registry::RequestStatus;
use dispense_domain::{Code, Kind, Refusal, Status, qualify};

use crate::precedence::{TURNS, every_stage};

#[rustfmt::skip]
const TEXTS: [(Code, &str, &str, Kind, &str); 66] = {
    use Code as C;
    use Kind::{Conflict, Forbidden, Invalid, TooOften, Unacceptable, Unknown, Unproven};
    [
        (C::DispenseDay, "schema", "2", Invalid, "The day of dispensing is not possible"),
        (C::LegalEntityNotFound, "legal-entity-not-found", "3a", Invalid, "Legal entity not found"),
        (C::LegalEntityClosed, "legal-entity-closed", "3b", Invalid, "Legal entity is not active"),
        (C::LegalEntityNotActive, "legal-entity-not-active", "4a", Conflict,
            "Legal entity is not active"),
        (C::LegalEntityNotVerified, "legal-entity-not-verified", "4b", Conflict,
            "Legal entity is not verified"),
        (C::LegalEntityType, "legal-entity-type", "4c", Conflict, "Invalid legal entity type"),
        (C::PartyNotFound, "party-not-found", "5", Unacceptable, "Party not found"),
        (C::MedicationRequestNotFound, "medication-request-not-found", "6a", Invalid,
            "Medication request not found"),
        (C::MedicationRequestNotActive, "medication-request-not-active", "6b", Conflict,
            "Medication request is not active"),
        (C::OutsideDispensePeriod, "outside-dispense-period", "6c", Conflict,
            "Invalid dispense period"),
        (C::MedicationRequestInvalid, "medication-request-invalid", "6d", Invalid,
            "Medication request is not valid"),
        (C::MedicationRequestBlocked, "medication-request-blocked", "7", Invalid,
            "Medication request is blocked"),
        (C::MedicationRequestIsPlan, "medication-request-is-plan", "8", Conflict,
            "Medication request with intent PLAN cannot be dispensed"),
        (C::EmployeeNotAuthorised, "employee-not-authorised", "9", Forbidden,
            "Employee id doesn't match"),
        (C::DivisionNotFound, "division-not-found", "10a", Invalid, "Division not found"),
        (C::DivisionNotActive, "division-not-active", "10b", Conflict, "Division is not active"),
        (C::DivisionForeign, "division-foreign", "10c", Conflict,
            "Division does not belong to user's legal entity"),
        (C::DivisionNotDlsVerified, "division-not-dls-verified", "10d", Conflict,
            "Invalid division dls status"),
        (C::LicenceMissing, "licence-missing", "11a", Conflict,
            "Division must have active licenses to dispense medication request"),
        (C::ProductionLicenceMissing, "production-licence-missing", "11b", Conflict,
            "Division does not have active license to produce medication"),
        (C::ProgramNotFound, "program-not-found", "12c", Invalid, "Medical program not found"),
        (C::ProgramNotActive, "program-not-active", "12d", Conflict,
            "Medical program is not active"),
        (C::ProgramMismatch, "program-mismatch", "12e", Invalid,
            "Medical program in dispense doesn't match the one in medication request"),
        (C::NoContract, "no-contract", "13a", Conflict,
            "Program cannot be used - no active contract exists"),
        (C::ContractSuspended, "contract-suspended", "13b", Conflict, "Contract is suspended"),
        (C::DivisionNotInContract, "division-not-in-contract", "13c", Conflict,
            "Division should be participant of a contract to create dispense"),
        (C::ProgramMisconfigured, "program-misconfigured", "14", Conflict,
            "Program was configured incorrectly. Either incorrect source of funding or option skip_contract_provision_verify"),
        (C::ProvisionMissing, "provision-missing", "14", Conflict,
            "Division does not provide the medical program"),
        (C::ProvisionWithoutContract, "provision-without-contract", "14", Conflict,
            "Medical program provision is not related to any actual contract for the current date"),
        (C::ProvisionContractSuspended, "provision-contract-suspended", "14", Conflict,
            "Contract is suspended"),
        (C::PriceMissing, "schema", "5.3", Invalid, "required property was not present"),
        (C::MedicationNotFound, "medication-not-found", "15a", Invalid, "Medication not found"),
        (C::MedicationNotActive, "medication-not-active", "15b", Invalid,
            "medication is not active"),
        (C::MedicationMismatch, "medication-mismatch", "15c", Invalid,
            "Medication doesn't match the one in medication request"),
        (C::MedicationNotInProgram, "medication-not-in-program", "15d", Invalid,
            "medication is not a participant of program"),
        (C::ProgramMedicationInvalid, "program-medication-invalid", "15e", Invalid,
            "Invalid program medication id"),
        (C::ProgramMedicationExpired, "program-medication-expired", "15e", Invalid,
            "There are no active program medications for this program and medication"),
        (C::MedicineExpired, "medicine-expired", "15e+", Invalid, "Medication is expired"),
        (C::DiscountOutOfBounds, "discount-out-of-bounds", "15f", Invalid,
            "Requested discount price does not satisfy allowed reimbursement amount"),
        (C::WrongCode, "wrong-code", "16a", Unproven, "Incorrect code"),
        (C::TooManyWrongCodes, "too-many-wrong-codes", "16a", TooOften,
            "Too many wrong verification codes for this medication request"),
        (C::CarePlanStatus, "care-plan-status", "16b", Conflict, "Invalid care plan status"),
        (C::CarePlanExpired, "care-plan-expired", "16b", Conflict, "Care plan expired"),
        (C::ActivityStatus, "activity-status", "16b", Conflict, "Invalid activity status"),
        (C::ActivityQuantity, "activity-quantity", "Q8", Conflict,
            "The total amount of the dispensed medication quantity exceeds quantity in care plan activity"),
        (C::NotQualified, "not-qualified", "16c", Conflict,
            "Medication request can not be dispensed. Invoke qualify medication request API to get detailed info"),
        (C::AlreadyHeld, "already-held", "17", Forbidden,
            "Active medication dispense already exists"),
        (C::NothingLeft, "nothing-left", "18", Forbidden,
            "No more medication dispense could be done with this medication request"),
        (C::QuantityExceedsAvailable, "quantity-exceeds-available", "19", Invalid,
            "Dispensed medication quantity must be lower or equal to medication quantity in Medication Request"),
        (C::QuantityNotEqual, "quantity-not-equal", "19", Invalid,
            "Dispensed medication quantity must be equal to medication quantity in Medication Request"),
        (C::QuantityNotDivisible, "quantity-not-divisible", "20", Invalid,
            "Requested medication brand quantity must be a multiplier of package minimal quantity"),
        (C::PaymentNotAllowed, "payment-not-allowed", "21", Invalid,
            "schema does not allow additional properties"),
        (C::PaymentRequired, "payment-required", "21", Invalid,
            "required property payment_amount was not present"),
        (C::TooManyDispenses, "too-many-dispenses", "limit", Conflict,
            "Too many dispenses of this medication request"),
        (C::DispenseNotFound, "not-found", "D-10", Unknown, "There is no such dispense"),
        (C::SignatureCount, "signature-count", "P4a", Unacceptable,
            "document must contain 1 signature and 0 stamps"),
        (C::SignatureInvalid, "signature-invalid", "P4b", Unacceptable,
            "The signature is not valid"),
        (C::SignerUnknown, "signer-unknown", "P5a", Forbidden,
            "User is not allowed to this action by client_id"),
        (C::SignerTaxIdMissing, "signer-tax-id-missing", "P5b", Invalid, "Invalid drfo"),
        (C::SignerTaxId, "signer-tax-id", "P5c", Invalid, "Does not match the signer drfo"),
        (C::SignerSurnameMissing, "signer-surname-missing", "P5d", Invalid, "Invalid surname"),
        (C::SignerSurname, "signer-surname", "P5d", Invalid, "Does not match the signer last name"),
        (C::WrongStatus, "wrong-status", "4.1", Conflict,
            "Can't update medication dispense status"),
        (C::ContentSchema, "schema", "P9", Invalid,
            "The signed document does not match its schema"),
        (C::ContentMismatch, "content-mismatch", "P10", Invalid,
            "Signed content does not match the previously created content"),
        (C::IdempotencyKeyReused, "idempotency-key-reused", "key", Invalid,
            "The idempotency key was used for another request"),
    ]
};

#[test]
fn every_code_has_its_words_its_rule_and_its_kind() {
    assert_eq!(TEXTS.map(|(code, ..)| code), Code::ALL);
    for (code, word, rule, kind, text) in TEXTS {
        let it = code.definition();
        assert_eq!((it.code, it.rule, it.kind, it.title), (word, rule, kind, text));
        assert_eq!(Refusal::of(code).message, text);
        assert!(!it.remedy.is_empty());
    }
}

#[test]
fn codes_stand_in_the_order_of_their_rules_and_every_judged_rule_has_one() {
    let places: BTreeMap<_, _> =
        create_hold::order().enumerate().map(|(place, number)| (number, place)).collect();
    let rules: Vec<_> = Code::ALL.iter().map(|code| code.definition().rule).collect();
    let of_holds: Vec<_> = rules.iter().filter_map(|rule| places.get(rule)).collect();
    assert!(of_holds.is_sorted());
    let judged = create_hold::order().chain(process::order()).chain(qualify::order());
    let codeless: Vec<_> = judged.filter(|number| !rules.contains(number)).collect();
    // Each of these says what another rule says, with the code of that one.
    assert_eq!(codeless, ["12b", "Q3", "Q4", "Q6", "Q7", "Q9a", "Q9b", "Q9c", "Q9d"]);
}

#[test]
fn the_order_of_the_rules_is_the_registers() {
    let order: Vec<_> = create_hold::order().collect();
    let wanted = "2 3a 3b 4a 4b 4c 5 6a 6b 6c 6d 7 8 9 10a 10b 10c 10d 11a 11b 12b 12c 12d 12e \
                  13a 13b 13c 14 5.3 15a 15b 15c 15d 15e 15e+ 15f 16a 16b 16c 17 18 19 20 21 limit";
    assert_eq!(order, wanted.split_whitespace().collect::<Vec<_>>());
    let order: Vec<_> = process::order().collect();
    let wanted = "P4a P4b P5a P5b P5c P5d 10a 10b 10c 10d 7 4.1 P9 P10";
    assert_eq!(order, wanted.split_whitespace().collect::<Vec<_>>());
    let order: Vec<_> = qualify::order().collect();
    assert_eq!(order, ["Q3", "Q4", "Q6", "Q7", "Q8", "Q9a", "Q9b", "Q9c", "Q9d"]);
}

#[test]
fn statuses_have_the_registers_words() {
    let words = [
        (Status::Held, "NEW"),
        (Status::Processed, "PROCESSED"),
        (Status::Cancelled, "REJECTED"),
        (Status::Expired, "EXPIRED"),
    ];
    for (status, word) in words {
        assert_eq!(register_word(status), word);
    }
    for (status, word) in [
        (RequestStatus::Active, "ACTIVE"),
        (RequestStatus::Completed, "COMPLETED"),
        (RequestStatus::Rejected, "REJECTED"),
        (RequestStatus::Expired, "EXPIRED"),
    ] {
        assert_eq!(status.as_str(), word);
        assert_eq!(serde_json::to_value(status).unwrap(), word);
    }
}

/// The catalogue promises params; refusals keep the promise.
#[test]
fn refusals_carry_only_params_that_the_catalogue_names() {
    for scene in TURNS.into_iter().flat_map(every_stage) {
        for no in scene.refused() {
            let promised = no.code.definition().params;
            assert!(no.params.keys().all(|name| promised.contains(&name.as_str())), "{no:?}");
        }
    }
}

/// The docs list every rule and every code with its text.
#[test]
fn the_page_for_pharmacists_lists_every_rule_and_every_code() {
    let page = include_str!("../../../../docs/domain.md");
    for number in create_hold::order().chain(process::order()).chain(qualify::order()) {
        assert!(page.contains(&format!("| {number} |")), "rule {number}");
    }
    for code in Code::ALL {
        let it = code.definition();
        assert!(page.contains(&format!("`{}`", it.code)), "{}", it.code);
        assert!(page.contains(it.title), "{}", it.title);
    }
}

/// Every test that the page names in short, `like_this_…`, is there.
#[test]
fn the_page_for_pharmacists_names_no_test_that_is_not_there() {
    let page = include_str!("../../../../docs/domain.md");
    let workspace = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut tests = String::new();
    let mut folders = vec![workspace.join("crates"), workspace.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                tests.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let named = page.split('`').filter_map(|word| word.strip_suffix('…'));
    let missing: Vec<_> = named.filter(|name| !tests.contains(&format!("fn {name}"))).collect();
    assert_eq!(missing, [""; 0]);
}
