//! Who makes medications. The companies are invented; their products are named after them.

/// A company that makes medications.
#[derive(Debug)]
pub(crate) struct Manufacturer {
    /// What stands behind the hyphen in the names of its products.
    pub(crate) mark: &'static str,
    pub(crate) name: &'static str,
    pub(crate) country: &'static str,
}

const fn maker(mark: &'static str, name: &'static str, country: &'static str) -> Manufacturer {
    Manufacturer { mark, name, country }
}

/// All of them.
pub(crate) const MANUFACTURERS: [Manufacturer; 24] = [
    maker("Дніпролік", "ПрАТ «Дніпролік», м. Дніпро", "UA"),
    maker("Нордвія", "Nordvia Pharma A/S", "DK"),
    maker("Поліссяфарм", "ТОВ «Поліссяфарм», м. Житомир", "UA"),
    maker("Рейнмед", "Rheinmed Arzneimittel GmbH", "DE"),
    maker("Карпатлік", "ТОВ «Карпатлік», м. Коломия", "UA"),
    maker("Гангафарм", "Gangapharm Laboratories Ltd.", "IN"),
    maker("Слобожанка", "АТ «Хімфармзавод «Слобожанка», м. Харків", "UA"),
    maker("Віступол", "Zakłady Farmaceutyczne Vistupol S.A.", "PL"),
    maker("Таврія", "ПрАТ «Таврія-Фарма», м. Херсон", "UA"),
    maker("Балканмед", "Balkanmed AD", "BG"),
    maker("Поділлямед", "ТОВ «Поділлямед», м. Вінниця", "UA"),
    maker("Дунавія", "Dunavia Gyógyszergyár Zrt.", "HU"),
    maker("Київхімпродукт", "ПАТ «Київхімпродукт», м. Київ", "UA"),
    maker("Ібероль", "Laboratorios Iberol S.A.", "ES"),
    maker("Галичлік", "ТОВ «Галичлік», м. Львів", "UA"),
    maker("Гельветін", "Helvetin AG", "CH"),
    maker("Волиньмед", "ТОВ «Волиньмед», м. Луцьк", "UA"),
    maker("Адріалек", "Adrialek d.d.", "SI"),
    maker("Черкасифарм", "ТОВ «Черкасифармпродукт», м. Черкаси", "UA"),
    maker("Лютетікс", "Laboratoires Lutetix", "FR"),
    maker("Сумилік", "ТОВ «Сумилік», м. Суми", "UA"),
    maker("Моравія", "Moravia Léčiva a.s.", "CZ"),
    maker("Одесафарм", "ТОВ «Одесафармація», м. Одеса", "UA"),
    maker("Карелія", "Karelia Lääke Oy", "FI"),
];
