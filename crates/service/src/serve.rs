//! Door, writers, followers and sweep: they start and stop together.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Settings;
use crate::wiring::{Stops, Wired, wire};
use crate::{cli, telemetry};

/// How long stopping may take altogether.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

/// Serves until told to stop; `ready` is called once the port is open.
pub(crate) async fn serve(settings: Settings, ready: impl FnOnce(&str)) -> anyhow::Result<()> {
    let metrics = telemetry::count()?;
    let listen = settings.serving.listen;
    // Before anything else is started: a port that is taken is the most usual mistake.
    let listener = TcpListener::bind(listen).with_context(|| {
        format!(
            "DISPENSE_LISTEN: cannot listen on {listen}; stop what does, or choose another port"
        )
    })?;
    let address = format!("http://{}", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let stops = Stops::default();
    let Wired { door, writers, mut followers } = wire(&settings, metrics, &stops).await?;
    let server = dispense_http::serve(door, listener, settings.serving.workers)?;
    let handle = server.handle();
    let mut server = tokio::spawn(server);
    tracing::info!(version = cli::VERSION, address, "serving");
    ready(&address);

    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
        _ = interrupt.recv() => tracing::info!("interrupted: stopping"),
        ended = &mut server => {
            ended??;
            anyhow::bail!("the server ended by itself");
        }
    }
    let stopping = async {
        // New commands find no room from now on; those that wait are finished and answered.
        stops.writers.cancel();
        writers.finished().await;
        handle.stop(true).await;
        stops.followers.cancel();
        while followers.join_next().await.is_some() {}
    };
    if tokio::time::timeout(STOPPED_WITHIN, stopping).await.is_err() {
        tracing::warn!("not everything stopped in time; what was acknowledged is in the log");
        handle.stop(false).await;
    }
    tracing::info!("stopped");
    Ok(())
}
