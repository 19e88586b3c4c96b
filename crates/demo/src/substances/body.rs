//! Breath, mind, infections, pain, stomach.

use super::{
    AMPOULES, CONTAINERS, COURSE, FEW_PUFFS, FIFTIES, Form, PUFFS, SEVENS, SINGLE, Substance, TENS,
    THREES, TWENTIES, coated, micrograms, milligrams, substance, tablet,
};

/// Asthma and other illnesses of the lungs.
pub(super) const BREATH: &[Substance] = &[
    substance(
        ("Сальбутамол", "Salbutamol"),
        "R03AC02",
        "372897005",
        &[
            micrograms(Form::Aerosol, "100", PUFFS, 60),
            milligrams(Form::Nebuliser, "2.5", CONTAINERS, 950),
        ],
    ),
    substance(
        ("Будесонід", "Budesonide"),
        "R03BA02",
        "395726003",
        &[
            micrograms(Form::Aerosol, "200", PUFFS, 145),
            milligrams(Form::Nebuliser, "0.5", CONTAINERS, 2400),
        ],
    ),
    substance(
        ("Беклометазон", "Beclometasone"),
        "R03BA01",
        "",
        &[micrograms(Form::Aerosol, "250", PUFFS, 110)],
    ),
    substance(
        ("Іпратропію бромід", "Ipratropium bromide"),
        "R03BB01",
        "",
        &[micrograms(Form::Aerosol, "20", PUFFS, 130)],
    ),
    substance(
        ("Формотерол", "Formoterol"),
        "R03AC13",
        "414289007",
        &[micrograms(Form::Aerosol, "12", FEW_PUFFS, 390)],
    ),
    substance(
        ("Сальметерол", "Salmeterol"),
        "R03AC12",
        "372515005",
        &[micrograms(Form::Aerosol, "25", FEW_PUFFS, 260)],
    ),
    substance(
        ("Флутиказон", "Fluticasone"),
        "R03BA05",
        "397192001",
        &[micrograms(Form::Aerosol, "125", FEW_PUFFS, 240)],
    ),
    substance(("Монтелукаст", "Montelukast"), "R03DC03", "373728005", &[coated("10", SEVENS, 690)]),
];

/// Epilepsy, depression and other illnesses of the mind.
pub(super) const MIND: &[Substance] = &[
    substance(
        ("Карбамазепін", "Carbamazepine"),
        "N03AF01",
        "387222003",
        &[tablet("200", FIFTIES, 160)],
    ),
    substance(
        ("Вальпроєва кислота", "Valproic acid"),
        "N03AG01",
        "387080000",
        &[
            milligrams(Form::ModifiedReleaseTablet, "300", TENS, 430),
            milligrams(Form::ModifiedReleaseTablet, "500", TENS, 620),
        ],
    ),
    substance(
        ("Ламотриджин", "Lamotrigine"),
        "N03AX09",
        "387562000",
        &[tablet("50", TENS, 380), tablet("100", TENS, 590)],
    ),
    substance(
        ("Леветирацетам", "Levetiracetam"),
        "N03AX14",
        "387000003",
        &[coated("500", TENS, 720)],
    ),
    substance(("Тригексифенідил", "Trihexyphenidyl"), "N04AA01", "", &[tablet("2", FIFTIES, 85)]),
    substance(
        ("Амітриптилін", "Amitriptyline"),
        "N06AA09",
        "372726002",
        &[coated("25", FIFTIES, 75)],
    ),
    substance(
        ("Флуоксетин", "Fluoxetine"),
        "N06AB03",
        "372767007",
        &[milligrams(Form::Capsule, "20", TWENTIES, 330)],
    ),
    substance(("Сертралін", "Sertraline"), "N06AB06", "372594008", &[coated("50", SEVENS, 560)]),
    substance(
        ("Есциталопрам", "Escitalopram"),
        "N06AB10",
        "400447003",
        &[coated("10", SEVENS, 610)],
    ),
    substance(("Рисперидон", "Risperidone"), "N05AX08", "386840002", &[coated("2", TWENTIES, 640)]),
    substance(("Галоперидол", "Haloperidol"), "N05AD01", "386837002", &[tablet("5", FIFTIES, 110)]),
    substance(
        ("Клозапін", "Clozapine"),
        "N05AH02",
        "387568001",
        &[tablet("25", FIFTIES, 180), tablet("100", FIFTIES, 440)],
    ),
];

