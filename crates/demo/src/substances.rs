//! What can be prescribed: substances with their ATC codes, strengths, forms and packages.
//!
//! Names, codes, strengths and forms are those of medicine; prices are of the right size and no
//! more than that.

mod body;
mod heart;
mod metabolism;

/// An international non-proprietary name and what is made of it.
#[derive(Debug)]
pub(crate) struct Substance {
    /// In Ukrainian.
    pub(crate) name: &'static str,
    /// In the international spelling.
    pub(crate) original: &'static str,
    pub(crate) atc: &'static str,
    /// SNOMED CT id, where we know it.
    pub(crate) sctid: Option<&'static str>,
    pub(crate) strengths: &'static [Strength],
}

/// A dosage of two substances at once.
#[derive(Debug)]
pub(crate) struct Combination {
    /// The international names, the primary one first.
    pub(crate) originals: [&'static str; 2],
    pub(crate) atc: &'static str,
    pub(crate) field: Field,
    pub(crate) strength: Strength,
    /// How much there is of the second.
    pub(crate) second_value: &'static str,
}

/// How much there is of a substance in a unit, and how units are packed.
#[derive(Debug)]
pub(crate) struct Strength {
    pub(crate) form: Form,
    /// A decimal, such as `6.25`.
    pub(crate) value: &'static str,
    pub(crate) unit: &'static str,
    /// Units in a package, and in its smallest part that cannot be divided.
    pub(crate) packages: &'static [(u32, u32)],
    /// About what a unit costs.
    pub(crate) unit_kopecks: u32,
}

/// The part of medicine that a substance belongs to; programs pay for some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Heart,
    Diabetes,
    Insulins,
    Breath,
    Mind,
    Infection,
    Pain,
    Stomach,
    Glands,
}

/// Every substance, by field.
pub(crate) const SUBSTANCES: [(Field, &[Substance]); 9] = [
    (Field::Heart, heart::HEART),
    (Field::Diabetes, metabolism::DIABETES),
    (Field::Insulins, metabolism::INSULINS),
    (Field::Breath, body::BREATH),
    (Field::Mind, body::MIND),
    (Field::Infection, body::INFECTION),
    (Field::Pain, body::PAIN),
    (Field::Stomach, body::STOMACH),
    (Field::Glands, metabolism::GLANDS),
];

pub(crate) use heart::COMBINATIONS;

/// What a medication looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Tablet,
    CoatedTablet,
    ModifiedReleaseTablet,
    SublingualTablet,
    Capsule,
    Aerosol,
    Nebuliser,
    Ampoule,
    Powder,
    Cartridge,
    Vial,
}

impl Form {
    /// The word of the register.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Tablet => "TABLET",
            Self::CoatedTablet => "FILM_COATED_TABLET",
            Self::ModifiedReleaseTablet => "MODIFIED-RELEASE_TABLET",
            Self::SublingualTablet => "SUBLINGVAL_TABLET",
            Self::Capsule => "CAPSULE",
            Self::Aerosol => "AEROSOL_FOR_INHALATION_DOSED",
            Self::Nebuliser => "NEBULISER_SUSPENSION",
            Self::Ampoule | Self::Cartridge | Self::Vial => "INJECTION_SOLUTION",
            Self::Powder => "POWDER_FOR_INJECTION_SOLUTION",
        }
    }

    /// In Ukrainian, as in the name of a dosage.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tablet => "таблетки",
            Self::CoatedTablet => "таблетки, вкриті плівковою оболонкою",
            Self::ModifiedReleaseTablet => "таблетки з модифікованим вивільненням",
            Self::SublingualTablet => "таблетки сублінгвальні",
            Self::Capsule => "капсули",
            Self::Aerosol => "аерозоль для інгаляцій, дозований",
            Self::Nebuliser => "суспензія для розпилення",
            Self::Ampoule => "розчин для ін'єкцій, ампули",
            Self::Powder => "порошок для розчину для ін'єкцій",
            Self::Cartridge => "розчин для ін'єкцій, картриджі",
            Self::Vial => "розчин для ін'єкцій, флакони",
        }
    }

    /// The unit in which quantities are counted.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Tablet
            | Self::CoatedTablet
            | Self::ModifiedReleaseTablet
            | Self::SublingualTablet
            | Self::Capsule => "PILL",
            Self::Aerosol => "DOSE",
            Self::Nebuliser => "CONTAINER",
            Self::Ampoule => "AMPOULE",
            Self::Cartridge => "CARTRIDGE",
            Self::Powder | Self::Vial => "VIAL",
        }
    }

    /// One unit of it, as a doctor tells a patient to take it.
    pub(crate) const fn intake(self) -> &'static str {
        match self {
            Self::Tablet | Self::CoatedTablet | Self::ModifiedReleaseTablet => "По 1 таблетці",
            Self::SublingualTablet => "По 1 таблетці під язик",
            Self::Capsule => "По 1 капсулі",
            Self::Aerosol => "По 1 інгаляції",
            Self::Nebuliser => "По 1 контейнеру через небулайзер",
            Self::Ampoule => "По 1 ампулі внутрішньом'язово",
            Self::Powder => "По 1 флакону внутрішньовенно",
            Self::Cartridge | Self::Vial => "Підшкірно за схемою",
        }
    }
}

const SEVENS: &[(u32, u32)] = &[(28, 14), (56, 14), (84, 14)];
const TENS: &[(u32, u32)] = &[(30, 10), (60, 10), (90, 10)];
const TWENTIES: &[(u32, u32)] = &[(20, 10), (30, 10), (50, 10)];
const FIFTIES: &[(u32, u32)] = &[(50, 10), (100, 10)];
const COURSE: &[(u32, u32)] = &[(10, 10), (20, 10)];
const THREES: &[(u32, u32)] = &[(3, 3), (6, 3)];
const AMPOULES: &[(u32, u32)] = &[(5, 1), (10, 1)];
const CARTRIDGES: &[(u32, u32)] = &[(5, 1)];
const SINGLE: &[(u32, u32)] = &[(1, 1)];
const PUFFS: &[(u32, u32)] = &[(200, 200)];
const FEW_PUFFS: &[(u32, u32)] = &[(120, 120), (60, 60)];
const CONTAINERS: &[(u32, u32)] = &[(20, 5), (40, 5)];

type Packages = &'static [(u32, u32)];

const fn substance(
    (name, original): (&'static str, &'static str),
    atc: &'static str,
    sctid: &'static str,
    strengths: &'static [Strength],
) -> Substance {
    let sctid = if sctid.is_empty() { None } else { Some(sctid) };
    Substance { name, original, atc, sctid, strengths }
}

const fn milligrams(form: Form, value: &'static str, packages: Packages, price: u32) -> Strength {
    Strength { form, value, unit: "MG", packages, unit_kopecks: price }
}

const fn micrograms(form: Form, value: &'static str, packages: Packages, price: u32) -> Strength {
    Strength { form, value, unit: "MKG", packages, unit_kopecks: price }
}

const fn units(form: Form, value: &'static str, packages: Packages, price: u32) -> Strength {
    Strength { form, value, unit: "IU", packages, unit_kopecks: price }
}

const fn tablet(value: &'static str, packages: Packages, price: u32) -> Strength {
    milligrams(Form::Tablet, value, packages, price)
}

const fn coated(value: &'static str, packages: Packages, price: u32) -> Strength {
    milligrams(Form::CoatedTablet, value, packages, price)
}
