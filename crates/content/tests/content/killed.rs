//! Processes that are killed while they put.

use std::fs::{self, File, FileTimes};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use dispensary::Contents;
use dispense_content::ObjectContents;

use crate::own_process;
use crate::sample::{DISPENSE, container, contents, key_of, keys, opened};

/// How often a process is killed.
const TIMES: u8 = 25;

/// Long enough that a process is likely to die within a write.
const LENGTH: usize = 250_000;

const NAME: &str = "killed::no_killed_process_leaves_half_a_container";

#[tokio::test]
async fn no_killed_process_leaves_half_a_container() {
    if let Some(folder) = own_process::part() {
        return put_for_ever(&opened(folder.as_ref()).await).await;
    }
    let (folder, contents) = contents().await;
    for round in 0..TIMES {
        let path = folder.path().to_str().unwrap();
        let mut child = own_process::test(NAME, path, &[]).stdout(Stdio::piped()).spawn().unwrap();
        // It says which containers it has put. After some it is killed, in the middle of the next.
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let put: Vec<String> = said
            .by_ref()
            .filter_map(|line| line.split_once("put ").map(|(_, key)| key.to_owned()))
            .take(1 + usize::from(round % 3))
            .collect();
        child.kill().unwrap();
        child.wait().unwrap();

        for key in &put {
            assert_eq!(contents.get(key).await.unwrap().expect("it was put").len(), LENGTH);
        }
        for key in keys(&contents).await {
            assert_eq!(contents.get(&key).await.unwrap().expect("it is listed").len(), LENGTH);
        }
    }
}

/// Puts one container after the other, no two of them alike, and says so.
async fn put_for_ever(contents: &ObjectContents) {
    for number in 0_u64.. {
        let mut signed = container(0, LENGTH);
        signed[..4].copy_from_slice(&std::process::id().to_be_bytes());
        signed[4..12].copy_from_slice(&number.to_be_bytes());
        let key = key_of(&signed);
        contents.put(&key, signed).await.unwrap();
        println!("put {key}");
    }
}

#[tokio::test]
async fn what_a_killed_process_left_is_not_listed_and_is_removed_in_time() {
    let (folder, contents) = contents().await;
    let signed = container(1, 10);
    contents.put(&key_of(&signed), signed.clone()).await.unwrap();
    let beside = |number: u8| folder.path().join(format!("{}#{number}", key_of(&signed)));
    let elsewhere = folder.path().join("0b49f4f3-5cf3-8f10-8a2e-1f6d7c3b9a02");
    fs::create_dir(&elsewhere).unwrap();
    for path in [beside(1), beside(2), elsewhere.join("11#1")] {
        fs::write(path, b"ha").unwrap();
    }
    let long_ago = SystemTime::now() - Duration::from_mins(61);
    for path in [beside(1), elsewhere.join("11#1"), folder.path().join(key_of(&signed))] {
        let file = File::options().write(true).open(path).unwrap();
        file.set_times(FileTimes::new().set_modified(long_ago)).unwrap();
    }

    assert_eq!(keys(&contents).await, [key_of(&signed)]);
    assert!(!beside(1).exists(), "it was left behind");
    assert!(beside(2).exists(), "somebody may still be writing to it");
    assert!(!elsewhere.exists(), "its folder was left behind");
    assert!(folder.path().join(key_of(&signed)).exists(), "a container was removed");
    // And it is in nobody's way.
    contents.put(&key_of(&signed), signed).await.unwrap();
    assert_eq!(fs::read_dir(folder.path().join(DISPENSE)).unwrap().count(), 2);
}
