//! Heart and blood.

use super::{
    Combination, FIFTIES, Field, Form, SEVENS, Substance, TENS, TWENTIES, coated, milligrams,
    substance, tablet,
};

/// Heart, vessels, blood.
pub(super) const HEART: &[Substance] = &[
    substance(
        ("Амлодипін", "Amlodipine"),
        "C08CA01",
        "386864001",
        &[tablet("5", TENS, 95), tablet("10", TENS, 150)],
    ),
    substance(
        ("Бісопролол", "Bisoprolol"),
        "C07AB07",
        "386868003",
        &[coated("5", TENS, 140), coated("10", TENS, 210)],
    ),
    substance(
        ("Еналаприл", "Enalapril"),
        "C09AA02",
        "372658000",
        &[tablet("5", TWENTIES, 70), tablet("10", TWENTIES, 105), tablet("20", TWENTIES, 160)],
    ),
    substance(
        ("Лозартан", "Losartan"),
        "C09CA01",
        "373567002",
        &[coated("50", TENS, 230), coated("100", TENS, 380)],
    ),
    substance(
        ("Карведилол", "Carvedilol"),
        "C07AG02",
        "386870007",
        &[tablet("6.25", SEVENS, 180), tablet("12.5", TENS, 240), tablet("25", TENS, 330)],
    ),
    substance(
        ("Метопролол", "Metoprolol"),
        "C07AB02",
        "372826007",
        &[tablet("50", TENS, 120), tablet("100", TENS, 190)],
    ),
    substance(
        ("Клопідогрель", "Clopidogrel"),
        "B01AC04",
        "386952008",
        &[coated("75", SEVENS, 420)],
    ),
    substance(
        ("Ацетилсаліцилова кислота", "Acetylsalicylic acid"),
        "B01AC06",
        "387458008",
        &[coated("75", TENS, 110), coated("100", TENS, 125)],
    ),
    substance(
        ("Варфарин", "Warfarin"),
        "B01AA03",
        "372756006",
        &[tablet("3", FIFTIES, 115), tablet("5", FIFTIES, 150)],
    ),
    substance(
        ("Аторвастатин", "Atorvastatin"),
        "C10AA05",
        "373444002",
        &[coated("10", TENS, 240), coated("20", TENS, 350), coated("40", TENS, 540)],
    ),
    substance(
        ("Симвастатин", "Simvastatin"),
        "C10AA01",
        "387584000",
        &[coated("20", SEVENS, 290), coated("40", SEVENS, 430)],
    ),
    substance(
        ("Розувастатин", "Rosuvastatin"),
        "C10AA07",
        "",
        &[coated("10", TENS, 410), coated("20", TENS, 620)],
    ),
    substance(("Фуросемід", "Furosemide"), "C03CA01", "387475002", &[tablet("40", FIFTIES, 75)]),
    substance(
        ("Торасемід", "Torasemide"),
        "C03CA04",
        "108476002",
        &[tablet("5", TENS, 310), tablet("10", TENS, 460)],
    ),
    substance(
        ("Спіронолактон", "Spironolactone"),
        "C03DA01",
        "387078006",
        &[tablet("25", TWENTIES, 220), tablet("100", TENS, 560)],
    ),
    substance(
        ("Гідрохлоротіазид", "Hydrochlorothiazide"),
        "C03AA03",
        "387525002",
        &[tablet("25", TWENTIES, 90)],
    ),
    substance(
        ("Індапамід", "Indapamide"),
        "C03BA11",
        "387419003",
        &[milligrams(Form::ModifiedReleaseTablet, "1.5", TENS, 260), coated("2.5", TENS, 210)],
    ),
    substance(("Аміодарон", "Amiodarone"), "C01BD01", "372821002", &[tablet("200", TENS, 340)]),
    substance(("Дигоксин", "Digoxin"), "C01AA05", "387461009", &[tablet("0.25", FIFTIES, 65)]),
    substance(
        ("Гліцерилу тринітрат", "Glyceryl trinitrate"),
        "C01DA02",
        "387404004",
        &[milligrams(Form::SublingualTablet, "0.5", FIFTIES, 80)],
    ),
    substance(
        ("Ізосорбіду динітрат", "Isosorbide dinitrate"),
        "C01DA08",
        "387332007",
        &[tablet("10", FIFTIES, 85), tablet("20", FIFTIES, 130)],
    ),
    substance(
        ("Верапаміл", "Verapamil"),
        "C08DA01",
        "372754009",
        &[coated("40", TWENTIES, 95), coated("80", TWENTIES, 140)],
    ),
    substance(
        ("Ніфедипін", "Nifedipine"),
        "C08CA05",
        "387490003",
        &[coated("10", FIFTIES, 70), milligrams(Form::ModifiedReleaseTablet, "20", FIFTIES, 120)],
    ),
    substance(
        ("Раміприл", "Ramipril"),
        "C09AA05",
        "386872004",
        &[tablet("5", TENS, 270), tablet("10", TENS, 410)],
    ),
    substance(
        ("Лізиноприл", "Lisinopril"),
        "C09AA03",
        "386873009",
        &[tablet("10", TENS, 160), tablet("20", TENS, 250)],
    ),
    substance(
        ("Периндоприл", "Perindopril"),
        "C09AA04",
        "372916001",
        &[tablet("4", TENS, 330), tablet("8", TENS, 520)],
    ),
    substance(
        ("Валсартан", "Valsartan"),
        "C09CA03",
        "386876001",
        &[coated("80", SEVENS, 340), coated("160", SEVENS, 510)],
    ),
    substance(
        ("Івабрадин", "Ivabradine"),
        "C01EB17",
        "421228002",
        &[coated("5", SEVENS, 680), coated("7.5", SEVENS, 820)],
    ),
    substance(("Небіволол", "Nebivolol"), "C07AB12", "", &[tablet("5", TENS, 370)]),
    substance(
        ("Моксонідин", "Moxonidine"),
        "C02AC05",
        "",
        &[coated("0.2", SEVENS, 390), coated("0.4", SEVENS, 560)],
    ),
];

/// Two substances in one tablet.
pub(crate) const COMBINATIONS: &[Combination] = &[
    Combination {
        originals: ["Perindopril", "Indapamide"],
        atc: "C09BA04",
        field: Field::Heart,
        strength: tablet("4", TENS, 480),
        second_value: "1.25",
    },
    Combination {
        originals: ["Losartan", "Hydrochlorothiazide"],
        atc: "C09DA01",
        field: Field::Heart,
        strength: coated("50", TENS, 390),
        second_value: "12.5",
    },
    Combination {
        originals: ["Enalapril", "Hydrochlorothiazide"],
        atc: "C09BA02",
        field: Field::Heart,
        strength: tablet("10", TWENTIES, 240),
        second_value: "25",
    },
    Combination {
        originals: ["Bisoprolol", "Amlodipine"],
        atc: "C07FB07",
        field: Field::Heart,
        strength: tablet("5", TENS, 430),
        second_value: "5",
    },
    Combination {
        originals: ["Valsartan", "Amlodipine"],
        atc: "C09DB01",
        field: Field::Heart,
        strength: coated("160", SEVENS, 620),
        second_value: "5",
    },
    Combination {
        originals: ["Metformin", "Glimepiride"],
        atc: "A10BD02",
        field: Field::Diabetes,
        strength: coated("500", TENS, 450),
        second_value: "2",
    },
];
