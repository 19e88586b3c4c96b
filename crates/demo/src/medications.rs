//! Substances, dosages and brands.

use serde_json::{Value, json};

use crate::Demo;
use crate::line::line;
use crate::manufacturers::MANUFACTURERS;
use crate::money::{Money, number};
use crate::programs::Program;
use crate::seed::Seed;
use crate::substances::{COMBINATIONS, Field, SUBSTANCES, Strength, Substance};

/// Every dosage and every brand, and who pays for what.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    pub(crate) substances: Vec<&'static Substance>,
    pub(crate) dosages: Vec<Dosage>,
    pub(crate) brands: Vec<Brand>,
    /// By program, then by whether the number of the primary substance is even or odd.
    prescribed: [[Vec<u32>; 2]; Program::ALL.len()],
}

/// A substance, or two, in a strength and form: what a doctor prescribes.
#[derive(Debug, Clone)]
pub(crate) struct Dosage {
    pub(crate) field: Field,
    pub(crate) strength: &'static Strength,
    atc: &'static str,
    primary: u32,
    /// The other substance, and how much of it.
    second: Option<(u32, &'static str)>,
    /// Its first brand, which every program that pays for the dosage pays for.
    pub(crate) first_brand: u32,
}

/// A product of a manufacturer: what a pharmacy dispenses.
#[derive(Debug, Clone)]
pub(crate) struct Brand {
    pub(crate) dosage: u32,
    /// Its place among the brands of its dosage.
    pub(crate) slot: u32,
    pub(crate) package_qty: u32,
    pub(crate) package_min_qty: u32,
    /// Of a whole package.
    pub(crate) price: Money,
    manufacturer: usize,
}

impl Brand {
    /// Whether its registration still counts.
    pub(crate) const fn is_active(&self) -> bool {
        !(self.slot == 3 && self.dosage % 8 == 1)
    }
}

impl Catalogue {
    pub(crate) fn new(seed: &Seed) -> Self {
        let mut catalogue = Self {
            substances: SUBSTANCES.iter().flat_map(|(_, substances)| *substances).collect(),
            dosages: Vec::new(),
            brands: Vec::new(),
            prescribed: Default::default(),
        };
        for (field, substances) in &SUBSTANCES {
            for substance in *substances {
                for strength in substance.strengths {
                    let primary = catalogue.numbered(substance.original);
                    catalogue.add(seed, (*field, substance.atc), strength, primary, None);
                }
            }
        }
        for both in COMBINATIONS {
            let [primary, second] = both.originals.map(|original| catalogue.numbered(original));
            let second = Some((second, both.second_value));
            catalogue.add(seed, (both.field, both.atc), &both.strength, primary, second);
        }
        catalogue
    }

    /// The dosages that are prescribed under a program. Those whose substance is even and those
    /// whose substance is odd share no substance.
    pub(crate) fn prescribed_under(&self, program: Program, odd: bool) -> &[u32] {
        &self.prescribed[program.place()][usize::from(odd)]
    }

    /// The brand by which quantities of a dosage are prescribed.
    pub(crate) fn first_brand(&self, dosage: u32) -> &Brand {
        &self.brands[self.dosages[dosage as usize].first_brand as usize]
    }

    fn numbered(&self, original: &str) -> u32 {
        let place = self.substances.iter().position(|substance| substance.original == original);
        place.and_then(|place| u32::try_from(place).ok()).unwrap_or_default()
    }

