//! Who works where: parties, their accounts, their jobs.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::Demo;
use crate::codes::{mobile, tax_id};
use crate::companies::{Company, SITES};
use crate::divisions::Division;
use crate::line::line;
use crate::names::Identity;

/// How many doctors there are.
pub(crate) const DOCTORS: u32 = 105;

/// One job, and the person who has it. Nobody here has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Employee {
    role: Role,
    /// Their number among those of their role.
    n: u32,
    pub(crate) company: Company,
    pub(crate) division: Option<Division>,
    is_dismissed: bool,
}

/// What an employee does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Pharmacist,
    PharmacyOwner,
    ClinicOwner,
    Doctor,
    PayersSigner,
    PayersClerk,
}

impl Role {
    const fn word(self) -> &'static str {
        match self {
            Self::Pharmacist => "pharmacist",
            Self::PharmacyOwner => "pharmacy owner",
            Self::ClinicOwner => "clinic owner",
            Self::Doctor => "doctor",
            Self::PayersSigner => "payer signer",
            Self::PayersClerk => "payer clerk",
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Pharmacist => "PHARMACIST",
            Self::PharmacyOwner => "PHARMACY_OWNER",
            Self::ClinicOwner => "OWNER",
            Self::Doctor => "DOCTOR",
            Self::PayersSigner => "NHS_SIGNER",
            Self::PayersClerk => "NHS",
        }
    }

    const fn position(self) -> &'static str {
        match self {
            Self::Pharmacist => "P16",
            Self::PharmacyOwner => "P19",
            Self::ClinicOwner => "P1",
            Self::Doctor => "P7",
            Self::PayersSigner | Self::PayersClerk => "P2",
        }
    }
}

impl Employee {
    fn new(role: Role, n: u32, company: Company) -> Self {
        Self { role, n, company, division: None, is_dismissed: false }
    }

    /// The pharmacists: one or two at each outlet, and a few who left.
    pub(crate) fn pharmacists() -> impl Iterator<Item = Self> {
        Division::outlets().flat_map(|outlet| {
            let left = (outlet.n % 21 == 20).then_some(3);
            (0..=outlet.n % 2).chain(left).map(move |place| Self {
                is_dismissed: place == 3,
                ..Self::pharmacist(outlet, place)
            })
        })
    }

    /// A pharmacist at an outlet; there is always one with the place 0.
    pub(crate) fn pharmacist(outlet: Division, place: u32) -> Self {
        let n = outlet.n * 4 + place;
        Self { division: Some(outlet), ..Self::new(Role::Pharmacist, n, outlet.company) }
    }

    /// The doctors, spread over the sites of all clinics.
    pub(crate) fn doctor(n: u32) -> Self {
        let sites: u32 = SITES.iter().sum();
        let site = Division::sites().nth((n % sites) as usize);
        let company = site.map_or(Company::Clinic(0), |site| site.company);
        Self { division: site, ..Self::new(Role::Doctor, n, company) }
    }

    /// Who signs for a pharmacy company.
    pub(crate) fn owner_of_pharmacy(company: Company) -> Self {
        Self::new(Role::PharmacyOwner, company.number(), company)
    }

    /// Who signs for the payer.
    pub(crate) fn payers_signer() -> Self {
        Self::new(Role::PayersSigner, 0, Company::Payer)
    }

    fn all() -> impl Iterator<Item = Self> {
        let heads = Company::all().map(|company| match company {
            Company::Pharmacy(_) => Self::owner_of_pharmacy(company),
            Company::Clinic(n) => Self::new(Role::ClinicOwner, n, company),
            Company::Payer => Self::payers_signer(),
        });
        let clerk = Self::new(Role::PayersClerk, 0, Company::Payer);
        heads.chain([clerk]).chain(Self::pharmacists()).chain((0..DOCTORS).map(Self::doctor))
    }

    pub(crate) fn id(self, demo: &Demo) -> Uuid {
        self.named(demo, "employee")
    }

    pub(crate) fn party_id(self, demo: &Demo) -> Uuid {
        self.named(demo, "party")
    }

    pub(crate) fn user_id(self, demo: &Demo) -> Uuid {
        self.named(demo, "user")
    }

    fn named(self, demo: &Demo, what: &str) -> Uuid {
        demo.seed.id(&format!("{} {what}", self.role.word()), self.n)
    }

    /// Who it is.
    pub(crate) fn identity(self, demo: &Demo) -> Identity {
        Identity::drawn(&mut demo.seed.draw(self.role.word(), self.n), 1958, 2001)
    }

    fn party(self, demo: &Demo) -> Value {
        let identity = self.identity(demo);
        let mut draw = demo.seed.draw(self.role.code(), self.n);
        json!({
            "id": self.party_id(demo),
            "first_name": identity.first_name,
            "last_name": identity.last_name,
            "second_name": identity.second_name,
            "birth_date": identity.birth_date,
            "tax_id": tax_id(&identity, &mut draw),
            "no_tax_id": false,
            "phones": [{ "type": "MOBILE", "number": mobile(&mut draw) }],
            "documents": [{
                "type": "NATIONAL_ID",
                "number": format!("{:09}", draw.below(1_000_000_000)),
            }],
        })
    }

    fn account(self, demo: &Demo) -> Value {
        json!({ "user_id": self.user_id(demo), "party_id": self.party_id(demo) })
    }

    fn job(self, demo: &Demo) -> Value {
        let began = demo.seed.draw("job", self.n).between(200, 3_000);
        json!({
            "id": self.id(demo),
            "party_id": self.party_id(demo),
            "legal_entity_id": self.company.id(demo),
            "division_id": self.division.map(|division| division.id(demo)),
            "employee_type": self.role.code(),
            "position": self.role.position(),
            "status": if self.is_dismissed { "DISMISSED" } else { "APPROVED" },
            "is_active": true,
            "start_date": demo.ago(began),
            "end_date": self.is_dismissed.then(|| demo.ago(45)),
        })
    }
}

/// The lines of parties, then of their accounts, then of their jobs.
pub(crate) fn lines(demo: &Demo) -> impl Iterator<Item = String> {
    let parties = Employee::all().map(|employee| line("party", employee.party(demo)));
    let accounts = Employee::all().map(|employee| line("party_user", employee.account(demo)));
    let jobs = Employee::all().map(|employee| line("employee", employee.job(demo)));
    parties.chain(accounts).chain(jobs)
}
