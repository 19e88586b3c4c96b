//! A log that lost its tail after the streams had told of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::brokers;
use super::house::{House, LONG_HOLDS, told, well};
use crate::harness::{Database, Instance, OwnServer, temporary};

const STOPPED_WITHIN: Duration = Duration::from_mins(1);

/// Copies a whole folder, with owners and rights.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success());
}

fn stopped(mut instance: Instance) {
    instance.terminate();
    instance.wait(STOPPED_WITHIN);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_go_on_in_the_next_epoch_after_a_restore() {
    let server = OwnServer::start().await;
    let house = House::on(Database::on(server.url()).await, brokers::shared());
    house.make_topics().await;
    let instance = house.start_with(&LONG_HOLDS).await;
    for _ in 0..8 {
        house.hold_and_cancel(&instance).await;
    }
    house.whole(&instance).await;
    stopped(instance);
    let data: String =
        sqlx::query_scalar("SHOW data_directory").fetch_one(&house.database.pool).await.unwrap();
    let (data, folder) = (PathBuf::from(data), temporary());
    let backup = folder.path().join("backup");
    server.stop().await;
    copy(&data, &backup);
    server.start_again().await;

    // Told, and then lost.
    let instance = house.start_with(&LONG_HOLDS).await;
    for _ in 0..8 {
        house.hold_and_cancel(&instance).await;
    }
    let before = house.whole(&instance).await;
    stopped(instance);
    server.stop().await;
    std::fs::rename(&data, folder.path().join("lost")).unwrap();
    copy(&backup, &data);
    server.start_again().await;

    // Nothing is told until somebody says that the restore was meant.
    let instance = house.start_with(&LONG_HOLDS).await;
    for _ in 0..3 {
        house.hold_and_cancel(&instance).await;
    }
    told(&instance, &["log-diverged"]).await;
    house.done(&["log", "accept-restore", "--epoch", "2"]).await;
    well(&instance).await;
    for _ in 0..12 {
        house.hold_and_cancel(&instance).await;
    }
    house.settled().await;
    let summary = house.compared(&instance).await;
    assert_eq!(summary["ok"], true, "{summary:#}");
    assert_eq!(summary["epoch"], 2);
    // What was lost stays told, and a little of what was not may come again.
    assert!(summary["withdrawn"].as_u64().unwrap() >= 16, "{summary:#}");
    // Eight before the backup, fifteen after the restore, each held and given back.
    assert_eq!(summary["messages"], 46, "{summary:#}");
    assert_eq!(before["messages"], 32);
}