    fn add(
        &mut self,
        seed: &Seed,
        (field, atc): (Field, &'static str),
        strength: &'static Strength,
        primary: u32,
        second: Option<(u32, &'static str)>,
    ) {
        let number = count(&self.dosages);
        let first_brand = count(&self.brands);
        self.dosages.push(Dosage { field, strength, atc, primary, second, first_brand });
        for program in Program::ALL.into_iter().filter(|program| program.pays_for(field)) {
            self.prescribed[program.place()][usize::from(primary % 2 == 1)].push(number);
        }
        for slot in 0..3 + number % 2 {
            let mut draw = seed.draw("brand", count(&self.brands));
            let packages = strength.packages;
            let (package_qty, package_min_qty) = packages[slot as usize % packages.len()];
            let unit = Money::from_kopecks(strength.unit_kopecks.into());
            let price = unit.times(package_qty).percent(draw.between(80, 140));
            // Neighbours on the shelf come from different makers: 5 shares no factor with 24.
            let manufacturer = (number * 7 + slot * 5) as usize % MANUFACTURERS.len();
            let dosage = number;
            let brand = Brand { dosage, slot, package_qty, package_min_qty, price, manufacturer };
            self.brands.push(brand);
        }
    }
}

/// How many there are; catalogues are far from the limit.
pub(crate) fn count<T>(things: &[T]) -> u32 {
    u32::try_from(things.len()).unwrap_or(u32::MAX)
}

/// The lines of all medications: substances, dosages, brands.
pub(crate) fn lines(demo: &Demo) -> impl Iterator<Item = String> {
    let catalogue = &demo.catalogue;
    let substances = catalogue.substances.iter().zip(0..).map(|(substance, n)| {
        json!({
            "id": demo.seed.id("substance", n),
            "name": substance.name,
            "type": "INNM",
            "is_active": true,
            "sctid": substance.sctid,
            "name_original": substance.original,
        })
    });
    let dosages = catalogue.dosages.iter().zip(0..).map(|(dosage, n)| dosage.record(demo, n));
    let brands = catalogue.brands.iter().zip(0..).map(|(brand, n)| brand.record(demo, n));
    substances.chain(dosages).chain(brands).map(|record| line("medication", record))
}

impl Dosage {
    fn record(&self, demo: &Demo, n: u32) -> Value {
        let mut ingredients = vec![json!({
            "innm_child_id": demo.seed.id("substance", self.primary),
            "is_primary": true,
            "dosage": self.strength.record(self.strength.value),
        })];
        if let Some((second, value)) = self.second {
            ingredients.push(json!({
                "innm_child_id": demo.seed.id("substance", second),
                "is_primary": false,
                "dosage": self.strength.record(value),
            }));
        }
        json!({
            "id": demo.seed.id("dosage", n),
            "name": self.name(&demo.catalogue),
            "type": "INNM_DOSAGE",
            "form": self.strength.form.code(),
            "is_active": true,
            "ingredients": ingredients,
        })
    }

    /// Such as `Периндоприл/Індапамід 4/1.25 MG таблетки`.
    fn name(&self, catalogue: &Catalogue) -> String {
        let Strength { form, value, unit, .. } = self.strength;
        let substances = self.substances(catalogue);
        match self.second {
            Some((_, other)) => format!("{substances} {value}/{other} {unit} {}", form.name()),
            None => format!("{substances} {value} {unit} {}", form.name()),
        }
    }

    fn substances(&self, catalogue: &Catalogue) -> String {
        let primary = catalogue.substances[self.primary as usize].name;
        match self.second {
            Some((second, _)) => {
                format!("{primary}/{}", catalogue.substances[second as usize].name)
            }
            None => primary.to_owned(),
        }
    }
}

impl Strength {
    fn record(&self, value: &str) -> Value {
        json!({
            "numerator_unit": self.unit,
            "numerator_value": number(value).ok(),
            "denumerator_unit": self.form.unit(),
            "denumerator_value": 1,
        })
    }
}

impl Brand {
    fn record(&self, demo: &Demo, n: u32) -> Value {
        let catalogue = &demo.catalogue;
        let dosage = &catalogue.dosages[self.dosage as usize];
        let manufacturer = &MANUFACTURERS[self.manufacturer];
        let mut draw = demo.seed.draw("certificate", n);
        let unit = dosage.strength.form.unit();
        json!({
            "id": demo.seed.id("brand", n),
            "name": format!("{}-{}", dosage.substances(catalogue), manufacturer.mark),
            "type": "BRAND",
            "form": dosage.strength.form.code(),
            "is_active": self.is_active(),
            "ingredients": [{
                "medication_child_id": demo.seed.id("dosage", self.dosage),
                "is_primary": true,
                "dosage": dosage.strength.record(dosage.strength.value),
            }],
            "manufacturer": { "name": manufacturer.name, "country": manufacturer.country },
            "container": {
                "numerator_unit": unit,
                "numerator_value": 1,
                "denumerator_unit": unit,
                "denumerator_value": 1,
            },
            "package_qty": self.package_qty,
            "package_min_qty": self.package_min_qty,
            "code_atc": [dosage.atc],
            "certificate": format!("UA/{:05}/01/{:02}", 1_000 + n * 17, 1 + self.slot),
            "certificate_expired_at": demo.ahead(draw.between(200, 1_800)),
            "daily_dosage": dosage.strength.daily_dosage(),
        })
    }
}

impl Strength {
    /// What a patient takes in a day, in the unit of the strength; only told for milligrams.
    fn daily_dosage(&self) -> Option<serde_json::Number> {
        (self.unit == "MG").then(|| number(self.value).ok()).flatten()
    }
}
