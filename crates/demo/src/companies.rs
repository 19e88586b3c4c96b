//! Legal entities: pharmacy companies, clinics, and the payer.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::Demo;
use crate::codes::{edrpou, licence_number};
use crate::line::line;
use crate::programs::Program;

/// How many outlets each pharmacy company has: a few chains, and many small ones.
pub(crate) const OUTLETS: [u32; 24] =
    [40, 32, 24, 18, 16, 12, 10, 8, 8, 6, 6, 5, 4, 4, 3, 3, 3, 2, 2, 2, 1, 1, 1, 1];

/// How many sites each clinic has.
pub(crate) const SITES: [u32; 30] =
    [3, 2, 2, 1, 4, 2, 1, 1, 2, 3, 1, 2, 1, 1, 2, 4, 1, 2, 1, 1, 3, 1, 2, 1, 1, 2, 1, 1, 2, 1];

/// A legal entity by its place in the country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Company {
    /// The `n`-th pharmacy company.
    Pharmacy(u32),
    /// The `n`-th clinic.
    Clinic(u32),
    /// The national health service.
    Payer,
}

impl Company {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let pharmacies = (0..).zip(OUTLETS).map(|(n, _)| Self::Pharmacy(n));
        let clinics = (0..).zip(SITES).map(|(n, _)| Self::Clinic(n));
        pharmacies.chain(clinics).chain([Self::Payer])
    }

    pub(crate) fn id(self, demo: &Demo) -> Uuid {
        match self {
            Self::Pharmacy(n) => demo.seed.id("pharmacy company", n),
            Self::Clinic(n) => demo.seed.id("clinic", n),
            Self::Payer => demo.seed.id("payer", 0),
        }
    }

    /// A number that no other legal entity has.
    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Payer => 0,
            Self::Pharmacy(n) => 1 + n,
            Self::Clinic(n) => 1_000 + n,
        }
    }

    /// Its type, which is the client type of its tokens.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Pharmacy(12..16) => "MSP_PHARMACY",
            Self::Pharmacy(_) => "PHARMACY",
            Self::Clinic(n) => match n % 3 {
                0 => "PRIMARY_CARE",
                1 => "OUTPATIENT",
                _ => "MSP",
            },
            Self::Payer => "NHS",
        }
    }

    const fn status(self) -> &'static str {
        match self {
            Self::Pharmacy(21) => "SUSPENDED",
            Self::Pharmacy(22) => "CLOSED",
            _ => "ACTIVE",
        }
    }

    /// Whether it may do what it is there for.
    pub(crate) fn is_sound(self) -> bool {
        self.status() == "ACTIVE"
    }

    const fn is_nhs_verified(self) -> bool {
        !matches!(self, Self::Pharmacy(21..=23))
    }

    /// Whether a pharmacy company has a contract under a program.
    pub(crate) const fn has_contract(self, program: Program) -> bool {
        let Self::Pharmacy(n) = self else {
            return false;
        };
        match program {
            Program::Affordable => n != 20,
            Program::Insulins => n % 6 != 5,
            Program::Local => n % 3 == 0 || n == 1,
            Program::Suspended => n % 4 < 2,
            Program::AtOnce | Program::ContractFree => false,
        }
    }

    /// Whether its provisions of a program name the contract; a city may do without.
    pub(crate) fn numbers_its_provisions(self, program: Program) -> bool {
        program != Program::Local || self != Self::Pharmacy(9)
    }

    /// The name on the door.
    pub(crate) const fn public_name(self) -> &'static str {
        match self {
            Self::Pharmacy(n) => CHAINS[n as usize],
            Self::Clinic(n) => match n % 3 {
                0 => "Центр первинної медико-санітарної допомоги",
                1 => "Консультативно-діагностичний центр",
                _ => "Міська лікарня",
            },
            Self::Payer => "Національна служба здоров'я України",
        }
    }

    fn full_name(self) -> String {
        let public_name = self.public_name();
        match self {
            Self::Pharmacy(n) if n % 5 == 4 => format!("Приватне підприємство «{public_name}»"),
            Self::Pharmacy(_) => {
                format!("Товариство з обмеженою відповідальністю «{public_name}»")
            }
            Self::Clinic(n) => {
                format!("Комунальне некомерційне підприємство «{public_name} № {}»", n + 1)
            }
            Self::Payer => public_name.to_owned(),
        }
    }

    fn short_name(self) -> String {
        let public_name = self.public_name();
        match self {
            Self::Pharmacy(n) if n % 5 == 4 => format!("ПП «{public_name}»"),
            Self::Pharmacy(_) => format!("ТОВ «{public_name}»"),
            Self::Clinic(n) => format!("КНП «{public_name} № {}»", n + 1),
            Self::Payer => "НСЗУ".to_owned(),
        }
    }

    fn record(self, demo: &Demo) -> Value {
        let mut draw = demo.seed.draw("legal entity", self.number());
        let is_clinic = matches!(self, Self::Clinic(_));
        let licence_type = if is_clinic { "MSP" } else { "PHARMACY" };
        let licence_days = draw.between(700, 4_000);
        let licences = (self != Self::Payer).then(|| {
            json!([{
                "type": licence_type,
                "license_number": licence_number(&mut draw),
                "issued_by": if is_clinic { "МОЗ України" } else { "Держлікслужба" },
                "issued_date": demo.ago(licence_days),
                "active_from_date": demo.ago(licence_days - 14),
                "order_no": format!("{}-Л", draw.between(100, 1_999)),
            }])
        });
        let accreditation = is_clinic.then(|| {
            json!({
                "category": draw.one_of(&["FIRST", "SECOND", "HIGHEST"]),
                "order_no": draw.between(100, 1_500).to_string(),
                "order_date": demo.ago(600),
                "issued_date": demo.ago(600),
                "expiry_date": demo.ahead(495),
            })
        });
        json!({
            "id": self.id(demo),
            "name": self.full_name(),
            "short_name": self.short_name(),
            "public_name": self.public_name(),
            "type": self.kind(),
            "edrpou": edrpou(&demo.seed, self.number()),
            "status": self.status(),
            "is_active": self.status() != "CLOSED",
            "nhs_verified": self.is_nhs_verified(),
            "mis_verified": if self.is_nhs_verified() { "VERIFIED" } else { "NOT_VERIFIED" },
            "accreditation": accreditation,
            "licenses": licences,
        })
    }
}

/// The lines of the legal entities.
pub(crate) fn lines(demo: &Demo) -> impl Iterator<Item = String> {
    Company::all().map(|company| line("legal_entity", company.record(demo)))
}

const CHAINS: [&str; 24] = [
    "Калинова аптека",
    "Аптека Добродій",
    "Ліки Поруч",
    "Здорове місто",
    "Аптека Лелека",
    "Медова гілка",
    "Фармація Полісся",
    "Зелена ящірка",
    "Аптека на розі",
    "Сонячна аптека",
    "Карпатські трави",
    "Дніпрова чайка",
    "Лікарняна аптека",
    "Аптека при поліклініці",
    "Цілющий дім",
    "Мальва",
    "Чебрець",
    "Аптека Оберіг",
    "Степова м'ята",
    "Рідна аптека",
    "Барвінок",
    "Вербена",
    "Стара ратуша",
    "Світанок",
];
