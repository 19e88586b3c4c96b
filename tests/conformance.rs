//! Every case that the register's own systems are known by, and the test that tells it. The sources
//! of the tests are read, so that the list cannot say what is not so; `docs/conformance.md` is
//! written from it.

mod cases;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use cases::{CHAPTERS, Known, Result};

/// What stands above the table.
const HEAD: &str = "\
# Conformance

The service speaks the register's API, so it is held against the cases that the register's own public
test suites consist of, and against some that follow from its rules: the expectations here are in our
own words. Each case that concerns this service is told over HTTP by a test of the real binary, which
has the id of the case in its name; most of them ask the platform's API as well.

* **passes**: the service answers as expected, to status, type, path, rule and text.
* **otherwise**: it answers otherwise on purpose, and how and why is said; the test tells our answer.
* **does not apply**: the case is about something that this service does not do.

This page is written from `tests/conformance/` and from the sources of the tests:
`UPDATE_DOCS=1 cargo test -p dispense-tests conformance`. The test fails if a case has no test, if a test
has an id that no case has, or if the page is out of date.
";

/// The letters that ids begin with.
const LETTERS: &str = "cgprqsthx";

/// A test with ids in its name.
#[derive(Debug)]
struct Told {
    file: String,
    name: String,
}

fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file of this package.
fn sources() -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![tests().to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The ids that the name of a function begins with: of `p_10_p_12_who_signs…`, P-10 and P-12.
fn ids(name: &str) -> Vec<String> {
    let mut parts = name.split('_');
    let mut ids = Vec::new();
    while let (Some(letter), Some(number)) = (parts.next(), parts.next()) {
        let is_letter = letter.len() == 1 && LETTERS.contains(letter);
        let is_number = number.len() == 2 && number.bytes().all(|it| it.is_ascii_digit());
        if !is_letter || !is_number {
            break;
        }
        ids.push(format!("{}-{number}", letter.to_uppercase()));
    }
    ids
}

/// The name of the function that a line begins.
fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))?;
    Some(&rest[..rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_')?])
}

/// Whether a line makes a test of the function that follows.
fn makes_a_test(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("#[test]") || line.starts_with("#[tokio::test")
}

/// Every test that has ids in its name, by id.
fn told() -> BTreeMap<String, Vec<Told>> {
    let mut told: BTreeMap<String, Vec<Told>> = BTreeMap::new();
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let file = format!("tests/{}", path.strip_prefix(tests()).unwrap().display());
        let mut before = "";
        for line in text.lines() {
            if let Some(name) = function(line) {
                for id in ids(name) {
                    assert!(makes_a_test(before), "{file}: {name} has an id and is no test");
                    let told = told.entry(id).or_default();
                    told.push(Told { file: file.clone(), name: name.to_owned() });
                }
            }
            before = line;
        }
    }
    told
}

fn all() -> impl Iterator<Item = &'static Known> {
    CHAPTERS.iter().flat_map(|(_, cases)| cases.iter())
}

#[test]
fn ids_are_read_off_names() {
    assert_eq!(ids("c_04_dispense_valid_from_is_tomorrow"), ["C-04"]);
    assert_eq!(ids("s_01_s_02_s_04_one_thing"), ["S-01", "S-02", "S-04"]);
    for none in ["a_04_no_such_letter", "c_4_one_digit", "holding", "x_ray"] {
        assert_eq!(ids(none), [""; 0], "{none}");
    }
}

#[test]
fn conformance_of_each_case_is_as_its_tests_say() {
    let told = told();
    let mut known = BTreeSet::new();
    for case in all() {
        assert!(known.insert(case.id), "{} is listed twice", case.id);
        let tests = told.get(case.id);
        match case.result {
            Result::Passes | Result::Otherwise(_) => {
                assert!(tests.is_some(), "no test has {} in its name", case.id);
            }
            Result::DoesNotApply(_) => {
                assert!(tests.is_none(), "{} does not apply, but {tests:?}", case.id);
            }
        }
    }
    for (id, tests) in &told {
        assert!(known.contains(id.as_str()), "{id} is in no table: {tests:?}");
    }
}

/// What the tests say of a case.
fn result(case: &Known, told: &BTreeMap<String, Vec<Told>>) -> String {
    let tests = || {
        let tests = told.get(case.id).into_iter().flatten();
        let tests: Vec<String> = tests.map(|it| format!("`{}` `{}`", it.file, it.name)).collect();
        tests.join(", ")
    };
    match case.result {
        Result::Passes => format!("passes: {}", tests()),
        Result::Otherwise(how) => format!("otherwise: {how}: {}", tests()),
        Result::DoesNotApply(why) => format!("does not apply: {why}"),
    }
}

fn page() -> String {
    let told = told();
    let count = |is: fn(&Result) -> bool| all().filter(|case| is(&case.result)).count();
    let mut page = HEAD.to_owned();
    let [passing, otherwise, elsewhere] = [
        count(|it| matches!(it, Result::Passes)),
        count(|it| matches!(it, Result::Otherwise(_))),
        count(|it| matches!(it, Result::DoesNotApply(_))),
    ];
    write!(
        page,
        "\nOf {} cases {passing} pass, {otherwise} are answered otherwise, and {elsewhere} do not \
         apply.\n\n| id | expectation | result |\n| --- | --- | --- |\n",
        all().count(),
    )
    .unwrap();
    for (chapter, cases) in CHAPTERS {
        writeln!(page, "| | **{chapter}** | |").unwrap();
        for case in *cases {
            let result = result(case, &told);
            writeln!(page, "| {} | {} | {result} |", case.id, case.expectation).unwrap();
        }
    }
    page
}

#[test]
fn the_page_of_conformance_is_up_to_date() {
    let path = tests().join("../docs/conformance.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let way_out = "run `UPDATE_DOCS=1 cargo test -p dispense-tests conformance`";
    assert_eq!(committed, page, "docs/conformance.md is out of date: {way_out}");
}
