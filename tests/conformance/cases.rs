//! The cases, in the order of the register's suites.

/// A case that is known.
pub(super) struct Known {
    /// As it stands in the name of its test, in capitals and with a dash.
    pub(super) id: &'static str,
    /// What is expected, in our own words.
    pub(super) expectation: &'static str,
    pub(super) result: Result,
}

/// What this service makes of a case.
pub(super) enum Result {
    /// What is expected.
    Passes,
    /// Something else, on purpose: what, and why.
    Otherwise(&'static str),
    /// Nothing: why.
    DoesNotApply(&'static str),
}

const fn passes(id: &'static str, expectation: &'static str) -> Known {
    Known { id, expectation, result: Result::Passes }
}

const fn otherwise(id: &'static str, expectation: &'static str, how: &'static str) -> Known {
    Known { id, expectation, result: Result::Otherwise(how) }
}

const fn elsewhere(id: &'static str, expectation: &'static str, why: &'static str) -> Known {
    Known { id, expectation, result: Result::DoesNotApply(why) }
}

/// All of them, chapter by chapter.
pub(super) const CHAPTERS: &[(&str, &[Known])] = &[
    ("Create, refused", REFUSED),
    ("Create, accepted", ACCEPTED),
    ("Get and list", READ),
    ("Process", PROCESS),
    ("Reject", REJECT),
    ("Qualify, and other cases of medication requests", REQUESTS),
    ("Store and jobs", STORE),
    ("Reimbursement report", REPORT),
    ("What once was otherwise", ONCE),
    ("What follows from the rules", FURTHER),
];

#[rustfmt::skip]
const REFUSED: &[Known] = &[
    passes("C-01", "The legal entity of the token does not exist: 422 at `$.legal_entity_id`."),
    passes("C-02", "The medication request does not exist: 422 at `$.medication_request_id`."),
    passes("C-04", "Dispensing begins tomorrow: 409, invalid dispense period."),
    passes("C-05", "The user has no party and the request does not exist: 400 of the party, which comes first."),
    passes("C-07", "Neither division nor program exist: 422 at `$.division_id`, which comes first."),
    passes("C-08", "The division's record does not count: 409."),
    passes("C-10", "The program does not exist: 422 at `$.medical_program_id`."),
    passes("C-11", "The program is not active: 409."),
    passes("C-13", "The dispense names another program than the request: 422 at `$.medical_program_id`."),
    passes("C-14", "The medication does not exist: 422 at the medication of its line."),
    passes("C-16", "The brand is not active: 422 at the medication of its line."),
    passes("C-17", "The brand takes no part in the program: 422 at the medication of its line."),
    passes("C-19", "The discount is more than the program pays for that quantity: 422 at the discount of its line."),
    passes("C-20", "The medication request is a plan: 409."),
];

#[rustfmt::skip]
const ACCEPTED: &[Known] = &[
    passes("C-22", "With the right code, and a discount exactly a tenth below what the program pays: 201, status NEW."),
    passes("C-23", "All is in order: 201, and the answer shows request, division, legal entity, party, program and lines."),
    passes("C-25", "Without program and contract, with any discount: 201, no program is shown, the reimbursement is 0."),
];

#[rustfmt::skip]
const READ: &[Known] = &[
    passes("G-01", "An own dispense by id: 200, with every member that the register shows."),
    passes("G-03", "Two own dispenses are listed, with paging."),
    passes("G-04", "A dispense without program is listed, and no program is shown."),
];

#[rustfmt::skip]
const PROCESS: &[Known] = &[
    passes("P-01", "What is shown is signed with receipt and amount: 200, PROCESSED, with both."),
    passes("P-03", "The dispense does not exist: 404."),
    passes("P-04", "It is another legal entity's: 404, before the signature is looked at."),
    passes("P-06", "The body has none of its members: both are told, before the dispense is looked for."),
    passes("P-07", "The document names no payment: one violation, at `$.payment_amount`."),
    passes("P-09", "The amount is below 0: 422 with bound and raw description."),
    passes("P-10", "The certificate has another tax id: 422."),
    passes("P-12", "The certificate has another surname: 422."),
    passes("P-13", "The certificate is another company's: 200, it is ignored."),
    passes("P-15", "The dispense is another legal entity's: 404."),
    otherwise("P-16", "The payer processes at an outlet of its own: 200.",
        "the outlet must belong to the legal entity of the dispense, whoever asks; and the payer needs the scope"),
];

#[rustfmt::skip]
const REJECT: &[Known] = &[
    passes("R-01", "An own hold, with a receipt: 200, REJECTED, the receipt is kept."),
    passes("R-02", "An own hold without program: 200, REJECTED."),
    passes("R-04", "Another legal entity's hold: 404."),
    passes("R-05", "A hold that has expired: 409 that names both statuses."),
];

#[rustfmt::skip]
const REQUESTS: &[Known] = &[
    passes("Q-01", "A clinic asks of its own request for a program: each item has its members; the program is valid if a brand takes part."),
    passes("Q-03", "The payer asks of any request for a program in which a brand takes part: VALID."),
    passes("Q-05", "There is no body: 422 at `$.programs`."),
    passes("Q-06", "The request is not visible and there is no body: 404, visibility comes first."),
    passes("Q-08", "The request is a plan and the program unknown: 409 of the plan, which comes first."),
    passes("Q-09", "A brand has two valid rows in a program: two participants."),
    passes("Q-11", "A request by id, order or plan: 200; an order has its days of dispensing."),
    passes("Q-12", "The program of a request cannot be found when it is shown: 500 that says so."),
    otherwise("Q-14", "A doctor rejects a request with a hold, or of which something was handed over: 409.",
        "doctors reject elsewhere; here the registry's line with the rejection is refused as faulty, `medication-request-in-use`"),
    otherwise("Q-15", "A doctor rejects a completed request: 409.",
        "as Q-14"),
    elsewhere("Q-17", "The code of an unknown request is sent again: 404.",
        "the registry that owns the requests sends messages to patients"),
    otherwise("Q-18", "A reference in a list cannot be found: 500.",
        "the dispenses of a list are shown as they were recorded, so none of them can break it"),
];

#[rustfmt::skip]
const STORE: &[Known] = &[
    passes("S-01", "Searched by id: that one."),
    passes("S-02", "Searched by medication request: those of it."),
    passes("S-04", "Searched by division: those of it."),
    passes("S-05", "Searched by statuses: those that stand at one of them."),
    passes("S-07", "Searched by everything at once: all criteria hold."),
    passes("S-08", "21 rows, 10 on a page: the third page has one, and the totals are right."),
    passes("S-10", "Created without program: there is none."),
    passes("S-11", "Created without optional members: they are null."),
    passes("S-12", "An empty body: every required member is told."),
    passes("S-14", "Who made it changes it: nobody says that nothing has changed."),
    otherwise("S-15", "The whole is processed: dispense PROCESSED, request COMPLETED, two events.",
        "one event says both, with nothing that remains"),
    otherwise("S-17", "A second dispense of the request is processed: 422, already taken.",
        "parts may be processed as long as something is left; what would be too much is refused when it is held"),
    passes("S-18", "The history of a rejected dispense: NEW, then REJECTED."),
    elsewhere("S-20", "Requests whose time is over are expired by a job, in batches.",
        "requests belong to their registry, which sends their status; whatever it says, their days of dispensing are judged at each hold (C-04)"),
    passes("S-21", "Of overlapping requests with the same dosage, those count of which something was handed over."),
    elsewhere("S-23", "The store's internal list of such requests, with bad parameters: 422.",
        "there is no such internal call; the rule reads registry and log itself"),
    elsewhere("S-24", "The same list before a request is made: four outcomes.",
        "requests are made elsewhere"),
    passes("S-26", "Created and updated: the lines are kept."),
];

#[rustfmt::skip]
const REPORT: &[Known] = &[
    passes("T-01", "An unknown legal entity: 422 at `$.legal_entity_id`."),
    passes("T-03", "A legal entity that is not active: 403."),
    passes("T-04", "No job in the legal entity, one that is not active, or one in another: 403."),
    passes("T-06", "Half, malformed or reversed days of dispensing: 422 at `$.period.dispense`."),
    passes("T-07", "Half, malformed or reversed days of prescribing: 422 at `$.period.request`."),
];

#[rustfmt::skip]
const ONCE: &[Known] = &[
    passes("H-01", "A company that is not verified is not refused any more, unless the installation asks for the payer's word."),
    passes("H-02", "Another company in the certificate is not refused any more."),
    passes("H-03", "A payment without receipt is not refused any more."),
];

#[rustfmt::skip]
const FURTHER: &[Known] = &[
    passes("X-01", "The request has no code, `0000` is sent: 201."),
    passes("X-03", "The request has a code, none or another is sent: 401."),
    passes("X-04", "Another pharmacy holds: 403."),
    passes("X-06", "The earlier hold has run out, and nobody has written it down: 201."),
    passes("X-07", "A hold that ran out and is not written down is processed: 409 from EXPIRED."),
    passes("X-09", "A quantity that is no multiple of the smallest part: 422 at the quantity of its line."),
    passes("X-11", "Two lines with unknown medications: both are told."),
    passes("X-12", "The contract is suspended: 409."),
    passes("X-14", "The request has a program, the dispense none: 422."),
    passes("X-15", "The request has no program, the dispense one: 201."),
    passes("X-17", "The program pays 0: a discount of 0 is accepted, of 1 refused."),
    passes("X-19", "A discount that is right to the cent, and wrong in floats: 201."),
    passes("X-20", "The last of several parts is processed: the request is COMPLETED."),
    passes("X-22", "A part is processed: the request stays ACTIVE."),
    passes("X-24", "A program without signature: 201, PROCESSED, nothing stored, request COMPLETED."),
    passes("X-26", "Under a signature the payment is stated at once: 422 at both members."),
    passes("X-28", "The program goes without contract: 201."),
    passes("X-29", "Provisions are asked for and there is none: create 409, qualify 200 and INVALID."),
    passes("X-31", "Two at the same moment: one 201, one 403."),
    passes("X-33", "A search for another company: an empty first page."),
    passes("X-34", "The scope is missing: 403 that names it."),
    passes("X-36", "The medicine expired before the day of dispensing: 422 at the expiry date of its line."),
    passes("X-37", "The store of signed content fails: 502, and the hold lives on."),
    passes("X-39", "A tax id with blanks, or letters that look alike: 200."),
    passes("X-40", "What was rejected is processed or rejected: 409 from REJECTED."),
    passes("X-42", "Another request for the same substance in the same days was handed over: qualify says INVALID."),
    passes("X-44", "The same: create 409."),
    passes("X-45", "A list by what is no id: 404."),
    passes("X-47", "Numbers, lists, ids and members that the schema does not allow: 422 with the wrapper in the path."),
    passes("X-48", "The request is blocked: create and process 422."),
];
