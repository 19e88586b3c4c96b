//! The start is stopped by an address that cannot be used, with a way out.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dispense_content::{NotUsable, ObjectContents};
use tempfile::TempDir;

use crate::sample::{address, in_full, opened};

#[tokio::test]
async fn only_a_folder_or_a_bucket_is_an_address() {
    let others = [
        "",
        "contents",
        "/var/contents",
        "file:contents",
        "file:/var/contents",
        "file://contents/x",
        "file:///",
        "file://",
        "http://localhost/x",
        "gs://bucket/x",
        "s3:bucket",
        "s3:///prefix",
        "file:///var/contents?x=1",
        "file:///var/contents#1",
        "s3://bucket:9000/x",
    ];
    for other in others {
        let Err(error) = ObjectContents::open(other).await else { panic!("{other} was opened") };
        let text = error.to_string();
        assert!(matches!(error, NotUsable::NoAddress(_)), "{other}: {text}");
        assert!(text.contains("expected `file:///folder` or `s3://bucket/prefix`"), "{text}");
        assert!(text.contains(&format!("found `{other}`")), "{text}");
    }
}

#[tokio::test]
async fn a_secret_in_the_address_is_refused_and_not_repeated() {
    let error = ObjectContents::open("s3://AKIA:hush@bucket/prefix").await.unwrap_err();
    assert!(error.to_string().contains("AWS_SECRET_ACCESS_KEY"), "{error}");
    assert!(!error.to_string().contains("hush"), "{error}");
}

#[tokio::test]
async fn a_folder_is_made_where_it_is_missing() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("a/b/c d");
    opened(&folder).await;
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "others can look into it");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "the probe was not removed");
    opened(&folder).await;
}

#[tokio::test]
async fn an_address_may_be_written_with_percent_signs() {
    let home = TempDir::new().unwrap();
    ObjectContents::open(&format!("{}/a%20b", address(home.path()))).await.unwrap();
    assert!(home.path().join("a b").is_dir());
}

#[tokio::test]
async fn a_path_below_a_file_stops_the_start() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("file"), b"").unwrap();
    for path in ["file", "file/below"] {
        let address = address(&home.path().join(path));
        let error = ObjectContents::open(&address).await.unwrap_err();
        assert!(matches!(error, NotUsable::NotWritable { .. }), "{error}");
        assert!(error.to_string().contains(&address), "{error}");
        assert!(!in_full(&error).ends_with(&error.to_string()), "no cause: {error}");
    }
}

#[tokio::test]
async fn a_place_that_lets_nobody_write_stops_the_start() {
    // Not even root makes a file here.
    let error = ObjectContents::open("file:///proc/self").await.unwrap_err();
    assert!(matches!(error, NotUsable::NotWritable { .. }), "{error}");
    assert!(error.to_string().contains("cannot be kept at `file:///proc/self`"), "{error}");
}
