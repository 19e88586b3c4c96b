//! What is kept comes back as it was, or not at all.

use std::fs;
use std::time::SystemTime;

use dispensary::Contents;
use futures::TryStreamExt;

use crate::sample::{DISPENSE, container, contents, in_full, kept, key_of, keys};

#[tokio::test]
async fn what_is_put_comes_back_byte_for_byte() {
    let (_folder, contents) = contents().await;
    let signed = container(7, 300_000);
    let key = key_of(&signed);
    assert_eq!(contents.get(&key).await.unwrap(), None);
    contents.put(&key, signed.clone()).await.unwrap();
    assert_eq!(contents.get(&key).await.unwrap(), Some(signed));
    assert_eq!(keys(&contents).await, [key]);
}

#[tokio::test]
async fn the_same_bytes_again_count_as_stored() {
    let (folder, contents) = contents().await;
    let signed = container(7, 5_000);
    let key = key_of(&signed);
    contents.put(&key, signed.clone()).await.unwrap();
    let file = folder.path().join(&key);
    // A process that was killed before its file was durable leaves one that looks like it.
    let before = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&file).unwrap());
    contents.put(&key, signed.clone()).await.unwrap();
    let after = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&file).unwrap());
    assert_ne!(before, after, "the bytes were not written and synced again");
    assert_eq!(contents.get(&key).await.unwrap(), Some(signed));
    assert_eq!(files_in(&folder.path().join(DISPENSE)), 1);
}

#[tokio::test]
async fn many_that_put_the_same_at_once_all_succeed() {
    let (folder, contents) = contents().await;
    let signed = container(7, 5_000);
    let key = key_of(&signed);
    let puts = (0..50).map(|_| contents.put(&key, signed.clone()));
    for put in futures::future::join_all(puts).await {
        put.unwrap();
    }
    assert_eq!(contents.get(&key).await.unwrap(), Some(signed));
    assert_eq!(files_in(&folder.path().join(DISPENSE)), 1);
}

#[tokio::test]
async fn other_bytes_under_a_key_are_reported_and_never_overwritten() {
    let (folder, contents) = contents().await;
    let signed = container(7, 5_000);
    let key = key_of(&signed);
    contents.put(&key, signed.clone()).await.unwrap();
    let file = folder.path().join(&key);
    let mut damaged = signed.clone();
    damaged[4_000] ^= 1;
    fs::write(&file, &damaged).unwrap();

    let error = contents.get(&key).await.unwrap_err();
    assert_eq!(error.to_string(), "the content store does not answer; try again");
    assert!(in_full(&error).contains("is damaged"), "{}", in_full(&error));
    let error = contents.put(&key, signed).await.unwrap_err();
    assert!(in_full(&error).contains("is damaged"), "{}", in_full(&error));
    assert_eq!(fs::read(&file).unwrap(), damaged);
}

#[tokio::test]
async fn a_key_that_is_not_of_the_container_is_refused_before_anything_is_written() {
    let (folder, contents) = contents().await;
    let signed = container(7, 10);
    let digest = key_of(&signed).split_off(DISPENSE.len() + 1);
    let foreign = [
        key_of(&container(8, 10)),
        digest.clone(),
        format!("{DISPENSE}/{}", digest.to_uppercase()),
        format!("{DISPENSE}/{}", &digest[..62]),
        format!("../{digest}"),
        format!("{DISPENSE}/sub/{digest}"),
        format!("/{digest}"),
        format!("{DISPENSE}/{digest}#1"),
        String::new(),
    ];
    for key in foreign {
        let error = contents.put(&key, signed.clone()).await.unwrap_err();
        assert!(in_full(&error).contains("is not the key"), "{key}: {}", in_full(&error));
    }
    assert_eq!(files_in(folder.path()), 0);
}

#[tokio::test]
async fn what_is_removed_is_gone_and_its_folder_too() {
    let (folder, contents) = contents().await;
    let (first, second) = (container(1, 10), container(2, 10));
    for signed in [&first, &second] {
        contents.put(&key_of(signed), signed.clone()).await.unwrap();
    }
    contents.remove(&key_of(&first)).await.unwrap();
    assert_eq!(contents.get(&key_of(&first)).await.unwrap(), None);
    assert_eq!(keys(&contents).await, [key_of(&second)]);
    contents.remove(&key_of(&second)).await.unwrap();
    contents.remove(&key_of(&second)).await.expect("nothing there is no error");
    assert_eq!(files_in(folder.path()), 0);
}

#[tokio::test]
async fn what_is_kept_says_since_when() {
    let (folder, contents) = contents().await;
    let signed = container(7, 10);
    contents.put(&key_of(&signed), signed.clone()).await.unwrap();
    let written = fs::metadata(folder.path().join(key_of(&signed))).unwrap().modified().unwrap();
    let kept = kept(&contents).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(SystemTime::from(kept[0].since), written);
}

#[tokio::test]
async fn more_than_a_page_of_containers_is_listed_whole() {
    let (folder, contents) = contents().await;
    let mut expected: Vec<String> = (0..1_100).map(|it| format!("{it:036x}/name")).collect();
    for key in &expected {
        let file = folder.path().join(key);
        fs::create_dir(file.parent().unwrap()).unwrap();
        fs::write(file, b"").unwrap();
    }
    let mut listed = keys(&contents).await;
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn everything_can_be_removed_while_it_is_listed() {
    let (folder, contents) = contents().await;
    let digest = key_of(b"").split_off(DISPENSE.len());
    for number in 0..1_100 {
        let file = folder.path().join(format!("{number:036x}{digest}"));
        fs::create_dir(file.parent().unwrap()).unwrap();
        fs::write(file, b"").unwrap();
    }
    let mut listed = contents.kept();
    while let Some(kept) = listed.try_next().await.unwrap() {
        contents.remove(&kept.key).await.unwrap();
    }
    assert_eq!(files_in(folder.path()), 0);
}

fn files_in(folder: &std::path::Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}
