//! Searches, one after the other, as pharmacies ask them.

use std::time::Instant;

use anyhow::{bail, ensure};

use crate::database::{DISPENSE, Database};
use crate::figures::Latencies;
use crate::load;
use crate::report::progress;
use crate::stage::Stage;
use crate::work::Desk;

/// How many searches are timed. A p99 of them is the tenth or so from the end.
const SEARCHES: usize = 1_500;

/// Searches before that, so that what is asked for most is in memory in either log.
const WARM_UP: usize = 300;

/// How many patients and how many kinds of medicine are looked for in turn.
const VARIED: usize = 100;

/// Times searches of all kinds.
pub(super) fn search(stage: &Stage) -> anyhow::Result<Latencies> {
    let service = stage.program.serve()?;
    progress("searching");
    let asked = questions(stage)?;
    let mut latencies = Latencies::default();
    let address = service.address();
    let planned = std::time::Duration::from_mins(5);
    load::run(planned, async {
        let mut connection = load::Connection::open(address).await?;
        for (n, question) in asked.iter().cycle().take(WARM_UP + SEARCHES).enumerate() {
            let start = Instant::now();
            let answer = connection.exchange(question, b"").await?;
            if answer.status != 200 {
                let body = String::from_utf8_lossy(answer.body).into_owned();
                bail!("a search was answered with {}: {body}", answer.status);
            }
            if n >= WARM_UP {
                latencies.record(start.elapsed());
            }
        }
        Ok(())
    })?;
    Ok(latencies)
}

/// What is asked for, each filter in turn, by each pharmacy in turn.
fn questions(stage: &Stage) -> anyhow::Result<Vec<Vec<u8>>> {
    let database = &stage.database;
    let few = |what: &str| column(database, what);
    let patients = few("SELECT person_id FROM dispenses ORDER BY dispense_id LIMIT 100")?;
    let days = few("SELECT DISTINCT dispensed_on FROM dispenses ORDER BY 1 LIMIT 100")?;
    let programs = few(
        "SELECT medical_program_id FROM dispenses WHERE medical_program_id IS NOT NULL LIMIT 1",
    )?;
    let desks = stage.desks()?;
    let mut questions = Vec::new();
    for (n, desk) in desks.iter().cycle().take(VARIED).enumerate() {
        let of =
            |values: &[String]| values.get(n % values.len().max(1)).cloned().unwrap_or_default();
        let (day, division) = (of(&days), desk.pharmacy.division_id);
        for query in [
            String::new(),
            format!("&pharmacyId={division}"),
            format!("&patientId={}", of(&patients)),
            format!("&programId={}", of(&programs)),
            "&status=COMPLETED".to_owned(),
            format!("&from={day}&to={day}"),
            format!("&pharmacyId={division}&status=COMPLETED"),
        ] {
            questions.push(Desk::get(desk, &format!("/api/v1/dispenses?limit=50{query}")));
        }
    }
    ensure!(!questions.is_empty(), "nobody asks");
    Ok(questions)
}

/// The values of a column.
fn column(database: &Database, what: &str) -> anyhow::Result<Vec<String>> {
    Ok(database.ask(DISPENSE, what)?.lines().map(str::to_owned).collect())
}
