//! The server on a real port.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::logging::listening;
use super::world::{WRITE, World};

/// A server that runs until the test ends.
struct Served {
    address: SocketAddr,
    handle: ServerHandle,
}

fn serve(world: &World) -> Served {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = dispense_http::serve(world.door.clone(), listener, 1).unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    Served { address, handle }
}

impl Served {
    /// Sends the bytes and returns everything that comes until the server closes.
    async fn ask(&self, head: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        tokio::time::timeout(Duration::from_secs(20), read).await.unwrap().unwrap();
        String::from_utf8(answer).unwrap()
    }
}

fn head(token: &str, length: &str) -> String {
    format!(
        "POST /api/v1/dispenses HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n{length}\r\n\r\n"
    )
}

#[actix_web::test]
async fn whoever_sends_too_much_reads_why_it_was_refused_and_may_ask_again() {
    let world = World::new().await;
    let served = serve(&world);
    let token = world.token(WRITE);
    for (token, status) in [("none", "401"), (token.as_str(), "413")] {
        let refused = head(token, "Content-Length: 700000").replace("Connection: close\r\n", "");
        let next = "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let mut rest = vec![b' '; 700_000];
        rest.extend_from_slice(next.as_bytes());
        let answers = served.ask(&refused, &rest).await;
        assert!(answers.starts_with(&format!("HTTP/1.1 {status} ")), "{answers}");
        assert!(answers.contains("idempotency-key: "), "{answers}");
        assert!(answers.contains("HTTP/1.1 200 "), "{answers}");
    }
}

#[actix_web::test]
async fn a_body_in_pieces_is_measured_as_a_whole() {
    let world = World::new().await;
    let served = serve(&world);
    let piece = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
    let chunked = head(&world.token(WRITE), "Transfer-Encoding: chunked");
    for (pieces, status) in [(8, "400"), (9, "413")] {
        let body = format!("{}0\r\n\r\n", piece.repeat(pieces));
        let answer = served.ask(&chunked, body.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}

#[actix_web::test]
async fn what_is_not_http_is_answered_without_a_body_and_logged_where_nobody_has_to_look() {
    let lines = listening();
    let world = World::new().await;
    let served = serve(&world);
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(70_000));
    for head in [&*long, "what is this\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
        let answer = served.ask(head, b"").await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        let (headers, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!((body, headers.contains("content-length: 0")), ("", true), "{answer}");
    }
    let targets = lines.targets_of_the_library();
    assert!(!targets.is_empty(), "the library calls it an error");
    let told = dispense_http::LOGS_OF_STRANGERS;
    assert!(targets.iter().all(|target| target.starts_with(told)), "{targets:?}");
}

#[actix_web::test]
async fn a_stopped_server_closes_its_port() {
    let world = World::new().await;
    let served = serve(&world);
    let head = "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(served.ask(head, b"").await.starts_with("HTTP/1.1 200 "));
    served.handle.stop(true).await;
    assert!(TcpStream::connect(served.address).await.is_err());
}
