//! The answer of a dry run for people: a line for each rule, what it looked at, and what to do.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write};

use dispense_http::explanation::remedy;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The answer as the door writes it, as far as people want to know.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    would_be: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    #[serde(borrow, default)]
    errors: Vec<Fault<'a>>,
    #[serde(borrow, default)]
    rules: Vec<Rule<'a>>,
}

/// What one rule says.
#[derive(Deserialize)]
struct Rule<'a> {
    #[serde(rename = "rule")]
    number: String,
    result: Verdict,
    title: String,
    #[serde(borrow)]
    facts: BTreeMap<String, &'a RawValue>,
    #[serde(borrow, default)]
    errors: Vec<Fault<'a>>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Passed,
    Failed,
    NotEvaluated,
}

/// How a rule is broken.
#[derive(Deserialize)]
struct Fault<'a> {
    code: String,
    path: Option<String>,
    message: String,
    #[serde(borrow)]
    params: BTreeMap<String, &'a RawValue>,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::NotEvaluated => "not evaluated",
        }
    }
}

/// The page of that answer.
pub(super) fn of(json: &str) -> anyhow::Result<String> {
    let answer: Answer<'_> = serde_json::from_str(json)?;
    let mut page = String::new();
    if answer.rules.is_empty() {
        write_faults(&mut page, &answer.errors, "")?;
    }
    // Many rules look at the same: it stands below the first of them.
    let mut shown: HashMap<String, &str> = HashMap::new();
    let mut before = String::new();
    for rule in &answer.rules {
        writeln!(page, "{:<13}  {:<5}  {}", rule.result.as_str(), rule.number, rule.title)?;
        let facts = listed(&rule.facts);
        match shown.get(&facts) {
            Some(first) if facts != before => writeln!(page, "{INDENT}(looked at as in {first})")?,
            Some(_) => {}
            None => writeln!(page, "{INDENT}{facts}")?,
        }
        before.clone_from(&facts);
        shown.entry(facts).or_insert(&rule.number);
        write_faults(&mut page, &rule.errors, INDENT)?;
    }
    write_end(&mut page, &answer)?;
    Ok(page)
}

/// Below the title of a rule.
const INDENT: &str = "                      ";

