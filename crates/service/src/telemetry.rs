//! Logs and metrics.

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

/// Upper ends of the buckets for batches.
const COMMANDS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Starts logging: pretty on a terminal, JSON elsewhere, unless `LOG_FORMAT` says otherwise. What is
/// wrong with its settings is reported with all the others, by whoever reads those.
pub(crate) fn log(mut settings: Reader, usual: &str) -> anyhow::Result<Reader> {
    let filter = settings.optional("RUST_LOG", |levels| EnvFilter::try_new(levels).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(usual));
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

/// Starts counting, and returns what renders the figures for Prometheus.
pub(crate) fn count() -> anyhow::Result<Arc<dyn Fn() -> String + Send + Sync>> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Full("dispense_batch_commands".to_owned()), COMMANDS)?
        .install_recorder()
        .context("metrics cannot be started")?;
    // Samples are gathered until somebody asks; where nobody does, they must not pile up.
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP_EVERY).await;
            upkeep.run_upkeep();
        }
    });
    Ok(Arc::new(move || handle.render()))
}
