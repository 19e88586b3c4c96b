//! A fresh, migrated database for each test, on the server that `TEST_DATABASE_URL` names.

use std::sync::atomic::{AtomicU32, Ordering};

use dispense_domain::Partitions;
use dispense_postgres::migrate::{ServingRole, migrate};
use dispense_postgres::{Importer, PgRegistry, pool};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection, PgPool};
use uuid::Uuid;

/// How many partitions the log has.
pub(crate) const PARTITIONS: u16 = 4;

/// The role under which everything is tested.
const ROLE: &str = "dispense_under_test";

/// How many connections a test has.
const CONNECTIONS: u32 = 8;

/// A database of one test.
pub(crate) struct Database {
    /// For the owner of the tables, who can do what the service cannot.
    pub(crate) admin: PgPool,
    /// For the role that serves.
    pub(crate) serving: PgPool,
    /// How the role that serves connects.
    #[allow(dead_code, reason = "for those who need a connection of their own")]
    pub(crate) serving_options: PgConnectOptions,
    /// Names the log.
    pub(crate) log_id: Uuid,
}

impl Database {
    pub(crate) async fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("dispense_{}_{next}", std::process::id());
        let admin_options = server();
        let mut server = PgConnection::connect_with(&admin_options).await.unwrap();
        // Roles belong to the whole server, so tests that prepare one have to take turns.
        server.execute("SELECT pg_advisory_lock(7)").await.unwrap();
        server.execute(&*format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        server.execute(&*format!("CREATE DATABASE {name}")).await.unwrap();

        let admin_options = admin_options.database(&name);
        let role = ServingRole { name: ROLE.to_owned(), password: Some(ROLE.to_owned()) };
        migrate(&admin_options, Some(&role), Some(partitions())).await.unwrap();
        server.close().await.unwrap();

        let admin = pool(&admin_options, CONNECTIONS);
        let serving_options = admin_options.username(ROLE).password(ROLE);
        let log_id =
            sqlx::query_scalar("SELECT log_id FROM log_settings").fetch_one(&admin).await.unwrap();
        Self { admin, serving: pool(&serving_options, CONNECTIONS), serving_options, log_id }
    }

    /// What one instance of the service imports with.
    pub(crate) fn importer(&self) -> Importer {
        Importer::new(self.serving.clone(), partitions(), self.log_id)
    }

    /// The registries of one instance of the service.
    pub(crate) fn registry(&self) -> PgRegistry {
        PgRegistry::new(self.serving.clone(), partitions(), self.log_id)
    }

    /// The version of the small registries.
    pub(crate) async fn version(&self) -> i64 {
        self.number("SELECT version FROM registry_version").await
    }

    /// How many changes were recorded.
    pub(crate) async fn changes(&self) -> i64 {
        self.number("SELECT count(*) FROM registry_changes").await
    }

    /// What a statement says that asks for one number.
    pub(crate) async fn number(&self, statement: &str) -> i64 {
        sqlx::query_scalar(statement).fetch_one(&self.admin).await.unwrap()
    }
}

pub(crate) fn partitions() -> Partitions {
    Partitions::new(PARTITIONS).unwrap()
}

pub(crate) fn server() -> PgConnectOptions {
    let url = std::env::var("TEST_DATABASE_URL").expect(
        "these tests need a PostgreSQL server: run them through \
         `cargo run -p dispense-embedded --bin with-servers -- cargo test -p dispense-postgres`, \
         or name a superuser's URL in TEST_DATABASE_URL",
    );
    url.parse().expect("TEST_DATABASE_URL: expected a URL such as postgres://user@host/postgres")
}
