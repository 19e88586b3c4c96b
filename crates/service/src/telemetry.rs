//! Logs and metrics.

use std::io::IsTerminal;
use std::sync::Arc;

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tracing_subscriber::EnvFilter;

/// Upper ends of the buckets for times, in seconds.
const SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
    2.5, 5.0,
];

/// Upper ends of the buckets for batches.
const COMMANDS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Starts logging: pretty on a terminal, JSON elsewhere, unless `LOG_FORMAT` says otherwise.
pub(crate) fn log(usual: &str) -> anyhow::Result<()> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(levels) if !levels.is_empty() => EnvFilter::try_new(&levels)
            .with_context(|| format!("RUST_LOG: expected levels such as info, found `{levels}`"))?,
        _ => EnvFilter::new(usual),
    };
    let pretty = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("json") => false,
        Ok("pretty") => true,
        Ok("") | Err(_) => std::io::stderr().is_terminal(),
        Ok(other) => {
            anyhow::bail!("LOG_FORMAT: expected json or pretty, such as json, but found `{other}`")
        }
    };
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if pretty {
        logging.with_target(false).compact().try_init()
    } else {
        logging.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))
}

/// Starts counting, and returns what renders the figures for Prometheus.
pub(crate) fn count() -> anyhow::Result<Arc<dyn Fn() -> String + Send + Sync>> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Full("dispense_batch_commands".to_owned()), COMMANDS)?
        .install_recorder()
        .context("metrics cannot be started")?;
    Ok(Arc::new(move || handle.render()))
}
