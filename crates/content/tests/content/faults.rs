//! Folders that fail: full, read-only, gone, and back again.

use std::fs;
use std::path::Path;
use std::process::Command;

use dispensary::Contents;
use dispense_content::ObjectContents;
use tempfile::TempDir;

use crate::own_process;
use crate::sample::{DISPENSE, address, container, contents, in_full, kept, key_of, keys, opened};

/// What starts a program with mounts of its own, which nobody else sees and which end with it.
const WITH_OWN_MOUNTS: [&str; 4] = ["unshare", "--user", "--map-root-user", "--mount"];

/// Runs the test once more in a process with its own mounts; true in that process.
fn has_own_mounts(name: &str) -> bool {
    if own_process::part().is_some() {
        return true;
    }
    let probe = Command::new(WITH_OWN_MOUNTS[0])
        .args(&WITH_OWN_MOUNTS[1..])
        .args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .output();
    if probe.is_ok_and(|it| it.status.success()) {
        own_process::succeeds(own_process::test(name, "with own mounts", &WITH_OWN_MOUNTS));
    } else {
        // The tests of broken writes and of missing folders below need no such right.
        eprintln!("{name}: left out, this machine lets nobody mount");
    }
    false
}

fn mount(options: &str, folder: &Path) {
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", options, "tmpfs"])
        .arg(folder)
        .status()
        .unwrap();
    assert!(mounted.success());
}

async fn put(contents: &ObjectContents, filled: u8, length: usize) -> Result<(), String> {
    let signed = container(filled, length);
    let put = contents.put(&key_of(&signed), signed).await;
    put.map_err(|error| in_full(&error))
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_leaves_no_half_container() {
    if !has_own_mounts("faults::a_full_disk_is_an_error_and_leaves_no_half_container") {
        return;
    }
    let folder = TempDir::new().unwrap();
    mount("size=64k", folder.path());
    let contents = opened(folder.path()).await;
    put(&contents, 1, 30_000).await.unwrap();
    for _ in 0..3 {
        let error = put(&contents, 2, 60_000).await.unwrap_err();
        assert!(error.contains("No space left on device"), "{error}");
    }
    assert_eq!(keys(&contents).await, [key_of(&container(1, 30_000))]);
    assert_eq!(fs::read_dir(folder.path().join(DISPENSE)).unwrap().count(), 1, "leftovers");

    // As soon as there is room, it goes on.
    contents.remove(&key_of(&container(1, 30_000))).await.unwrap();
    put(&contents, 2, 60_000).await.unwrap();
    assert_eq!(contents.get(&key_of(&container(2, 60_000))).await.unwrap().unwrap().len(), 60_000);

    // Nobody starts on a disk that is full.
    fs::write(folder.path().join("filler"), [0; 8_192]).unwrap_err();
    let error = ObjectContents::open(&address(folder.path())).await.unwrap_err();
    assert!(in_full(&error).contains("No space left on device"), "{}", in_full(&error));
}

#[tokio::test]
async fn a_file_system_that_turns_read_only_can_still_be_read() {
    if !has_own_mounts("faults::a_file_system_that_turns_read_only_can_still_be_read") {
        return;
    }
    let folder = TempDir::new().unwrap();
    mount("size=1m", folder.path());
    let contents = opened(folder.path()).await;
    put(&contents, 1, 10).await.unwrap();
    mount("remount,ro", folder.path());
    for filled in [1, 2] {
        let error = put(&contents, filled, 10).await.unwrap_err();
        assert!(error.contains("Read-only file system"), "{error}");
    }
    let error = contents.remove(&key_of(&container(1, 10))).await.unwrap_err();
    assert!(in_full(&error).contains("Read-only file system"), "{}", in_full(&error));
    assert_eq!(contents.get(&key_of(&container(1, 10))).await.unwrap(), Some(container(1, 10)));
    let error = ObjectContents::open(&address(folder.path())).await.unwrap_err();
    assert!(in_full(&error).contains("Read-only file system"), "{}", in_full(&error));

    mount("remount,rw", folder.path());
    put(&contents, 2, 10).await.unwrap();
}

#[tokio::test]
async fn nothing_is_kept_below_a_mount_that_is_gone() {
    if !has_own_mounts("faults::nothing_is_kept_below_a_mount_that_is_gone") {
        return;
    }
    let folder = TempDir::new().unwrap();
    mount("size=1m", folder.path());
    let contents = opened(folder.path()).await;
    put(&contents, 1, 10).await.unwrap();
    let unmounted = Command::new("umount").arg("--lazy").arg(folder.path()).status().unwrap();
    assert!(unmounted.success());

    let error = put(&contents, 2, 10).await.unwrap_err();
    assert!(error.contains("another file system is mounted there"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "it was kept on the wrong disk");
    contents.get(&key_of(&container(1, 10))).await.expect_err("it may well be there");
    kept(&contents).await.expect_err("it may well be there");
}

#[tokio::test]
async fn a_write_that_breaks_off_in_the_middle_leaves_no_half_container() {
    const NAME: &str = "faults::a_write_that_breaks_off_in_the_middle_leaves_no_half_container";
    if own_process::part().is_none() {
        // No file may be longer than 100 blocks of 512 bytes; the signal that says so is ignored.
        let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\""];
        return own_process::succeeds(own_process::test(NAME, "limited", &limited));
    }
    let (folder, contents) = contents().await;
    put(&contents, 1, 40_000).await.unwrap();
    let error = put(&contents, 2, 140_000).await.unwrap_err();
    assert!(error.contains("File too large"), "{error}");
    assert_eq!(keys(&contents).await, [key_of(&container(1, 40_000))]);
    assert_eq!(fs::read_dir(folder.path().join(DISPENSE)).unwrap().count(), 1, "leftovers");
}

#[tokio::test]
async fn a_folder_that_is_gone_is_not_made_again_and_can_come_back() {
    let home = TempDir::new().unwrap();
    let (folder, away) = (home.path().join("contents"), home.path().join("away"));
    let contents = opened(&folder).await;
    put(&contents, 1, 10).await.unwrap();
    fs::rename(&folder, &away).unwrap();

    let error = put(&contents, 2, 10).await.unwrap_err();
    assert!(error.contains(&format!("the folder {} cannot be used", folder.display())), "{error}");
    assert!(!folder.exists());
    contents.get(&key_of(&container(1, 10))).await.expect_err("it may well be there");
    kept(&contents).await.expect_err("it may well be there");

    fs::rename(&away, &folder).unwrap();
    put(&contents, 2, 10).await.unwrap();
    assert_eq!(keys(&contents).await.len(), 2);
}

#[tokio::test]
async fn an_empty_folder_in_its_place_is_used() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("contents");
    let contents = opened(&folder).await;
    put(&contents, 1, 10).await.unwrap();
    fs::remove_dir_all(&folder).unwrap();
    put(&contents, 2, 10).await.unwrap_err();
    fs::create_dir(&folder).unwrap();
    put(&contents, 2, 10).await.unwrap();
    assert_eq!(keys(&contents).await, [key_of(&container(2, 10))]);
}

#[tokio::test]
async fn a_file_in_the_place_of_a_dispense_is_an_error() {
    let (folder, contents) = contents().await;
    fs::write(folder.path().join(DISPENSE), b"").unwrap();
    put(&contents, 1, 10).await.unwrap_err();
    fs::remove_file(folder.path().join(DISPENSE)).unwrap();
    put(&contents, 1, 10).await.unwrap();
}
