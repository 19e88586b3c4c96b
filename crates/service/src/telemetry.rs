//! Logs and metrics.

mod from_zero;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tracing_subscriber::EnvFilter;

use crate::config::Reader;

/// How often samples are folded into their buckets.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Upper ends of the buckets for times, in seconds.
const SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
    2.5, 5.0,
];

/// The same, for what waits for other machines.
const LONG_SECONDS: &[f64] =
    &[0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0];

/// Upper ends of the buckets for batches.
const COMMANDS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Starts logging: pretty on a terminal, JSON elsewhere, unless `LOG_FORMAT` says otherwise. What is
/// wrong with its settings is reported with all the others, by whoever reads those.
pub(crate) fn log(mut settings: Reader, usual: &str) -> anyhow::Result<Reader> {
    let filter = settings.optional("RUST_LOG", |said| EnvFilter::try_new(levels(said)).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(levels(usual)));
    let terminal = std::io::stderr().is_terminal();
    let pretty = settings.optional("LOG_FORMAT", |format| match format {
        "json" => Some(false),
        "pretty" => Some(true),
        _ => None,
    });
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if pretty.unwrap_or(terminal) {
        logging.with_ansi(terminal).with_target(false).compact().try_init()
    } else {
        logging.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))?;
    Ok(settings)
}

/// Those levels, without what strangers could fill the log with: an error means that somebody has to
/// look. Who names the same target sees it.
fn levels(said: &str) -> String {
    format!("{}=off,{said}", dispense_http::LOGS_OF_STRANGERS)
}

/// Starts counting, and returns what renders the figures for Prometheus.
pub(crate) fn count() -> anyhow::Result<Arc<dyn Fn() -> String + Send + Sync>> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Full("dispense_batch_commands".to_owned()), COMMANDS)?
        .set_buckets_for_metric(
            Matcher::Full("dispense_relay_transaction_seconds".to_owned()),
            LONG_SECONDS,
        )?
        .install_recorder()
        .context("metrics cannot be started")?;
    from_zero::begin();
    // Samples are gathered until somebody asks; where nobody does, they must not pile up.
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP_EVERY).await;
            upkeep.run_upkeep();
        }
    });
    let process = metrics_process::Collector::default();
    Ok(Arc::new(move || {
        process.collect();
        handle.render()
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::sync::{Arc, Mutex};

    use super::*;

    /// What is logged at those levels of an error of ours and of one that a stranger raised.
    fn logged(said: &str) -> String {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let filter = EnvFilter::try_new(levels(said)).unwrap();
        let writer = lines.clone();
        let logging = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
        let logging = logging.with_writer(move || Line(writer.clone())).finish();
        tracing::subscriber::with_default(logging, || {
            tracing::error!("of ours");
            tracing::error!(target: "actix_http::h1::dispatcher", "of a stranger");
        });
        String::from_utf8(lines.lock().unwrap().clone()).unwrap()
    }

    struct Line(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Line {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_stranger_raises_an_error_unless_somebody_asks_for_it() {
        for said in ["info", "debug,actix_http=trace", "error"] {
            let text = logged(said);
            assert!(text.contains("of ours") && !text.contains("of a stranger"), "{said}: {text}");
        }
        assert!(logged("info,actix_http::h1=error").contains("of a stranger"));
    }
}
