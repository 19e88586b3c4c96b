//! Towns and addresses.

use serde_json::{Value, json};

use crate::money::number;
use crate::seed::{Draw, Seed};

/// A town of Ukraine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Town {
    pub(crate) name: &'static str,
    area: &'static str,
    zip: &'static str,
    pub(crate) telephone_code: &'static str,
    /// Latitude and longitude in ten-thousandths of a degree.
    centre: (u32, u32),
}

impl Town {
    /// Where the `n`-th establishment stands: half of them in the big towns.
    pub(crate) fn drawn(draw: &mut Draw) -> Self {
        if draw.chance(50) { draw.one_of(&TOWNS[..BIG]) } else { draw.one_of(&TOWNS) }
    }

    /// Whether the settlement has the rights of a mountain settlement.
    pub(crate) fn is_mountain(&self) -> bool {
        matches!(self.name, "Яремче" | "Рахів" | "Верховина")
    }

    /// An address in it, in the shape of the register.
    pub(crate) fn address(&self, seed: &Seed, draw: &mut Draw) -> Value {
        let (street_type, street) = draw.one_of(&STREETS);
        let zip = format!("{}{:0width$}", self.zip, draw.below(90), width = 5 - self.zip.len());
        let corner = if draw.chance(15) { draw.one_of(&["А", "Б", "В"]) } else { "" };
        json!({
            "type": "RESIDENCE",
            "country": "UA",
            "area": self.area,
            "settlement": self.name.to_uppercase(),
            "settlement_type": "CITY",
            "settlement_id": seed.id(self.name, 0),
            "street_type": street_type,
            "street": street,
            "building": format!("{}{corner}", draw.between(1, 140)),
            "zip": zip,
        })
    }

    /// A point not far from its centre.
    pub(crate) fn location(&self, draw: &mut Draw) -> Value {
        let mut near = |centre: u32| {
            let point = centre + draw.below(600) - 300;
            number(&format!("{}.{:04}", point / 10_000, point % 10_000)).ok()
        };
        json!({ "latitude": near(self.centre.0), "longitude": near(self.centre.1) })
    }
}

/// How many of the towns, from the first, are big.
const BIG: usize = 9;

const fn town(
    name: &'static str,
    area: &'static str,
    zip: &'static str,
    telephone_code: &'static str,
    centre: (u32, u32),
) -> Town {
    Town { name, area, zip, telephone_code, centre }
}

const TOWNS: [Town; 36] = [
    town("Київ", "М.КИЇВ", "02", "44", (504_501, 305_234)),
    town("Харків", "ХАРКІВСЬКА", "61", "57", (499_935, 362_304)),
    town("Одеса", "ОДЕСЬКА", "65", "48", (464_825, 307_233)),
    town("Дніпро", "ДНІПРОПЕТРОВСЬКА", "49", "56", (484_647, 350_462)),
    town("Львів", "ЛЬВІВСЬКА", "79", "32", (498_397, 240_297)),
    town("Запоріжжя", "ЗАПОРІЗЬКА", "69", "61", (478_388, 351_396)),
    town("Кривий Ріг", "ДНІПРОПЕТРОВСЬКА", "50", "56", (479_105, 333_918)),
    town("Миколаїв", "МИКОЛАЇВСЬКА", "54", "512", (469_750, 319_946)),
    town("Вінниця", "ВІННИЦЬКА", "21", "432", (492_331, 284_682)),
    town("Полтава", "ПОЛТАВСЬКА", "36", "532", (495_883, 345_514)),
    town("Чернігів", "ЧЕРНІГІВСЬКА", "14", "462", (514_982, 312_893)),
    town("Черкаси", "ЧЕРКАСЬКА", "18", "472", (494_444, 320_598)),
    town("Житомир", "ЖИТОМИРСЬКА", "10", "412", (502_547, 286_587)),
    town("Суми", "СУМСЬКА", "40", "542", (509_077, 347_981)),
    town("Хмельницький", "ХМЕЛЬНИЦЬКА", "29", "382", (494_230, 269_871)),
    town("Чернівці", "ЧЕРНІВЕЦЬКА", "58", "372", (482_921, 259_358)),
    town("Рівне", "РІВНЕНСЬКА", "33", "362", (506_199, 262_516)),
    town("Івано-Франківськ", "ІВАНО-ФРАНКІВСЬКА", "76", "342", (489_226, 247_111)),
    town("Кропивницький", "КІРОВОГРАДСЬКА", "25", "522", (485_079, 322_623)),
    town("Тернопіль", "ТЕРНОПІЛЬСЬКА", "46", "352", (495_535, 255_948)),
    town("Луцьк", "ВОЛИНСЬКА", "43", "332", (507_472, 253_254)),
    town("Ужгород", "ЗАКАРПАТСЬКА", "88", "312", (486_208, 222_879)),
    town("Херсон", "ХЕРСОНСЬКА", "73", "552", (466_354, 326_169)),
    town("Біла Церква", "КИЇВСЬКА", "091", "456", (498_094, 301_121)),
    town("Бровари", "КИЇВСЬКА", "074", "459", (505_111, 307_909)),
    town("Ірпінь", "КИЇВСЬКА", "082", "459", (505_217, 302_450)),
    town("Кременчук", "ПОЛТАВСЬКА", "396", "536", (490_631, 334_038)),
    town("Дрогобич", "ЛЬВІВСЬКА", "821", "324", (493_500, 235_050)),
    town("Мукачево", "ЗАКАРПАТСЬКА", "896", "313", (484_414, 227_177)),
    town("Яремче", "ІВАНО-ФРАНКІВСЬКА", "785", "343", (484_532, 245_550)),
    town("Рахів", "ЗАКАРПАТСЬКА", "906", "313", (480_500, 242_167)),
    town("Верховина", "ІВАНО-ФРАНКІВСЬКА", "787", "343", (481_500, 248_300)),
    town("Умань", "ЧЕРКАСЬКА", "203", "474", (487_484, 302_218)),
    town("Ковель", "ВОЛИНСЬКА", "450", "335", (512_153, 247_087)),
    town("Коломия", "ІВАНО-ФРАНКІВСЬКА", "782", "343", (485_306, 250_403)),
    town("Ніжин", "ЧЕРНІГІВСЬКА", "166", "463", (510_480, 318_869)),
];

const STREETS: [(&str, &str); 28] = [
    ("STREET", "Соборна"),
    ("STREET", "Тараса Шевченка"),
    ("STREET", "Михайла Грушевського"),
    ("AVENUE", "Незалежності"),
    ("STREET", "Івана Франка"),
    ("STREET", "Лесі Українки"),
    ("STREET", "Центральна"),
    ("STREET", "Садова"),
    ("STREET", "Київська"),
    ("STREET", "Героїв України"),
    ("STREET", "Петра Сагайдачного"),
    ("STREET", "Богдана Хмельницького"),
    ("AVENUE", "Свободи"),
    ("STREET", "Івана Мазепи"),
    ("STREET", "Григорія Сковороди"),
    ("STREET", "Пилипа Орлика"),
    ("STREET", "Володимира Великого"),
    ("STREET", "Княгині Ольги"),
    ("STREET", "Ярослава Мудрого"),
    ("STREET", "Джерельна"),
    ("STREET", "Вишнева"),
    ("STREET", "Шкільна"),
    ("STREET", "Набережна"),
    ("BOULEVARD", "Шевченка"),
    ("STREET", "Василя Стуса"),
    ("STREET", "Ліни Костенко"),
    ("STREET", "Олени Пчілки"),
    ("SQUARE", "Ринок"),
];
