//! Diabetes and glands.

use super::{
    AMPOULES, CARTRIDGES, FIFTIES, Form, SEVENS, SINGLE, Substance, TENS, coated, micrograms,
    milligrams, substance, tablet, units,
};

/// Diabetes, in tablets.
pub(super) const DIABETES: &[Substance] = &[
    substance(
        ("Метформін", "Metformin"),
        "A10BA02",
        "372567009",
        &[coated("500", TENS, 130), coated("850", TENS, 190), coated("1000", TENS, 240)],
    ),
    substance(
        ("Гліклазид", "Gliclazide"),
        "A10BB09",
        "395731001",
        &[
            milligrams(Form::ModifiedReleaseTablet, "30", TENS, 210),
            milligrams(Form::ModifiedReleaseTablet, "60", TENS, 350),
        ],
    ),
    substance(
        ("Глімепірид", "Glimepiride"),
        "A10BB12",
        "386966003",
        &[tablet("2", TENS, 230), tablet("4", TENS, 390)],
    ),
    substance(
        ("Глібенкламід", "Glibenclamide"),
        "A10BB01",
        "384978002",
        &[tablet("5", FIFTIES, 95)],
    ),
    substance(
        ("Ситагліптин", "Sitagliptin"),
        "A10BH01",
        "423307000",
        &[coated("100", SEVENS, 1650)],
    ),
    substance(("Дапагліфлозин", "Dapagliflozin"), "A10BK01", "", &[coated("10", TENS, 1980)]),
];

/// Insulins.
pub(super) const INSULINS: &[Substance] = &[
    substance(
        ("Інсулін людський", "Insulin (human)"),
        "A10AB01",
        "",
        &[
            units(Form::Cartridge, "300", CARTRIDGES, 17_500),
            units(Form::Vial, "1000", SINGLE, 43_000),
        ],
    ),
    substance(
        ("Інсулін людський ізофан", "Insulin isophane (human)"),
        "A10AC01",
        "",
        &[units(Form::Cartridge, "300", CARTRIDGES, 18_200)],
    ),
    substance(
        ("Інсулін аспарт", "Insulin aspart"),
        "A10AB05",
        "325072002",
        &[units(Form::Cartridge, "300", CARTRIDGES, 24_800)],
    ),
    substance(
        ("Інсулін лізпро", "Insulin lispro"),
        "A10AB04",
        "",
        &[units(Form::Cartridge, "300", CARTRIDGES, 23_900)],
    ),
    substance(
        ("Інсулін гларгін", "Insulin glargine"),
        "A10AE04",
        "411529005",
        &[units(Form::Cartridge, "300", CARTRIDGES, 31_500)],
    ),
    substance(
        ("Інсулін детемір", "Insulin detemir"),
        "A10AE05",
        "414515005",
        &[units(Form::Cartridge, "300", CARTRIDGES, 33_400)],
    ),
];

/// Thyroid and other glands.
pub(super) const GLANDS: &[Substance] = &[
    substance(
        ("Левотироксин натрію", "Levothyroxine sodium"),
        "H03AA01",
        "",
        &[
            micrograms(Form::Tablet, "25", FIFTIES, 80),
            micrograms(Form::Tablet, "50", FIFTIES, 105),
            micrograms(Form::Tablet, "100", FIFTIES, 140),
        ],
    ),
    substance(
        ("Тіамазол", "Thiamazole"),
        "H03BB02",
        "",
        &[tablet("5", FIFTIES, 190), tablet("10", FIFTIES, 280)],
    ),
    substance(
        ("Преднізолон", "Prednisolone"),
        "H02AB06",
        "116601002",
        &[tablet("5", FIFTIES, 115)],
    ),
    substance(
        ("Дексаметазон", "Dexamethasone"),
        "H02AB02",
        "372584003",
        &[tablet("0.5", FIFTIES, 90), milligrams(Form::Ampoule, "4", AMPOULES, 950)],
    ),
    substance(
        ("Десмопресин", "Desmopressin"),
        "H01BA02",
        "126189002",
        &[tablet("0.2", TENS, 2300)],
    ),
];
