//! Alarms and dashboard: that they ask for figures which there are, and that each alarm says what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::written::{anchors, document, repository, text};
use crate::harness::{Database, Instance, eventually};

/// Where alarms say what to do.
const PAGE: &str = "docs/operations.md";

/// What the figures of others begin with: Prometheus itself, and exporters beside the database.
const OF_OTHERS: [&str; 3] = ["pg_", "node_", "ALERTS"];

/// What a histogram is asked by.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// Labels that Prometheus gives, and not the service.
const GIVEN: [&str; 3] = ["job", "instance", "le"];

/// Where counters are only begun: a name that stands nowhere else counts nothing.
const BEGUN: &str = "from_zero.rs";

fn alarms() -> Vec<Value> {
    let groups = document("deploy/alerts.yaml")["groups"].as_array().unwrap().clone();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

fn name(alarm: &Value) -> &str {
    alarm["alert"].as_str().unwrap()
}

/// All that alarms and dashboard ask.
fn questions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&text("deploy/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().clone();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let drawn = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    let alarms = alarms();
    let asked = alarms.iter().map(|alarm| alarm["expr"].as_str().unwrap().to_owned());
    let all: Vec<_> = drawn.chain(asked).collect();
    assert!(all.len() > 100, "{}", all.len());
    all
}

/// A figure that is asked for, with the labels that are named.
type Asked = BTreeMap<String, BTreeSet<String>>;

/// The figures that a question names, each with the labels that its braces name.
fn figures(question: &str) -> Asked {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Asked::new();
    let mut rest = question;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || "\"[".contains(c)) {
        rest = &rest[start..];
        if rest.starts_with('[') {
            rest = rest.split_once(']').unwrap().1;
            continue;
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = quoted.split_once('"').unwrap().1;
            continue;
        }
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        let Some((labels, after)) = rest.strip_prefix('{').and_then(|it| it.split_once('}')) else {
            if word.contains('_') && !FUNCTIONS.contains(&word) {
                found.entry(word.to_owned()).or_default();
            }
            continue;
        };
        let labels = labels.split(',').map(|label| label.trim().split(['=', '!']).next().unwrap());
        found.entry(word.to_owned()).or_default().extend(labels.map(str::to_owned));
        rest = after;
    }
    found
}

/// Words of the language with an underscore in them.
const FUNCTIONS: [&str; 3] = ["histogram_quantile", "max_over_time", "predict_linear"];

/// The name under which the service counts it.
fn counted(figure: &str) -> &str {
    PARTS.iter().find_map(|part| figure.strip_suffix(part)).unwrap_or(figure)
}

fn of_the_service() -> Asked {
    let mut all = Asked::new();
    for question in questions() {
        for (figure, labels) in figures(&question) {
            if figure != "up" && !OF_OTHERS.iter().any(|other| figure.starts_with(other)) {
                all.entry(counted(&figure).to_owned()).or_default().extend(labels);
            }
        }
    }
    all
}

#[test]
fn a_question_names_figures_and_labels() {
    let question =
        r#"sum by (le) (rate(a_total{job="dispense", status=~"5.."}[$__rate])) / b_bytes"#;
    let asked = figures(question);
    assert_eq!(asked.keys().collect::<Vec<_>>(), ["a_total", "b_bytes"]);
    assert_eq!(asked["a_total"], ["job".to_owned(), "status".to_owned()].into());
}

#[test]
fn each_alarm_says_how_urgent_it_is_and_what_to_do() {
    let anchors = anchors(PAGE);
    let mut names = BTreeSet::new();
    for alarm in alarms() {
        let name = name(&alarm).to_owned();
        let severity = alarm["labels"]["severity"].as_str().unwrap();
        assert!(["critical", "warning", "info"].contains(&severity), "{name}: {severity}");
        let annotations = &alarm["annotations"];
        assert!(annotations["summary"].as_str().is_some_and(|it| !it.is_empty()), "{name}");
        let (page, heading) = annotations["runbook_url"].as_str().unwrap().split_once('#').unwrap();
        assert_eq!(page, PAGE, "{name}");
        assert!(anchors.contains(heading), "{PAGE} has no heading #{heading} for {name}");
        assert!(names.insert(name.clone()), "there are two alarms {name}");
    }
}