fn write_faults(page: &mut String, faults: &[Fault<'_>], indent: &str) -> fmt::Result {
    let mut faults = faults.iter().peekable();
    while let Some(Fault { code, path, message, params }) = faults.next() {
        let path = path.as_ref().map_or_else(String::new, |path| format!(" at {path}"));
        writeln!(page, "{indent}{code}{path}: {message}")?;
        if !params.is_empty() {
            writeln!(page, "{indent}  {}", listed(params))?;
        }
        let is_last = faults.peek().is_none_or(|next| next.code != *code);
        if let Some(remedy) = remedy(code).filter(|_| is_last) {
            writeln!(page, "{indent}  to do: {remedy}")?;
        }
    }
    Ok(())
}

/// Names and values; a text stands without its quotes.
fn listed(values: &BTreeMap<String, &RawValue>) -> String {
    let named = values.iter().map(|(name, value)| {
        let text = serde_json::from_str::<String>(value.get());
        format!("{name}={}", text.unwrap_or_else(|_| value.get().to_owned()))
    });
    named.collect::<Vec<_>>().join("  ")
}

fn write_end(page: &mut String, answer: &Answer<'_>) -> fmt::Result {
    if let Some(status) = &answer.would_be {
        return writeln!(page, "\ngranted: the dispense would be {status}");
    }
    let code = answer.code.as_deref().unwrap_or_default();
    let status = answer.status.unwrap_or_default();
    let broken = answer.rules.iter().filter(|it| it.result == Verdict::Failed).count();
    let rules = answer.rules.len();
    if rules == 0 {
        return writeln!(page, "\nnot understood: {status} {code}");
    }
    let are = if broken == 1 { "is" } else { "are" };
    writeln!(page, "\nrefused: {status} {code}; {broken} of {rules} rules {are} broken")
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use dispense_domain::decide::create_hold::{Explained, Facts, Verdict};
    use dispense_domain::{Code, Place, Refusal};
    use dispense_http::explanation::{read_create, tell};
    use serde_json::{Value, json};

    use super::*;

    fn explained(rule: &'static str, verdict: Verdict, facts: Value) -> Explained {
        let facts: Facts = serde_json::from_value(facts).unwrap();
        Explained { rule, verdict, facts: facts.into() }
    }

    #[test]
    fn a_refusal_tells_rule_by_rule_what_was_seen_and_what_to_do() {
        let broken = Refusal::of(Code::ContractSuspended)
            .at(Place::Program)
            .with("contractNumber", "0000-0000-0000-0001");
        let contracts = json!({"contracts": [{"isSuspended": true}], "today": "2026-11-22"});
        let rules = [
            explained("4b", Verdict::NotEvaluated, json!({"nhsVerified": false})),
            explained("13a", Verdict::Passed, contracts.clone()),
            explained("13b", Verdict::Failed(vec![broken]), contracts),
        ];
        let told = tell(&rules);
        assert!(!told.is_granted);
        let definition = Code::ContractSuspended.definition();
        let page = of(&told.json).unwrap();
        let lines: Vec<&str> = page.lines().map(str::trim_end).collect();
        assert!(lines[0].starts_with("not evaluated  4b     The company is verified"), "{page}");
        assert_eq!(lines[1].trim_start(), "nhsVerified=false");
        assert!(lines[2].starts_with("passed         13a    "), "{page}");
        assert_eq!(lines[3].trim_start(), r#"contracts=[{"isSuspended":true}]  today=2026-11-22"#);
        assert!(lines[4].starts_with("FAILED         13b    "), "{page}");
        let title = definition.title;
        assert_eq!(lines[5].trim_start(), format!("contract-suspended at $.programId: {title}"));
        assert_eq!(lines[6].trim_start(), "contractNumber=0000-0000-0000-0001");
        assert_eq!(lines[7].trim_start(), format!("to do: {}", definition.remedy));
        assert_eq!(lines[9], "refused: 409 contract-suspended; 1 of 3 rules is broken");
    }

    #[test]
    fn the_last_line_counts_the_rules_that_are_broken() {
        let broken = || Verdict::Failed(vec![Refusal::of(Code::ContractSuspended)]);
        let rules = ["13a", "13b"].map(|rule| explained(rule, broken(), json!({})));
        let page = of(&tell(&rules).json).unwrap();
        let last = "\nrefused: 409 contract-suspended; 2 of 2 rules are broken\n";
        assert!(page.ends_with(last), "{page}");
    }

    #[test]
    fn what_several_rules_look_at_is_told_once() {
        let rules = [("15a", 1), ("15b", 1), ("16a", 2), ("20", 1)]
            .map(|(rule, seen)| explained(rule, Verdict::Passed, json!({ "seen": seen })));
        let page = of(&tell(&rules).json).unwrap();
        let below: Vec<&str> =
            page.lines().filter(|line| line.starts_with(' ')).map(str::trim).collect();
        assert_eq!(below, ["seen=1", "seen=2", "(looked at as in 15a)"], "{page}");
    }

    #[test]
    fn what_would_be_granted_tells_what_it_would_be() {
        let rules = [explained("21", Verdict::Passed, json!({"skipsSignature": true}))];
        let told = tell(&rules);
        assert!(told.is_granted);
        assert!(of(&told.json).unwrap().ends_with("\ngranted: the dispense would be COMPLETED\n"));
    }

    #[test]
    fn a_body_that_is_no_create_is_told_member_by_member() {
        let misread = read_create(br#"{"prescriptionId": 7, "items": []}"#, Tz::UTC).unwrap_err();
        let page = of(&misread.json).unwrap();
        for path in ["$.prescriptionId", "$.pharmacyId", "$.dispensedAt", "$.items"] {
            assert!(page.contains(&format!("schema at {path}: ")), "{path}: {page}");
        }
        assert_eq!(page.matches("to do: ").count(), 1, "{page}");
        assert!(page.ends_with("\nnot understood: 422 schema\n"), "{page}");
        let broken = read_create(b"{\"items\": [", Tz::UTC).unwrap_err();
        let page = of(&broken.json).unwrap();
        assert!(page.starts_with("malformed-json: The body is not JSON; see line 1"), "{page}");
    }
}
