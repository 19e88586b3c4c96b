//! Pages lead where they say they lead: files are there, and so are the headings in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Where no pages of ours are.
const ELSEWHERE: [&str; 4] = ["target", ".git", ".dispense", "corpus"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every page, by its path in the repository.
fn pages() -> BTreeMap<PathBuf, String> {
    let mut folders = vec![workspace()];
    let mut pages = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if path.is_dir() && !ELSEWHERE.contains(&&*name) {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "md") {
                let text = fs::read_to_string(&path).unwrap();
                pages.insert(path.strip_prefix(workspace()).unwrap().to_owned(), text);
            }
        }
    }
    pages
}

/// The lines of a page that are no code.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    page.lines().zip(1..).filter_map(move |(line, number)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        (!fence && !in_code).then_some((number, line))
    })
}

/// What a link calls the headings of a page: letters and digits in lower case, hyphens for blanks, and
/// a number where two are alike.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for (_, line) in prose(page) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let title = linked(title.trim()).to_lowercase();
        let anchor: String = title.chars().filter(kept).collect::<String>().replace(' ', "-");
        let alike = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone()).chain(alike).find(|it| !anchors.contains(it));
        anchors.insert(free.unwrap());
    }
    anchors
}

/// A title without the targets of its links.
fn linked(title: &str) -> String {
    let mut parts = title.split("](");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        plain.push_str(part.split_once(')').map_or("", |(_, rest)| rest));
    }
    plain
}

/// The targets of the links on a line; code in it has none.
fn targets(line: &str) -> Vec<&str> {
    let outside_code = line.split('`').step_by(2);
    let after = outside_code.flat_map(|text| text.split("](").skip(1));
    let inline = after.filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    let named = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|it| it.1);
    inline.chain(named).collect()
}

/// A path without `.` and `..`, or nothing if it leaves the repository.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => inside.push(name),
            Component::ParentDir => inside.pop().then_some(())?,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(inside)
}

/// What is wrong with a link on a page.
fn objection(pages: &BTreeMap<PathBuf, String>, page: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |it| (it.0, Some(it.1)));
    let path = if file.is_empty() {
        page.to_owned()
    } else {
        match inside(&page.parent().unwrap().join(file)) {
            Some(path) => path,
            None => return Some(format!("{target} leads out of the repository")),
        }
    };
    if !pages.contains_key(&path) && !workspace().join(&path).exists() {
        return Some(format!("{} is not there", path.display()));
    }
    let anchor = anchor?;
    match pages.get(&path) {
        Some(text) if anchors(text).contains(anchor) => None,
        Some(_) => Some(format!("{} has no heading #{anchor}", path.display())),
        None => Some(format!("{} is no page with headings", path.display())),
    }
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut links = 0;
    let mut broken = Vec::new();
    for (page, text) in &pages {
        for (number, line) in prose(text) {
            for target in targets(line) {
                links += 1;
                let objection = objection(&pages, page, target);
                broken.extend(objection.map(|it| format!("{}:{number}: {it}", page.display())));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(links > 100, "{links} links in {} pages: they are not found any more", pages.len());
}

#[test]
fn a_link_that_leads_nowhere_is_noticed() {
    let page =
        "# One `thing`, two\n\n## One\n\n```text\n# no heading [x](nowhere.md)\n```\n\n## One\n";
    let pages = BTreeMap::from([(PathBuf::from("docs/page.md"), page.to_owned())]);
    let objects = |target: &str| objection(&pages, Path::new("docs/page.md"), target).is_some();
    for target in
        ["#one-thing-two", "#one", "#one-1", "../README.md", ".", "https://example.org/#x"]
    {
        assert!(!objects(target), "{target}");
    }
    for target in ["#One", "#two", "#no-heading-x", "nowhere.md", "../../x", "../Makefile#run", "/"]
    {
        assert!(objects(target), "{target}");
    }
    assert_eq!(targets("a [b](c.md), `[d](e.md)` and [f](g.md#h)"), ["c.md", "g.md#h"]);
    assert_eq!(targets("[b]: c.md"), ["c.md"]);
    assert_eq!(prose(page).count(), 6);
}