#[test]
fn each_heading_below_alarms_has_its_alarm_or_is_a_remedy() {
    let text = text(PAGE);
    let (_, after) = text.split_once("\n## Alarms\n").unwrap();
    let part = after.split_once("\n## ").unwrap().0;
    let alarms = alarms();
    let named: BTreeSet<_> = alarms
        .iter()
        .map(|alarm| {
            alarm["annotations"]["runbook_url"].as_str().unwrap().split_once('#').unwrap().1
        })
        .collect();
    let headings = part.lines().filter_map(|line| line.strip_prefix("### "));
    let anchor = |heading: &str| heading.to_lowercase().replace(' ', "-");
    let without: Vec<_> = headings.map(anchor).filter(|it| !named.contains(it.as_str())).collect();
    assert_eq!(without, ["rebuild-a-read-model"]);
}

#[test]
fn each_alarm_is_shown_firing_and_silent() {
    let tests = document("deploy/alerts.test.yaml");
    let (mut firing, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for test in tests["tests"].as_array().unwrap() {
        for shown in test["alert_rule_test"].as_array().unwrap() {
            let name = shown["alertname"].as_str().unwrap().to_owned();
            let alerts = shown["exp_alerts"].as_array().unwrap();
            if alerts.is_empty() { &mut silent } else { &mut firing }.insert(name);
        }
    }
    let alarms: BTreeSet<_> = alarms().iter().map(|alarm| name(alarm).to_owned()).collect();
    assert_eq!(firing, alarms, "shown firing");
    assert_eq!(silent, alarms, "shown silent");
}

/// The text of everything that counts.
fn sources() -> String {
    let mut folders: Vec<PathBuf> = vec![repository().join("crates")];
    let mut all = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let named = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && named != "tests" {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") && named != BEGUN {
                all.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    all
}

#[test]
fn every_figure_that_is_asked_for_is_counted_somewhere() {
    let sources = sources();
    let missing: Vec<_> = of_the_service()
        .into_keys()
        .filter(|figure| !figure.starts_with("process_"))
        .filter(|figure| !sources.contains(&format!("\"{figure}\"")))
        .collect();
    assert!(missing.is_empty(), "asked for in deploy/, and counted nowhere: {missing:?}");
}

#[test]
fn every_figure_that_is_asked_for_is_explained() {
    let page = text(PAGE);
    let told = |figure: &String| {
        page.contains(&format!("`{figure}`")) || page.contains(&format!("`{figure}{{"))
    };
    let missing: Vec<_> = of_the_service().into_keys().filter(|figure| !told(figure)).collect();
    assert!(missing.is_empty(), "{PAGE} does not say what these are: {missing:?}");
}

/// The figures that an instance shows, each with its labels.
fn shown(text: &str) -> Asked {
    let mut all = Asked::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        for (figure, labels) in figures(line.rsplit_once(' ').unwrap().0) {
            all.entry(counted(&figure).to_owned()).or_default().extend(labels);
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_has_just_begun_shows_what_alarms_count() {
    let database = Database::new().await;
    let instance = Instance::start(&database).await;
    let scrape = async || {
        let answer = reqwest::get(format!("{}/metrics", instance.url)).await.ok()?;
        answer.text().await.ok()
    };
    // Followers and sweep look around before they have something to show.
    let shown = eventually("the figures of all that begins", super::starting::WITHIN, async || {
        let shown = shown(&scrape().await?);
        (shown.contains_key("dispense_lapsed_holds")
            && shown.contains_key("dispense_follower_lag_seconds"))
        .then_some(shown)
    })
    .await;
    // What is counted only once it happens is asked for as a share, or with an `unless`.
    let late = ["http_requests_total", "dispense_relay_", "dispense_registry_stream_"];
    for alarm in alarms() {
        let question = alarm["expr"].as_str().unwrap();
        let counters = figures(question).into_keys().filter(|it| it.ends_with("_total"));
        for counter in counters.filter(|it| !late.iter().any(|late| it.starts_with(late))) {
            let name = name(&alarm);
            assert!(shown.contains_key(&counter), "{name}: {counter} begins with its first count");
        }
    }
    let process = of_the_service().into_keys().filter(|figure| figure.starts_with("process_"));
    for figure in process {
        assert!(shown.contains_key(&figure), "{figure} is not shown");
    }
    for (figure, labels) in of_the_service() {
        let Some(has) = shown.get(&figure) else { continue };
        let unknown: Vec<_> = labels
            .iter()
            .filter(|label| !GIVEN.contains(&label.as_str()) && !has.contains(*label))
            .collect();
        assert!(unknown.is_empty(), "{figure} has no {unknown:?}, but {has:?}");
    }
}
