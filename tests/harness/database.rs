//! A database for each test, prepared as an operator would.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tempfile::TempDir;

use super::process::Process;
use super::signing::authority;
use super::wait::eventually;

/// How long a command of the binary may take; debug builds on busy machines are slow.
const COMMAND_WITHIN: Duration = Duration::from_mins(3);

/// How long it may take until the server does what it will do.
const DONE_WITHIN: Duration = Duration::from_mins(2);

/// A database of its own.
pub(crate) struct Database {
    /// Under the role that owns the tables.
    pub(crate) admin_url: String,
    /// Under the role that serves.
    pub(crate) serving_url: String,
    /// For looking at it, as its owner.
    pub(crate) pool: PgPool,
    /// Where its instances keep what was signed. Those that start after a change use the new one.
    pub(crate) contents: PathBuf,
    /// The certificates that its instances trust.
    pub(crate) trust_anchors: PathBuf,
    _folder: TempDir,
}

/// A name that no other test has, on this server or another.
fn unused_name() -> String {
    format!("test_{:016x}", rand::random::<u64>())
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let mut url = Url::parse(url).unwrap();
    url.set_path(name);
    url.into()
}

impl Database {
    /// A migrated database on the server that all tests share.
    pub(crate) async fn new() -> Self {
        let server = std::env::var("TEST_DATABASE_URL").expect(
            "TEST_DATABASE_URL is not set; run the tests with `make test` or under with-servers",
        );
        Self::on(&server).await
    }

    /// A migrated database on this server.
    pub(crate) async fn on(server: &str) -> Self {
        let database = Self::empty_on(server).await;
        let folder = super::temporary();
        let settings = [("LOG_PARTITIONS", "4")];
        let mut migrate = database.command(folder.path(), &["migrate"], &settings);
        let status = migrate.wait(COMMAND_WITHIN);
        assert!(status.success(), "{}", migrate.said());
        database
    }

    /// A database with nothing in it.
    pub(crate) async fn empty_on(server: &str) -> Self {
        let name = unused_name();
        let maintenance = PgPoolOptions::new().max_connections(1).connect(server).await.unwrap();
        let create = format!("CREATE DATABASE {name}");
        // Two tests that copy the template at once get in each other's way for a moment.
        eventually("a new database", DONE_WITHIN, async || {
            sqlx::query(&create).execute(&maintenance).await.ok()
        })
        .await;
        maintenance.close().await;
        let admin_url = with_database(server, &name);
        let mut serving = Url::parse(&admin_url).unwrap();
        serving.set_username(&format!("serve_{name}")).unwrap();
        serving.set_password(Some("p@ss/w?rd")).unwrap();
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(DONE_WITHIN)
            .connect_lazy(&admin_url)
            .unwrap();
        let folder = super::temporary();
        let contents = folder.path().join("contents");
        let trust_anchors = folder.path().join("authorities.pem");
        std::fs::write(&trust_anchors, authority().certificate_pem().unwrap()).unwrap();
        let serving_url = serving.into();
        Self { admin_url, serving_url, pool, contents, trust_anchors, _folder: folder }
    }

    /// Starts a command of the binary that works on this database.
    pub(crate) fn command(
        &self,
        folder: &Path,
        arguments: &[&str],
        settings: &[(&str, &str)],
    ) -> Process {
        let mut all = vec![
            ("DATABASE_ADMIN_URL".to_owned(), self.admin_url.clone()),
            ("DATABASE_URL".to_owned(), self.serving_url.clone()),
            ("DISPENSE_HOME".to_owned(), folder.display().to_string()),
        ];
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Process::start(folder, arguments, &all)
    }

    /// Imports registry lines with `dispense registry import`.
    pub(crate) fn import(&self, lines: &str) {
        let folder = super::temporary();
        let file = folder.path().join("registry.ndjson");
        std::fs::write(&file, lines).unwrap();
        let path = file.display().to_string();
        let mut import = self.command(folder.path(), &["registry", "import", &path], &[]);
        let status = import.wait(COMMAND_WITHIN);
        assert!(status.success(), "{}", import.said());
    }

    /// The keys of all containers that are stored, in order.
    pub(crate) fn stored(&self) -> Vec<String> {
        let names = |folder: &Path| -> Vec<String> {
            // No folder was made yet where nothing was stored.
            let entries = std::fs::read_dir(folder).into_iter().flatten();
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
        };
        let mut keys = Vec::new();
        for dispense in names(&self.contents) {
            let containers = names(&self.contents.join(&dispense)).into_iter();
            // A file with a number behind its name is one that is being written.
            let whole = containers.filter(|name| !name.contains('#'));
            keys.extend(whole.map(|name| format!("{dispense}/{name}")));
        }
        keys.sort();
        keys
    }

    /// Executes a statement as the owner.
    pub(crate) async fn execute(&self, statement: &str) {
        sqlx::raw_sql(statement).execute(&self.pool).await.unwrap();
    }

    /// Waits until every read model has read the whole log. The relay may have nobody to tell it to.
    pub(crate) async fn followed(&self) {
        eventually("followers at the end of the log", DONE_WITHIN, async || {
            let behind: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM log_head h
                 LEFT JOIN followers f ON f.partition = h.partition AND f.name <> 'relay'
                 WHERE f.position IS DISTINCT FROM h.position OR f.hash IS DISTINCT FROM h.hash",
            )
            .fetch_one(&self.pool)
            .await
            .ok()?;
            (behind == 0).then_some(())
        })
        .await;
    }
}
