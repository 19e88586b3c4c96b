//! The server: one port, a few workers, and bounds for everything that a client can draw out.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::CACHE_CONTROL;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{App, Error, HttpServer};
use socket2::SockRef;

use crate::{Door, routes, telemetry};

/// How long a connection may rest between two requests; longer than that of usual load balancers,
/// so that it is they who close it.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long the head of a request may take to arrive.
const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// How long a client may take to close after us.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);

/// How long a caller may leave unread what was sent: then the connection is gone, and with it what it
/// held, such as a place among those who read the log.
const READ_WITHIN: Duration = Duration::from_mins(2);

/// How long requests may take to end once the server is stopped, in seconds.
const SHUTDOWN_SECONDS: u64 = 10;

/// The app of one worker: every route, and what observes them.
pub fn app(
    door: Door,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    // What is answered may be somebody's health: no cache between us and the caller keeps it.
    let no_store = DefaultHeaders::new().add((CACHE_CONTROL, "no-store"));
    App::new().wrap(no_store).wrap(from_fn(telemetry::observe)).configure(routes(door))
}

/// Prepares the server on a port that is bound already. It serves while the returned future is
/// polled; `handle().stop(true)` ends it, after the requests that have begun. Signals are left to
/// the caller.
///
/// # Errors
///
/// The port cannot be listened on.
pub fn serve(door: Door, listener: TcpListener, workers: usize) -> io::Result<Server> {
    let listener = forgetting(listener)?;
    let server = HttpServer::new(move || app(door.clone()))
        .workers(workers)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_WITHIN)
        .client_disconnect_timeout(CLOSED_WITHIN)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

/// The port, whose connections end by themselves where nobody reads at the other end: what is accepted
/// has this from the port.
fn forgetting(listener: TcpListener) -> io::Result<TcpListener> {
    SockRef::from(&listener).set_tcp_user_timeout(Some(READ_WITHIN))?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn what_is_accepted_forgets_who_does_not_read() {
        let listener = forgetting(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
        let _caller = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let within = SockRef::from(&accepted).tcp_user_timeout().unwrap();
        assert_eq!(within, Some(READ_WITHIN));
    }
}
