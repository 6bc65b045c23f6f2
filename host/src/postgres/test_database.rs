//! Databases for tests: for those of this crate, and for those in `tests/`, which see the crate from outside. Hence it
//! is public and not part of the tests, and hidden from the documentation.

use std::env;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

use super::embedded::{EmbeddedPostgres, Major, scratch};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The databases' names begin with this; in front of a server that others use too, nothing else is touched.
const PREFIX: &str = "gnomon_test_";

/// An empty database of its own for one test, dropped with this value.
///
/// It lives on the server that `DATABASE_URL` names, whose role must be allowed to create databases. If that is not
/// set, it lives on a private server that all tests of the process share, and that ends with the process.
///
/// Dropping it blocks the thread. A test whose tasks open connections by themselves needs a runtime of several threads: a
/// connection that is stuck half-way in the meantime makes Postgres wait for it with the drop.
///
/// A test process that is killed leaves nothing behind: the private server goes with it, and what it has left on another
/// server is dropped by the next one.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    options: PgConnectOptions,
    admin: PgConnectOptions,
    /// Holds a lock that tells others that the database is in use.
    _mark: PgConnection,
}

struct Server {
    /// Makes and drops databases.
    admin: PgConnectOptions,
    /// What tests connect with, but for the database.
    options: PgConnectOptions,
    /// What goes with `create database`.
    options_of_create: String,
    _private: Option<EmbeddedPostgres>,
}

/// Never dropped, as no static is: the private server ends since the process does.
static SERVER: OnceCell<Server> = OnceCell::const_new();

impl TestDatabase {
    /// Makes a database.
    ///
    /// # Panics
    /// If there is no server, or if it refuses.
    pub async fn create() -> Self {
        match Self::try_create().await {
            Ok(database) => database,
            Err(error) => panic!("no database for this test: {error}"),
        }
    }

    async fn try_create() -> Result<Self, Error> {
        let server = SERVER.get_or_try_init(Server::start).await?;
        let name = format!("{PREFIX}{}", uuid::Uuid::new_v4().simple());
        let mut admin = PgConnection::connect_with(&server.admin).await?;
        // First the mark, then the database, so that nobody finds it without.
        sqlx::query("select pg_advisory_lock(hashtextextended($1, 0))").bind(&name).execute(&mut admin).await?;
        let statement = format!("create database \"{name}\" {}", server.options_of_create);
        admin.execute(statement.as_str()).await?;
        let options = server.options.clone().database(&name);
        Ok(Self { name, options, admin: server.admin.clone(), _mark: admin })
    }

    /// For connections to it.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// The same as `DATABASE_URL` would have it.
    #[must_use]
    pub fn url(&self) -> String {
        use sqlx::ConnectOptions;
        self.options.to_url_lossy().to_string()
    }

    /// A pool of up to ten connections.
    ///
    /// # Panics
    /// If the server refuses one.
    pub async fn pool(&self) -> PgPool {
        match PgPoolOptions::new().max_connections(10).connect_with(self.connect_options()).await {
            Ok(pool) => pool,
            Err(error) => panic!("cannot connect to the test's database: {error}"),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (name, admin) = (self.name.clone(), self.admin.clone());
        // In a thread with a runtime of its own: the test's may have this one thread, which is busy here.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect_with(&admin).await?;
                drop_database(&mut admin, &name).await
            })
        });
        if let Ok(Err(error)) = dropped.join() {
            tracing::warn!(name = self.name, %error, "cannot drop the test's database");
        }
    }
}

impl Server {
    async fn start() -> Result<Self, Error> {
        if let Some(url) = env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()) {
            let admin = PgConnectOptions::from_str(&url)?;
            sweep(&admin).await?;
            return Ok(Self { options: admin.clone(), admin, options_of_create: String::new(), _private: None });
        }
        let private = scratch::start(&cache()).await?;
        let options = private.connect_options();
        // Where nothing is forced to disk, copying the template's files is three times as fast as writing them to the
        // WAL, which is the default that version 15 has brought.
        let strategy = if private.major() >= Major::new(15) { "strategy file_copy" } else { "" };
        let options_of_create = format!("owner \"{}\" {strategy}", options.get_username());
        Ok(Self { admin: private.superuser_options(), options, options_of_create, _private: Some(private) })
    }
}

/// Drops the databases of test processes that were killed: those that nobody holds the mark of.
async fn sweep(admin: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let mut admin = PgConnection::connect_with(admin).await?;
    let names: Vec<String> = sqlx::query_scalar("select datname from pg_database where starts_with(datname, $1)")
        .bind(PREFIX)
        .fetch_all(&mut admin)
        .await?;
    for name in names {
        let is_free: bool = sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended($1, 0))")
            .bind(&name)
            .fetch_one(&mut admin)
            .await?;
        if is_free {
            drop_database(&mut admin, &name).await?;
        }
    }
    admin.close().await
}

async fn drop_database(admin: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    // The pool of the test may still be open.
    let statement = format!("drop database if exists \"{name}\" with (force)");
    admin.execute(statement.as_str()).await?;
    Ok(())
}

/// Beside the test programs, which are in `target/<profile>/deps`, so that `cargo clean` removes it.
fn cache() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let build = program.ancestors().find(|folder| folder.join("deps").is_dir());
    build.map_or_else(env::temp_dir, PathBuf::from).join("test-postgres")
}
