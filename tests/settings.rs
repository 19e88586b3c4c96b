//! Wrong settings stop the start, all together; so does a database that must not be served.

use std::time::Duration;

use crate::harness::{Database, Instance, OwnServer, key_set};

/// How long a start that fails may take.
const FAILS_WITHIN: Duration = Duration::from_mins(1);

/// Starts an instance that has to refuse, and returns what it said.
fn refuses(database: &Database, settings: &[(&str, &str)], code: i32) -> String {
    let mut instance = Instance::launch(database, settings);
    let status = instance.wait(FAILS_WITHIN);
    let said = instance.said();
    assert_eq!(status.code(), Some(code), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_all_named_at_once() {
    let database = Database::new().await;
    let wrong = [
        ("DISPENSE_LISTEN", "everywhere"),
        ("LOG_PARTITIONS", "0"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("MEDICATION_DISPENSE_EXPIRATION", "ten"),
        ("MULTI_DISPENSE_WITHOUT_PROGRAM", "perhaps"),
        ("DISPENSE_DIVISION_DLS_VERIFY", "yes"),
        ("MEDICAL_PROGRAM_PROVISION_VERIFY", "1"),
        ("LEGAL_ENTITY_NHS_VERIFY", "TRUE"),
        ("DEVIATION", "0.125"),
        ("TOLERANCE", "0.00001"),
        ("AUTH_ALLOW_DEVELOPMENT_KEY", "please"),
        ("AUTH_ISSUER", ""),
        ("DATABASE_CONNECTIONS", "-1"),
        ("CHECKPOINT_KEY", "/proc/version"),
        ("CHECKPOINT_EVERY", "10"),
    ];
    let said = refuses(&database, &wrong, 2);
    for (name, value) in wrong {
        let line = said.lines().find(|line| line.contains(&format!("{name}: expected")));
        let line = line.unwrap_or_else(|| panic!("{name} is not named:\n{said}"));
        assert!(line.contains(value) && line.contains("such as"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_no_setting_stops_the_start_beside_wrong_values() {
    let database = Database::new().await;
    let folder = crate::harness::temporary();
    let file = folder.path().join("env");
    std::fs::write(&file, "DEVIATON=0.05\nTOLERANCE=much\nAWS_REGION=eu-central-1\n").unwrap();
    let path = file.display().to_string();
    let mut serve = database.command(folder.path(), &["--config", &path, "serve"], &[]);
    assert_eq!(serve.wait(FAILS_WITHIN).code(), Some(2), "{}", serve.said());
    let said = serve.said();
    let unknown = format!("{path}, line 1: DEVIATON is no setting; did you mean DEVIATION?");
    assert!(said.contains(&unknown) && said.contains("TOLERANCE: expected"), "{said}");
    assert!(!said.contains("AWS_REGION"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_logs_the_settings_that_decide_and_names_that_are_nearly_settings() {
    let database = Database::new().await;
    let settings = [("RUST_LOG", "info"), ("DEVIATION", "0.05"), ("TOLERANZ", "0.02")];
    let said = Instance::start_with(&database, &settings).await.said();
    let lines: Vec<&str> =
        said.lines().filter(|line| line.contains("these settings decide")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    let logged: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    let decide = logged["settings"].as_str().unwrap();
    assert!(decide.starts_with("TIME_ZONE=Europe/Kyiv "), "{decide}");
    assert!(decide.ends_with(" DEVIATION=0.05 TOLERANCE=0.01"), "{decide}");
    assert!(said.contains("TOLERANZ in the environment is no setting"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_told_before_anything_is_started() {
    let database = Database::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    for command in ["serve", "dev"] {
        let folder = crate::harness::temporary();
        let keys = folder.path().join("jwks.json");
        std::fs::write(&keys, key_set("tests").to_string()).unwrap();
        let settings = [
            ("DISPENSE_LISTEN", &*listen),
            ("AUTH_JWKS", &keys.display().to_string()),
            ("AUTH_ISSUER", "tests"),
            ("AUTH_AUDIENCE", "tests"),
        ];
        let mut start = database.command(folder.path(), &[command], &settings);
        assert_eq!(start.wait(FAILS_WITHIN).code(), Some(1), "{}", start.said());
        let told = format!("DISPENSE_LISTEN: cannot listen on {listen}");
        assert!(start.said().contains(&told), "{}", start.said());
        assert!(!folder.path().join("postgres").exists(), "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_not_repeated() {
    let database = Database::new().await;
    let wrong = [
        ("DATABASE_URL", "mysql://user:s3cret@host/x"),
        ("AUTH_MODE", "gateway"),
        ("AUTH_GATEWAY_SECRET", "too-short"),
    ];
    let said = refuses(&database, &wrong, 2);
    assert!(said.contains("DATABASE_URL") && said.contains("AUTH_GATEWAY_SECRET"), "{said}");
    assert!(!said.contains("s3cret") && !said.contains("too-short"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_development_key_needs_permission() {
    let database = Database::new().await;
    let folder = crate::harness::temporary();
    let keys = folder.path().join("development.json");
    std::fs::write(&keys, key_set("dispense-development-0123").to_string()).unwrap();
    let keys = keys.display().to_string();
    let said = refuses(&database, &[("AUTH_JWKS", &keys)], 1);
    assert!(said.contains("AUTH_ALLOW_DEVELOPMENT_KEY"), "says the way out: {said}");
    let allowed = [("AUTH_JWKS", &*keys), ("AUTH_ALLOW_DEVELOPMENT_KEY", "true")];
    Instance::start_with(&database, &allowed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_the_tables_may_not_serve() {
    let database = Database::new().await;
    let said = refuses(&database, &[("DATABASE_URL", &database.admin_url)], 1);
    assert!(said.contains("may change the log"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_for_another_version_is_not_served() {
    let database = Database::new().await;
    database.execute("UPDATE log_settings SET min_service_version = '99.0.0'").await;
    let said = refuses(&database, &[], 1);
    assert!(said.contains("99.0.0"), "{said}");
    database.execute("UPDATE log_settings SET min_service_version = '0.0.9'").await;
    Instance::start(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_is_not_served() {
    let server = std::env::var("TEST_DATABASE_URL").unwrap();
    let migrated = Database::new().await;
    let empty = Database::empty_on(&server).await;
    // The role that serves comes with the migration: borrow that of another database.
    let mut url = reqwest::Url::parse(&migrated.serving_url).unwrap();
    url.set_path(reqwest::Url::parse(&empty.serving_url).unwrap().path());
    let said = refuses(&empty, &[("DATABASE_URL", url.as_str())], 1);
    assert!(said.contains("dispense migrate"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_partitions_is_that_of_the_database() {
    let database = Database::new().await;
    let said = refuses(&database, &[("LOG_PARTITIONS", "8")], 1);
    assert!(said.contains("LOG_PARTITIONS") && said.contains('4'), "{said}");
    Instance::start_with(&database, &[("LOG_PARTITIONS", "4")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_forget_is_not_served() {
    let server = OwnServer::built(|server| server.setting("fsync", "off")).await.unwrap();
    let database = Database::on(server.url()).await;
    let said = refuses(&database, &[], 1);
    assert!(said.contains("fsync"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_twice_changes_nothing_and_other_partitions_are_refused() {
    let database = Database::new().await;
    let settings = "SELECT to_jsonb(s)::text FROM log_settings s";
    let before: String = sqlx::query_scalar(settings).fetch_one(&database.pool).await.unwrap();
    let folder = crate::harness::temporary();
    let mut again = database.command(folder.path(), &["migrate"], &[]);
    assert!(again.wait(FAILS_WITHIN).success(), "{}", again.said());
    let after: String = sqlx::query_scalar(settings).fetch_one(&database.pool).await.unwrap();
    assert_eq!(before, after);
    let mut other = database.command(folder.path(), &["migrate"], &[("LOG_PARTITIONS", "5")]);
    assert_eq!(other.wait(FAILS_WITHIN).code(), Some(1));
    assert!(other.said().contains("LOG_PARTITIONS"), "{}", other.said());
}
