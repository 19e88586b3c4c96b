//! What a walk through the service, a test or a benchmark wants to know of the registry.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::Demo;
use crate::companies::Company;
use crate::divisions::Division;
use crate::employees::Employee;
use crate::money::Money;
use crate::programs::{Program, Terms};
use crate::requests::{Request, State};

/// The first medication requests are those of the [`Tour`], and [`Demo::holdable`] leaves them out.
pub(crate) const REQUESTS: u32 = 2;

/// The handful of ids that the README walks along. They depend on the seed alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tour {
    /// A pharmacy.
    pub pharmacy: Pharmacy,
    /// A pharmacy of another company.
    pub other_pharmacy: Pharmacy,
    /// Sixty tablets under [`Program::Affordable`]: held first, signed for later, in parts if need
    /// be; packages can be divided into tens.
    pub hold: Dispensable,
    /// Sixty tablets under [`Program::AtOnce`]: recorded at once, in parts if need be; packages
    /// can be divided into tens.
    pub at_once: Dispensable,
    /// A batch to name when dispensing.
    pub batch_number: String,
    /// The last day of that batch, well in the future.
    pub expiry_date: NaiveDate,
}

/// A pharmacist at an outlet from which every dispensable medication request can be dispensed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pharmacy {
    /// The pharmacist's account.
    pub user_id: Uuid,
    /// The pharmacist.
    pub party_id: Uuid,
    /// The pharmacist's surname, first name and patronymic.
    pub party_name: String,
    /// The company, which is the client of its tokens.
    pub legal_entity_id: Uuid,
    /// `PHARMACY` or `MSP_PHARMACY`: the client type of its tokens.
    pub client_type: &'static str,
    /// The outlet.
    pub division_id: Uuid,
}

/// A medication request that no rule keeps from being dispensed today, and a brand to dispense.
///
/// It is active, an order, not blocked, without verification code and care plan, and its window is
/// open from yesterday or before until sixteen days from now or later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispensable {
    /// The medication request.
    pub medication_request_id: Uuid,
    /// Its number for people.
    pub request_number: String,
    /// The patient.
    pub person_id: Uuid,
    /// Under which program it was prescribed.
    pub program: Program,
    /// The id of that program.
    pub medical_program_id: Uuid,
    /// The dosage that was prescribed.
    pub dosage_id: Uuid,
    /// A brand of that dosage which the program pays for.
    pub brand_id: Uuid,
    /// As what the brand takes part in the program.
    pub program_medication_id: Uuid,
    /// How much was prescribed, in units; a multiple of `package_min_qty`.
    pub quantity: u32,
    /// Units in a whole package of the brand.
    pub package_qty: u32,
    /// Units in the smallest part that may be dispensed.
    pub package_min_qty: u32,
    /// What the program pays for a whole package.
    pub reimbursement_amount: Money,
    /// What the pharmacy asks for one unit.
    pub sell_price: Money,
}

/// What a pharmacy asks for a quantity of a brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// For one unit.
    pub sell_price: Money,
    /// For the quantity.
    pub sell_amount: Money,
    /// What the program pays of it: its share of the package, rounded down to the kopeck.
    pub discount_amount: Money,
    /// What is left for the patient to pay.
    pub payment_amount: Money,
}

impl Dispensable {
    /// The price of some of it, within the bounds of the discount.
    #[must_use]
    pub fn offer(&self, quantity: u32) -> Offer {
        let sell_amount = self.sell_price.times(quantity);
        let share = self.reimbursement_amount.times(quantity).kopecks();
        let discount_amount = Money::from_kopecks(share / u64::from(self.package_qty.max(1)));
        Offer {
            sell_price: self.sell_price,
            sell_amount,
            discount_amount,
            payment_amount: sell_amount.less(discount_amount),
        }
    }
}

/// The programs of the tour's medication requests.
const PROGRAMS: [Program; REQUESTS as usize] = [Program::Affordable, Program::AtOnce];

