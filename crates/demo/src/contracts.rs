//! Contracts between pharmacy companies and the payer, and which division provides which program.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::Demo;
use crate::codes::number;
use crate::companies::Company;
use crate::divisions::Division;
use crate::employees::Employee;
use crate::line::line;
use crate::programs::Program;

/// The contract of a pharmacy company under a program.
#[derive(Debug, Clone, Copy)]
struct Contract {
    company: Company,
    program: Program,
    /// Whether it is the one before the one in force.
    is_former: bool,
}

impl Contract {
    fn all() -> impl Iterator<Item = Self> {
        Company::all().flat_map(|company| {
            let programs = Program::ALL.into_iter().filter(move |&p| company.has_contract(p));
            programs.flat_map(move |program| {
                let now = Self { company, program, is_former: false };
                let has_former = program == Program::Affordable && company.number() % 2 == 1;
                let former = has_former.then_some(Self { is_former: true, ..now });
                [former, Some(now)].into_iter().flatten()
            })
        })
    }

    /// A number that no other contract has.
    const fn place(self) -> u32 {
        self.company.number() * 100 + self.program.number() * 10 + self.is_former as u32
    }

    fn number(self, demo: &Demo) -> String {
        number(&demo.seed, "contract", self.place())
    }

    fn divisions(self, demo: &Demo) -> Vec<Uuid> {
        Division::outlets()
            .filter(|outlet| outlet.company == self.company && outlet.takes_part())
            .map(|outlet| outlet.id(demo))
            .collect()
    }

    fn record(self, demo: &Demo) -> Value {
        let in_force = !self.is_former && self.company.is_sound();
        let (start, end) = if self.is_former {
            (demo.ago(565), demo.ago(201))
        } else {
            (demo.ago(200), demo.ahead(165))
        };
        json!({
            "id": demo.seed.id("contract", self.place()),
            "type": "REIMBURSEMENT",
            "contract_number": self.number(demo),
            "status": if in_force { "VERIFIED" } else { "TERMINATED" },
            "is_active": in_force,
            "is_suspended": self.program == Program::Suspended,
            "start_date": start,
            "end_date": end,
            "contractor_legal_entity_id": self.company.id(demo),
            "contractor_owner_id": Employee::owner_of_pharmacy(self.company).id(demo),
            "nhs_legal_entity_id": Company::Payer.id(demo),
            "nhs_signer_id": Employee::payers_signer().id(demo),
            "medical_program_id": demo.program_id(self.program),
            "nhs_signed_date": start,
            "division_ids": self.divisions(demo),
        })
    }

    fn provisions(self, demo: &Demo) -> Vec<Value> {
        let contract_number = self.number(demo);
        let numbered = self.company.numbers_its_provisions(self.program);
        let outlets = Division::outlets().filter(|outlet| outlet.company == self.company);
        outlets
            .map(|outlet| {
                let n = outlet.n * 10 + self.program.number();
                json!({
                    "id": demo.seed.id("provision", n),
                    "medical_program_id": demo.program_id(self.program),
                    "division_id": outlet.id(demo),
                    "contract_number": numbered.then_some(&contract_number),
                    "is_active": outlet.provides_programs(),
                })
            })
            .collect()
    }
}

/// The lines of the contracts.
pub(crate) fn lines(demo: &Demo) -> impl Iterator<Item = String> {
    Contract::all().map(|contract| line("contract", contract.record(demo)))
}

/// The lines of which division provides which program.
pub(crate) fn provision_lines(demo: &Demo) -> impl Iterator<Item = String> {
    Contract::all()
        .filter(|contract| !contract.is_former)
        .flat_map(|contract| contract.provisions(demo))
        .map(|record| line("medical_program_provision", record))
}
