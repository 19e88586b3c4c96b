//! Who pays, and on what terms: six programs, one for each way of dispensing.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::Demo;
use crate::line::line;
use crate::medications::Brand;
use crate::money::Money;
use crate::substances::Field;

/// A medical program of the demo registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Program {
    /// Affordable medicines: dispensed in parts if need be, signed for, paid by the NHS.
    Affordable,
    /// Insulins and hormones: dispensed in one go, signed for, paid by the NHS.
    Insulins,
    /// A pilot without signature: each dispense, in parts if need be, is recorded at once, and no
    /// contract is needed.
    AtOnce,
    /// Prescription medicines that need no contract; dispensed in one go, signed for.
    ContractFree,
    /// A program of a city, paid by the city.
    Local,
    /// A program whose contracts are all suspended: nothing can be dispensed under it.
    Suspended,
}

impl Program {
    /// Every program.
    pub const ALL: [Self; 6] = [
        Self::Affordable,
        Self::Insulins,
        Self::AtOnce,
        Self::ContractFree,
        Self::Local,
        Self::Suspended,
    ];

    /// Whether a medication request may be dispensed in parts.
    #[must_use]
    pub const fn multi_dispense(self) -> bool {
        matches!(self, Self::Affordable | Self::AtOnce | Self::Local)
    }

    /// Whether a dispense is recorded at once, without a signature.
    #[must_use]
    pub const fn skips_signature(self) -> bool {
        matches!(self, Self::AtOnce)
    }

    /// Whether a pharmacy needs a contract.
    #[must_use]
    pub const fn needs_contract(self) -> bool {
        !matches!(self, Self::AtOnce | Self::ContractFree)
    }

    pub(crate) const fn place(self) -> usize {
        self as usize
    }

    pub(crate) const fn number(self) -> u32 {
        self as u32
    }

    /// Whether it pays for medications of this field.
    pub(crate) const fn pays_for(self, field: Field) -> bool {
        match self {
            Self::Affordable => {
                matches!(field, Field::Heart | Field::Diabetes | Field::Breath | Field::Mind)
            }
            Self::Insulins => matches!(field, Field::Insulins | Field::Glands),
            Self::AtOnce => matches!(field, Field::Heart | Field::Diabetes | Field::Stomach),
            Self::ContractFree => matches!(field, Field::Infection | Field::Pain | Field::Stomach),
            Self::Local => {
                matches!(field, Field::Heart | Field::Breath | Field::Glands | Field::Pain)
            }
            Self::Suspended => matches!(field, Field::Diabetes | Field::Glands),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Affordable => "Доступні ліки",
            Self::Insulins => "Реімбурсація інсулінів та гормональних препаратів",
            Self::AtOnce => "Доступні ліки: пілотний проєкт відпуску без підпису",
            Self::ContractFree => "Рецептурні лікарські засоби",
            Self::Local => "Міська програма «Турбота»",
            Self::Suspended => "Пілотна програма лікування діабету та захворювань залоз",
        }
    }

    fn settings(self) -> Value {
        let mut settings = json!({
            "medication_dispense_period_day": WINDOW_DAYS,
            "medication_request_max_period_day": 365,
            "skip_contract_provision_verify": !self.needs_contract(),
            "skip_medication_dispense_sign": self.skips_signature(),
            "multi_medication_dispense_allowed": self.multi_dispense(),
            "employee_types_to_create_medication_request": ["DOCTOR", "SPECIALIST"],
        });
        if matches!(self, Self::Affordable | Self::Insulins) {
            settings["license_types_allowed"] = json!(["PHARMACY", "PHARMACY_DRUGS"]);
        }
        if matches!(self, Self::ContractFree) {
            settings["skip_treatment_period"] = json!(true);
            settings["medication_request_notification_disabled"] = json!(true);
        }
        settings
    }
}

/// How many days a medication request can be dispensed, the first one not counted.
pub(crate) const WINDOW_DAYS: u32 = 30;