/// A medication request of the tour, if the `n`-th is one.
pub(crate) fn reserved(n: u32) -> Option<Request> {
    PROGRAMS.get(n as usize).map(|&program| request(n, program))
}

/// The medication requests of the tour, which no setting of the demo changes.
fn request(n: u32, program: Program) -> Request {
    Request {
        n,
        state: State::Fresh,
        program: Some(program),
        // Amlodipine, 5 mg and 10 mg.
        dosage: n,
        quantity: 60,
        person: n,
        doctor: n,
        days_old: 1,
    }
}

impl Demo {
    /// The well-known ids, prices and names of this registry.
    #[must_use]
    pub fn tour(&self) -> Tour {
        let [hold, at_once] = [0, 1].map(|n| {
            let program = PROGRAMS[n as usize];
            self.describe(request(n, program), program)
        });
        Tour {
            pharmacy: self.pharmacy(Division::outlet(0, 0)),
            other_pharmacy: self.pharmacy(Division::outlet(1, 1)),
            hold,
            at_once,
            batch_number: format!("UA{:05}", self.seed.offset("batch", 100_000)),
            expiry_date: self.ahead(540),
        }
    }

    /// The pharmacists who can dispense any medication request of [`Demo::holdable`]: one at each
    /// outlet of the companies that have every contract, if nothing is wrong with the outlet.
    pub fn pharmacies(&self) -> impl Iterator<Item = Pharmacy> {
        Division::outlets()
            .filter(|outlet| outlet.is_sound() && can_dispense_all(outlet.company))
            .map(|outlet| self.pharmacy(outlet))
    }

    fn pharmacy(&self, outlet: Division) -> Pharmacy {
        let pharmacist = Employee::pharmacist(outlet, 0);
        Pharmacy {
            user_id: pharmacist.user_id(self),
            party_id: pharmacist.party_id(self),
            party_name: pharmacist.identity(self).full_name(),
            legal_entity_id: outlet.company.id(self),
            client_type: outlet.company.kind(),
            division_id: outlet.id(self),
        }
    }

    /// Up to `n` medication requests that any of the [`Demo::pharmacies`] can dispense, each for
    /// itself and all of them together, in the order of the lines.
    ///
    /// There are fewer if the registry has fewer; about two in three can be dispensed, or all if it
    /// is made [`Demo::with_fresh_requests_only`]. Under [`Program::Suspended`] there are none.
    pub fn holdable(&self, n: usize) -> impl Iterator<Item = Dispensable> {
        (REQUESTS..self.requests).filter_map(|n| self.dispensable(self.request(n))).take(n)
    }

    fn dispensable(&self, request: Request) -> Option<Dispensable> {
        let program = request.program.filter(|&program| program != Program::Suspended)?;
        (request.state == State::Fresh).then(|| self.describe(request, program))
    }

    pub(crate) fn describe(&self, request: Request, program: Program) -> Dispensable {
        let brand_number = self.catalogue.dosages[request.dosage as usize].first_brand;
        let brand = self.catalogue.first_brand(request.dosage);
        Dispensable {
            medication_request_id: self.request_id(request.n),
            request_number: self.request_number(request.n),
            person_id: self.person_id(request.person),
            program,
            medical_program_id: self.program_id(program),
            dosage_id: self.seed.id("dosage", request.dosage),
            brand_id: self.seed.id("brand", brand_number),
            program_medication_id: self.participant_id(program, brand_number),
            quantity: request.quantity,
            package_qty: brand.package_qty,
            package_min_qty: brand.package_min_qty,
            reimbursement_amount: Terms::of(program, brand).reimbursement,
            sell_price: brand.price.shared_among(brand.package_qty),
        }
    }
}

fn can_dispense_all(company: Company) -> bool {
    company.is_sound()
        && [Program::Affordable, Program::Insulins, Program::Local]
            .into_iter()
            .all(|program| company.has_contract(program) && company.numbers_its_provisions(program))
}
