//! The figures of a moment, for people and for programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use dispense_postgres::replay::{OfProgram, Summary};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Shown;

/// The names of the figures that are counted, in the order in which they are printed.
const COUNTED: [&str; 8] = [
    "events",
    "medicationRequests",
    "fullyDispensed",
    "HELD",
    "COMPLETED",
    "CANCELLED",
    "EXPIRED",
    "openHolds",
];

/// The names of the figures of a program.
const OF_PROGRAM: [&str; 6] =
    ["dispenses", "quantity", "totalAmount", "insuranceCoverage", "copayment", "held"];

fn counted(summary: &Summary) -> [i64; 8] {
    [
        summary.events,
        summary.medication_requests,
        summary.fully_dispensed,
        summary.held,
        summary.processed,
        summary.cancelled,
        summary.expired,
        summary.open_holds,
    ]
}

fn of_program(program: Option<&OfProgram>) -> [Decimal; 6] {
    program.map_or([Decimal::ZERO; 6], |it| {
        let amounts = [it.quantity, it.total_amount, it.insurance_coverage, it.copayment, it.held];
        let [quantity, total, covered, paid, held] = amounts.map(|it| it.normalize());
        [it.dispenses.into(), quantity, total, covered, paid, held]
    })
}

/// The programs of one or of both moments.
fn programs(shown: &Summary, other: Option<&Summary>) -> BTreeSet<Option<Uuid>> {
    let all = shown.programs.iter().chain(other.iter().flat_map(|it| &it.programs));
    all.map(|it| it.medical_program_id).collect()
}

fn program(summary: &Summary, id: Option<Uuid>) -> Option<&OfProgram> {
    summary.programs.iter().find(|it| it.medical_program_id == id)
}

