//! Outlets of pharmacies and sites of clinics, and what outlets are licensed to do.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::Demo;
use crate::codes::landline;
use crate::companies::{Company, OUTLETS, SITES};
use crate::line::line;
use crate::places::Town;

/// One division by its place in the country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Division {
    /// Its number among the outlets, or among the sites.
    pub(crate) n: u32,
    pub(crate) company: Company,
    /// Its number within its company.
    place: u32,
}

impl Division {
    /// Every outlet of every pharmacy company.
    pub(crate) fn outlets() -> impl Iterator<Item = Self> {
        numbered((0..).map(Company::Pharmacy).zip(OUTLETS))
    }

    /// An outlet of a pharmacy company.
    pub(crate) fn outlet(company: u32, place: u32) -> Self {
        let before: u32 = OUTLETS[..company as usize].iter().sum();
        Self { n: before + place, company: Company::Pharmacy(company), place }
    }

    /// Every site of every clinic.
    pub(crate) fn sites() -> impl Iterator<Item = Self> {
        numbered((0..).map(Company::Clinic).zip(SITES))
    }

    pub(crate) fn id(self, demo: &Demo) -> Uuid {
        demo.seed.id(if self.is_outlet() { "outlet" } else { "site" }, self.n)
    }

    /// Whether medication is dispensed here.
    const fn is_outlet(self) -> bool {
        matches!(self.company, Company::Pharmacy(_))
    }

    const fn is_open(self) -> bool {
        !self.is_outlet() || self.n % 53 != 51
    }

    /// Whether the regulator confirmed the licence.
    const fn is_dls_verified(self) -> Option<bool> {
        match self.n {
            _ if !self.is_outlet() => None,
            n if n % 61 == 60 => None,
            n => Some(n % 41 != 40),
        }
    }

    const fn is_licensed_to_sell(self) -> bool {
        self.n % 47 != 46
    }

    /// Whether it takes part in the contracts of its company.
    pub(crate) const fn takes_part(self) -> bool {
        self.n % 37 != 36
    }

    /// Whether it says that it provides the programs of those contracts.
    pub(crate) const fn provides_programs(self) -> bool {
        self.takes_part() && self.n % 43 != 42
    }

    /// Whether nothing at this outlet or its company stands in the way of dispensing.
    pub(crate) fn is_sound(self) -> bool {
        self.company.is_sound()
            && self.is_open()
            && self.is_dls_verified() == Some(true)
            && self.is_licensed_to_sell()
            && self.provides_programs()
    }

    const fn kind(self) -> &'static str {
        match (self.is_outlet(), self.n % 5) {
            (true, 4) => "DRUGSTORE_POINT",
            (true, _) => "DRUGSTORE",
            (false, 3) => "AMBULANT_CLINIC",
            (false, 4) => "FAP",
            (false, _) => "CLINIC",
        }
    }

    fn name(self) -> String {
        let number = self.place + 1;
        match self.kind() {
            "DRUGSTORE" => format!("Аптека № {number} «{}»", self.company.public_name()),
            "DRUGSTORE_POINT" => {
                format!("Аптечний пункт № {number} «{}»", self.company.public_name())
            }
            "AMBULANT_CLINIC" => format!("Амбулаторія № {number}"),
            "FAP" => format!("Фельдшерсько-акушерський пункт № {number}"),
            _ => format!("{}, корпус {number}", self.company.public_name()),
        }
    }

    fn record(self, demo: &Demo) -> Value {
        let mut draw = demo.seed.draw(if self.is_outlet() { "outlet" } else { "site" }, self.n);
        let town = Town::drawn(&mut draw);
        let phones = if self.n.is_multiple_of(3) { 2 } else { 1 };
        let phones: Vec<Value> = (0..phones)
            .map(|_| json!({ "type": "LAND_LINE", "number": landline(town.telephone_code, &mut draw) }))
            .collect();
        let mailbox = if self.is_outlet() { "apteka" } else { "likarnia" };
        let round_the_clock = self.is_outlet() && draw.chance(10);
        let dls_id = (self.is_outlet() && self.is_dls_verified().is_some())
            .then(|| format!("{}", 2_100_000 + self.n * 13));
        json!({
            "id": self.id(demo),
            "legal_entity_id": self.company.id(demo),
            "name": self.name(),
            "type": self.kind(),
            "status": if self.is_open() { "ACTIVE" } else { "INACTIVE" },
            "is_active": true,
            "dls_id": dls_id,
            "dls_verified": self.is_dls_verified(),
            "mountain_group": town.is_mountain(),
            "addresses": [town.address(&demo.seed, &mut draw)],
            "phones": phones,
            "email": format!("{mailbox}{}@registry.example", self.n + 1),
            "external_id": format!("{:06}", 1_000 + self.n),
            "location": town.location(&mut draw),
            "working_hours": working_hours(round_the_clock, self.is_outlet()),
        })
    }

    fn service(self, demo: &Demo, kind: &str, n: u32) -> Value {
        let counts = kind == "PRODUCTION" || self.is_licensed_to_sell();
        let status = if counts { "ACTIVE" } else { "INACTIVE" };
        let sells_drugs_only = self.kind() == "DRUGSTORE_POINT";
        json!({
            "id": demo.seed.id("healthcare service", n),
            "legal_entity_id": self.company.id(demo),
            "division_id": self.id(demo),
            "status": status,
            "type": kind,
            "license_id": demo.seed.id("licence", self.company.number()),
            "license_type": if sells_drugs_only { "PHARMACY_DRUGS" } else { "PHARMACY" },
            "licensed_healthcare_service": { "status": status },
            "is_active": counts,
        })
    }
}

fn numbered(companies: impl Iterator<Item = (Company, u32)>) -> impl Iterator<Item = Division> {
    companies
        .flat_map(|(company, count)| (0..count).map(move |place| (company, place)))
        .zip(0..)
        .map(|((company, place), n)| Division { n, company, place })
}

fn working_hours(round_the_clock: bool, at_weekends: bool) -> Value {
    let weekday = if round_the_clock { ["00.00", "23.59"] } else { ["08.00", "20.00"] };
    let weekend = if round_the_clock { weekday } else { ["09.00", "18.00"] };
    let mut hours = json!({
        "mon": [weekday], "tue": [weekday], "wed": [weekday], "thu": [weekday], "fri": [weekday],
    });
    if at_weekends {
        hours["sat"] = json!([weekend]);
        hours["sun"] = json!([weekend]);
    }
    hours
}

/// The lines of the divisions.
pub(crate) fn lines(demo: &Demo) -> impl Iterator<Item = String> {
    let divisions = Division::outlets().chain(Division::sites());
    divisions.map(|division| line("division", division.record(demo)))
}

/// The lines of what outlets are licensed to do: all sell, one in six also makes medication.
pub(crate) fn service_lines(demo: &Demo) -> impl Iterator<Item = String> {
    Division::outlets()
        .flat_map(|outlet| {
            let sale = outlet.service(demo, "SALE", outlet.n * 2);
            let makes = outlet.n.is_multiple_of(6);
            let production = makes.then(|| outlet.service(demo, "PRODUCTION", outlet.n * 2 + 1));
            [Some(sale), production].into_iter().flatten()
        })
        .map(|record| line("healthcare_service", record))
}
