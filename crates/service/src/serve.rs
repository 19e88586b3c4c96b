//! Door, writers, followers and sweep: they start and stop together.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Settings, written};
use crate::wiring::{Stops, Wired, wire};
use crate::{cli, telemetry};

/// How long stopping may take altogether.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

/// Takes the port. Do it before anything is started: a port that is taken is the most usual mistake.
pub(crate) fn listen(on: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(on).with_context(|| {
        format!("DISPENSE_LISTEN: cannot listen on {on}; stop what does, or choose another port")
    })
}

/// Serves until told to stop; `ready` is called once what comes through the port is answered.
pub(crate) async fn serve(
    settings: Settings,
    listener: TcpListener,
    ready: impl FnOnce(&str),
) -> anyhow::Result<()> {
    // Every instance must decide alike, and nothing but these lines can be compared.
    tracing::info!(settings = written(&settings.serving.terms), "these settings decide");
    let metrics = telemetry::count()?;
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
