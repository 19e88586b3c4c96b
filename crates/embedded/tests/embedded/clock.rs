//! The server's clock, set forward and back.

use dispense_embedded::Server;

use crate::sample::{ask, folder};

/// Seconds by which the server's clock is ahead of ours.
fn ahead(server: &Server) -> i64 {
    let theirs: i64 =
        ask(server, "select extract(epoch from clock_timestamp())::bigint").parse().unwrap();
    let ours = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    theirs - i64::try_from(ours).unwrap()
}

#[test]
fn the_clock_steps_forward_and_back_while_the_server_runs() {
    let folder = folder();
    let mut server = Server::builder(folder.path()).throwaway().stepped_clock().start().unwrap();
    for seconds in [0, 3_600, -7_200, 0] {
        server.step_clock(seconds).unwrap();
        let found = ahead(&server);
        assert!((found - seconds).abs() <= 5, "stepped by {seconds}, found {found}");
    }
    server.step_clock(-60).unwrap();
    server.stop(dispense_embedded::Mode::Immediate).unwrap();
    server.start_again().unwrap();
    assert!((ahead(&server) + 60).abs() <= 5);
}

#[test]
fn a_server_with_the_real_clock_refuses_to_be_stepped() {
    let folder = folder();
    let server = Server::builder(folder.path()).throwaway().start().unwrap();
    let refused = server.step_clock(1).unwrap_err().to_string();
    assert!(refused.contains("stepped_clock()"), "{refused}");
}
