//! Start, stop, and what lies between.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use dispense_embedded::{Error, Mode, Server};

use crate::sample::{ask, asked, folder, read_back, write_down};

#[test]
fn a_restart_finds_the_same_data_on_the_same_port() {
    let folder = folder();
    let mut server = Server::builder(folder.path().join("new/one")).start().unwrap();
    write_down(&server);
    let port = server.port();
    server.stop(Mode::Fast).unwrap();
    assert!(!server.is_running());
    server.start_again().unwrap();
    assert_eq!((read_back(&server).as_str(), server.port()), ("tablets", port));
    drop(server);
    let later = Server::builder(folder.path().join("new/one")).start().unwrap();
    assert_eq!((read_back(&later).as_str(), later.port()), ("tablets", port));
}

#[test]
fn an_immediate_stop_loses_nothing_that_was_committed() {
    let folder = folder();
    let mut server = Server::builder(folder.path()).throwaway().start().unwrap();
    write_down(&server);
    for _ in 0..3 {
        server.stop(Mode::Immediate).unwrap();
        server.start_again().unwrap();
        assert_eq!(read_back(&server), "tablets");
    }
}

#[test]
fn a_server_that_was_killed_starts_again() {
    let folder = folder();
    let mut server = Server::builder(folder.path()).throwaway().start().unwrap();
    write_down(&server);
    let pid = server.process_id().unwrap().to_string();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    while server.is_running() {
        std::thread::yield_now();
    }
    server.start_again().unwrap();
    assert_eq!(read_back(&server), "tablets");
}

#[test]
fn two_servers_stand_side_by_side() {
    let (one, other) = (folder(), folder());
    let one = Server::builder(one.path()).throwaway().start().unwrap();
    let other = Server::builder(other.path()).throwaway().start().unwrap();
    assert_ne!(one.port(), other.port());
    write_down(&one);
    assert!(asked(&other.admin_url("postgres"), "select word from kept").is_err());
}

#[test]
fn a_folder_in_use_is_refused_with_the_process_that_uses_it() {
    let folder = folder();
    let _server = Server::builder(folder.path()).throwaway().start().unwrap();
    let refused = Server::builder(folder.path()).start().unwrap_err();
    let expected = std::process::id().to_string();
    assert!(matches!(&refused, Error::InUse { owner, .. } if *owner == expected), "{refused}");
}

#[test]
fn a_port_that_is_taken_is_refused_by_name() {
    let folder = folder();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = Server::builder(folder.path()).port(Some(port)).start().unwrap_err();
    assert!(refused.to_string().contains(&format!("cannot listen on 127.0.0.1:{port}")));
}

#[test]
fn a_stale_pid_file_is_no_obstacle() {
    let folder = folder();
    let mut server = Server::builder(folder.path()).start().unwrap();
    let file = server.folder().join("data/postmaster.pid");
    let noted = fs::read_to_string(&file).unwrap();
    server.stop(Mode::Immediate).unwrap();
    drop(server);
    // Once with the id of the dead server, once with one that lives and is another program's.
    let ours = format!("{}\n", std::process::id());
    let of_another = ours + noted.split_once('\n').unwrap().1;
    for stale in [noted, of_another] {
        fs::write(&file, stale).unwrap();
        let server = Server::builder(folder.path()).start().unwrap();
        assert_eq!(ask(&server, "select 1"), "1");
    }
}

#[test]
fn settings_count_and_can_be_changed_later() {
    let folder = folder();
    let server = Server::builder(folder.path())
        .setting("max_connections", 17)
        .setting("application_name", r"it's \ odd")
        .throwaway()
        .start()
        .unwrap();
    assert_eq!(ask(&server, "show max_connections"), "17");
    assert_eq!(ask(&server, "show fsync"), "on");
    assert_eq!(ask(&server, "select reset_val from pg_settings where name = 'TimeZone'"), "UTC");
    ask(&server, "alter system set work_mem = '5MB'");
    ask(&server, "select pg_reload_conf()");
    while ask(&server, "show work_mem") != "5MB" {}
}

#[test]
fn a_wrong_setting_is_told_in_the_servers_words() {
    let folder = folder();
    let start = |name, value| Server::builder(folder.path()).setting(name, value).start();
    let wrong = start("max_connections", "many").unwrap_err().to_string();
    assert!(wrong.contains("max_connections"), "{wrong}");
    let odd = start("include 'x'", "1").unwrap_err().to_string();
    assert!(odd.contains("is not a setting"), "{odd}");
}

#[test]
fn only_the_password_opens_it() {
    let folder = folder();
    let server = Server::builder(folder.path()).throwaway().start().unwrap();
    let refused = asked(&server.url("postgres", "guess", "postgres"), "select 1").unwrap_err();
    assert!(refused.contains("password authentication failed"), "{refused}");
    let password = fs::metadata(server.folder().join("password")).unwrap();
    assert_eq!(password.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_throwaway_leaves_nothing() {
    let folder = folder();
    let path = folder.path().join("server");
    let server = Server::builder(&path).throwaway().start().unwrap();
    let data = server.folder().to_owned();
    drop(server);
    assert!(!path.exists() && !data.exists());
}

#[test]
fn root_hands_the_server_to_another_user_and_finds_it_again_elsewhere() {
    let folder = folder();
    let is_root = fs::metadata(folder.path()).unwrap().uid() == 0;
    if !is_root {
        return;
    }
    let locked = folder.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, PermissionsExt::from_mode(0o700)).unwrap();
    let wanted = locked.join("server");
    let server = Server::builder(&wanted).start().unwrap();
    let found = server.folder().to_owned();
    write_down(&server);
    assert!(found.starts_with("/var/lib/dispense"), "{found:?}");
    assert_ne!(fs::metadata(found.join("data")).unwrap().uid(), 0);
    let note = fs::read_to_string(wanted.join("WHERE-THE-DATA-IS.txt")).unwrap();
    assert_eq!(note.lines().next(), found.to_str());
    drop(server);
    // What was put elsewhere stays there, even when the folder can be reached later.
    fs::set_permissions(&locked, PermissionsExt::from_mode(0o755)).unwrap();
    let server = Server::builder(&wanted).start().unwrap();
    assert_eq!((read_back(&server).as_str(), server.folder()), ("tablets", found.as_path()));
    drop(server);
    Server::remove(&wanted).unwrap();
    assert!(!wanted.exists() && !found.exists());
}