/// Antibiotics and the like.
pub(super) const INFECTION: &[Substance] = &[
    substance(
        ("Амоксицилін", "Amoxicillin"),
        "J01CA04",
        "372687004",
        &[milligrams(Form::Capsule, "500", TWENTIES, 360)],
    ),
    substance(
        ("Азитроміцин", "Azithromycin"),
        "J01FA10",
        "387531004",
        &[coated("500", THREES, 4200)],
    ),
    substance(
        ("Цефтріаксон", "Ceftriaxone"),
        "J01DD04",
        "372670001",
        &[milligrams(Form::Powder, "1000", SINGLE, 3900)],
    ),
    substance(("Цефуроксим", "Cefuroxime"), "J01DC02", "372833007", &[coated("500", COURSE, 1850)]),
    substance(
        ("Ципрофлоксацин", "Ciprofloxacin"),
        "J01MA02",
        "372840008",
        &[coated("500", COURSE, 480)],
    ),
    substance(
        ("Левофлоксацин", "Levofloxacin"),
        "J01MA12",
        "387552007",
        &[coated("500", COURSE, 1250)],
    ),
    substance(
        ("Доксициклін", "Doxycycline"),
        "J01AA02",
        "372478003",
        &[milligrams(Form::Capsule, "100", COURSE, 290)],
    ),
    substance(
        ("Флуконазол", "Fluconazole"),
        "J02AC01",
        "387174006",
        &[milligrams(Form::Capsule, "150", SINGLE, 3100)],
    ),
];

/// Pain and inflammation.
pub(super) const PAIN: &[Substance] = &[
    substance(
        ("Ібупрофен", "Ibuprofen"),
        "M01AE01",
        "387207008",
        &[coated("200", TWENTIES, 130), coated("400", TWENTIES, 240)],
    ),
    substance(
        ("Диклофенак", "Diclofenac"),
        "M01AB05",
        "7034005",
        &[milligrams(Form::Ampoule, "75", AMPOULES, 1150)],
    ),
    substance(
        ("Парацетамол", "Paracetamol"),
        "N02BE01",
        "387517004",
        &[tablet("500", COURSE, 110)],
    ),
    substance(
        ("Мелоксикам", "Meloxicam"),
        "M01AC06",
        "",
        &[tablet("15", TWENTIES, 410), milligrams(Form::Ampoule, "15", AMPOULES, 3200)],
    ),
    substance(
        ("Декскетопрофен", "Dexketoprofen"),
        "M01AE17",
        "",
        &[milligrams(Form::Ampoule, "50", AMPOULES, 3600)],
    ),
];

/// Stomach and bowels.
pub(super) const STOMACH: &[Substance] = &[
    substance(
        ("Омепразол", "Omeprazole"),
        "A02BC01",
        "387137007",
        &[milligrams(Form::Capsule, "20", TENS, 190)],
    ),
    substance(
        ("Пантопразол", "Pantoprazole"),
        "A02BC02",
        "395821003",
        &[coated("40", SEVENS, 510)],
    ),
    substance(
        ("Метоклопрамід", "Metoclopramide"),
        "A03FA01",
        "372776000",
        &[tablet("10", FIFTIES, 95), milligrams(Form::Ampoule, "10", AMPOULES, 880)],
    ),
    substance(
        ("Лоперамід", "Loperamide"),
        "A07DA03",
        "387040009",
        &[milligrams(Form::Capsule, "2", COURSE, 170)],
    ),
];