fn instant(at: Option<DateTime<Utc>>) -> Option<String> {
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// The figures as JSON. Amounts are text, digit by digit.
pub(super) fn document(shown: &Shown, other: Option<&Shown>) -> String {
    let mut document = json!({ "to": of(shown) });
    if let Some(other) = other {
        document["compare"] = of(other);
        document["difference"] = difference(&shown.summary, &other.summary);
    }
    format!("{document:#}\n")
}

fn of(Shown { summary, schema }: &Shown) -> Value {
    let mut value = json!({
        "positions": summary.positions.to_string(),
        "at": instant(summary.at),
        "leftOut": summary.left_out,
        "nextExpiry": instant(summary.next_expiry),
        "schema": schema,
    });
    for (name, count) in COUNTED.into_iter().zip(counted(summary)) {
        value[name] = json!(count);
    }
    let programs = summary.programs.iter();
    value["programs"] =
        programs.map(|it| entry(it.medical_program_id, of_program(Some(it)))).collect();
    value
}

/// What came between the other moment and this one.
fn difference(shown: &Summary, other: &Summary) -> Value {
    let mut value = Map::new();
    for (name, (now, then)) in
        COUNTED.into_iter().zip(counted(shown).into_iter().zip(counted(other)))
    {
        value.insert(name.to_owned(), json!(now - then));
    }
    let of_programs = programs(shown, Some(other)).into_iter().map(|id| {
        let now = of_program(program(shown, id));
        let then = of_program(program(other, id));
        entry(id, std::array::from_fn(|n| (now[n] - then[n]).normalize()))
    });
    value.insert("programs".to_owned(), of_programs.collect());
    Value::Object(value)
}

fn entry(id: Option<Uuid>, figures: [Decimal; 6]) -> Value {
    let mut value = json!({ "programId": id });
    for (name, figure) in OF_PROGRAM.into_iter().zip(figures) {
        value[name] = json!(figure.to_string());
    }
    value
}

/// The figures as a table for people.
pub(super) fn table(shown: &Shown, other: Option<&Shown>) -> String {
    let mut text = String::new();
    // Writing into a text cannot fail.
    let _written = writeln!(text, "{}", headline("to", &shown.summary));
    if let Some(other) = other {
        let _written = writeln!(text, "{}", headline("compare", &other.summary));
    }
    let mut lines: Vec<Vec<String>> = vec![titles(other.is_some())];
    let other_counts = other.map(|it| counted(&it.summary));
    for (n, name) in COUNTED.into_iter().enumerate() {
        let figures = [Some(counted(&shown.summary)[n]), other_counts.map(|it| it[n])];
        lines.push(line(name, figures.map(|it| it.map(Decimal::from))));
    }
    for id in programs(&shown.summary, other.map(|it| &it.summary)) {
        let name =
            id.map_or_else(|| "outside any program".to_owned(), |id| format!("program {id}"));
        lines.push(vec![name]);
        let now = of_program(program(&shown.summary, id));
        let then = other.map(|it| of_program(program(&it.summary, id)));
        for (n, name) in OF_PROGRAM.into_iter().enumerate() {
            lines.push(line(&format!("  {name}"), [Some(now[n]), then.map(|it| it[n])]));
        }
    }
    text.push_str(&aligned(&lines));
    for schema in [Some(shown), other].into_iter().flatten().filter_map(|it| it.schema.as_ref()) {
        let _written =
            writeln!(text, "kept as {schema}; drop it with DROP SCHEMA {schema} CASCADE");
    }
    text
}

fn headline(option: &str, summary: &Summary) -> String {
    let at = instant(summary.at).unwrap_or_else(|| "the beginning".to_owned());
    let mut text = format!("--{option}: {at}, positions {}", summary.positions);
    if !summary.left_out.is_empty() {
        let left_out: Vec<String> = summary.left_out.iter().map(u16::to_string).collect();
        let _written = write!(text, ", without partition {}", left_out.join(", "));
    }
    text
}

fn titles(both: bool) -> Vec<String> {
    let titles: &[&str] = if both { &["", "to", "compare", "difference"] } else { &["", "to"] };
    titles.iter().map(|it| (*it).to_owned()).collect()
}

/// A name with its figures, and their difference if there are two.
fn line(name: &str, figures: [Option<Decimal>; 2]) -> Vec<String> {
    let mut cells = vec![name.to_owned()];
    cells.extend(figures.iter().flatten().map(Decimal::to_string));
    if let [Some(now), Some(then)] = figures {
        let difference = (now - then).normalize();
        let sign = if difference > Decimal::ZERO { "+" } else { "" };
        cells.push(format!("{sign}{difference}"));
    }
    cells
}

/// Columns of one width, numbers to the right.
fn aligned(lines: &[Vec<String>]) -> String {
    let width = |column: usize| {
        // A heading stands in the first column alone, and may be as long as it likes.
        let cells = lines.iter().filter(|line| line.len() > 1).filter_map(|line| line.get(column));
        cells.map(String::len).max().unwrap_or(0)
    };
    let mut text = String::new();
    for line in lines {
        let mut cells = line.iter().enumerate().map(|(column, cell)| {
            let width = width(column);
            if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") }
        });
        let whole = cells.by_ref().collect::<String>();
        text.push_str(whole.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(processed: i64, amount: &str) -> Summary {
        Summary {
            positions: "0:5,1:2".parse().unwrap(),
            at: Some("2026-03-02T12:00:00Z".parse().unwrap()),
            left_out: vec![3],
            events: 7,
            medication_requests: 4,
            fully_dispensed: 1,
            held: 2,
            processed,
            cancelled: 0,
            expired: 1,
            open_holds: 2,
            next_expiry: None,
            programs: vec![OfProgram {
                medical_program_id: None,
                dispenses: processed,
                quantity: "10.50".parse().unwrap(),
                total_amount: amount.parse().unwrap(),
                insurance_coverage: Decimal::ZERO,
                copayment: amount.parse().unwrap(),
                held: Decimal::TEN,
            }],
        }
    }

    fn shown(processed: i64, amount: &str) -> Shown {
        Shown { summary: summary(processed, amount), schema: None }
    }

    #[test]
    fn two_moments_stand_beside_each_other() {
        let text = table(&shown(3, "7.25"), Some(&shown(1, "9")));
        let row = |name: &str| {
            let line = text.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
            line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(row("COMPLETED"), ["3", "1", "+2"]);
        assert_eq!(row("HELD"), ["2", "2", "0"]);
        assert_eq!(row("quantity"), ["10.5", "10.5", "0"]);
        assert_eq!(row("totalAmount"), ["7.25", "9", "-1.75"]);
        assert!(text.contains("outside any program\n"), "{text}");
        let first = text.lines().next().unwrap();
        let expected = "--to: 2026-03-02T12:00:00.000000Z, positions 0:5,1:2, without partition 3";
        assert_eq!(first, expected);
    }

    #[test]
    fn the_document_says_the_same() {
        let text = document(&shown(3, "7.25"), Some(&shown(1, "9")));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["to"]["COMPLETED"], 3);
        assert_eq!(value["compare"]["programs"][0]["totalAmount"], "9");
        assert_eq!(value["difference"]["COMPLETED"], 2);
        assert_eq!(value["difference"]["programs"][0]["totalAmount"], "-1.75");
        assert_eq!(value["difference"]["programs"][0]["programId"], Value::Null);
        let alone: Value = serde_json::from_str(&document(&shown(3, "7.25"), None)).unwrap();
        assert_eq!(alone.as_object().unwrap().len(), 1);
    }
}