/// What a program pays for a brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// For a whole package.
    pub(crate) reimbursement: Money,
    /// Whether the payer sets the refund elsewhere.
    pub(crate) is_external: bool,
    /// Whether a package may be divided.
    divisible: Option<bool>,
}

impl Terms {
    /// The first brand of a dosage is paid for by a fixed amount and may be divided, under every
    /// program; the others differ.
    pub(crate) fn of(program: Program, brand: &Brand) -> Self {
        let percent = match (brand.slot, program) {
            (0, _) => 80,
            (1, _) => 100,
            (2, Program::ContractFree) => 0,
            (2, _) => 60,
            _ => 45,
        };
        Self {
            reimbursement: brand.price.percent(percent),
            is_external: brand.slot == 1 && program == Program::Local,
            divisible: match brand.slot {
                0 => Some(true),
                2 => Some(false),
                _ => None,
            },
        }
    }
}

impl Demo {
    /// The id of a program.
    #[must_use]
    pub fn program_id(&self, program: Program) -> Uuid {
        self.seed.id("program", program.number())
    }

    /// The id under which a brand takes part in a program.
    pub(crate) fn participant_id(&self, program: Program, brand: u32) -> Uuid {
        self.seed.id("participant", program.number() * 100_000 + brand)
    }
}

/// The lines of the programs.
pub(crate) fn lines(demo: &Demo) -> impl Iterator<Item = String> {
    Program::ALL.into_iter().map(|program| {
        let record = json!({
            "id": demo.program_id(program),
            "name": program.name(),
            "type": "MEDICATION",
            "is_active": true,
            "funding_source": if program == Program::Local { "LOCAL" } else { "NHS" },
            "medication_request_allowed": true,
            "medication_dispense_allowed": true,
            "mr_blank_type": "F-1",
            "medical_program_settings": program.settings(),
        });
        line("medical_program", record)
    })
}

/// The lines of the brands that take part in programs.
pub(crate) fn participant_lines(demo: &Demo) -> impl Iterator<Item = String> {
    Program::ALL.into_iter().flat_map(move |program| {
        demo.catalogue.brands.iter().zip(0..).flat_map(move |(brand, n)| {
            let field = demo.catalogue.dosages[brand.dosage as usize].field;
            let takes_part = program.pays_for(field) && brand.is_active();
            // Some stood in last year's list as well, at another price.
            let stood = takes_part && n % 10 == 0;
            let today = takes_part.then(|| participant(demo, program, (n, brand), List::Today));
            let before = stood.then(|| participant(demo, program, (n, brand), List::LastYear));
            before.into_iter().chain(today).map(|record| line("program_medication", record))
        })
    })
}

/// The national lists that are in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    LastYear,
    Today,
}

fn participant(demo: &Demo, program: Program, (n, brand): (u32, &Brand), list: List) -> Value {
    let terms = Terms::of(program, brand);
    let wholesale = brand.price.percent(78);
    let (id, paid, start, end) = match list {
        List::Today => {
            let end = (brand.slot < 2).then(|| demo.ahead(120));
            (demo.participant_id(program, n), terms.reimbursement, 240, end)
        }
        List::LastYear => {
            let id = demo.seed.id("former participant", program.number() * 100_000 + n);
            (id, terms.reimbursement.percent(90), 605, Some(demo.ago(241)))
        }
    };
    json!({
        "id": id,
        "medication_id": demo.seed.id("brand", n),
        "medical_program_id": demo.program_id(program),
        "is_active": true,
        "medication_request_allowed": true,
        "reimbursement": {
            "type": if terms.is_external { "EXTERNAL" } else { "FIXED" },
            "reimbursement_amount": paid,
        },
        "wholesale_price": wholesale,
        "consumer_price": brand.price,
        "reimbursement_daily_dosage":
            terms.reimbursement.shared_among(brand.package_qty).if_any(),
        "estimated_payment_amount": brand.price.less(terms.reimbursement).if_any(),
        "start_date": demo.ago(start),
        "end_date": end,
        "registry_number": format!("{}-{:04}", program.number() + 1, n + 1),
        "package_qty_divisible": terms.divisible,
    })
}
