//! Databases for tests of this crate and for those in `tests/`, which see the crate from outside. So it is public, not part of the
//! tests, and hidden from the documentation.

use std::env;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

use super::embedded::{EmbeddedPostgres, Major, scratch};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Prefix of the databases' names. On a server that others use too, databases with other names are not touched.
const PREFIX: &str = "gnomon_test_";

/// An empty database of its own for one test, dropped with this value.
///
/// It lives on the server that `DATABASE_URL` names, whose role must be allowed to create databases. If that is not
/// set, it lives on a private server that all tests of the process share, and that ends with the process.
///
/// Dropping it blocks the thread. A test whose tasks open connections by themselves needs a runtime of several threads: Postgres
/// does not drop a database while a connection to it is being opened.
///
/// A killed test process leaves nothing behind: the private server ends with it, and the next test process drops its databases on
/// another server.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    options: PgConnectOptions,
    admin: PgConnectOptions,
    /// Holds an advisory lock, which shows other processes that the database is in use.
    _mark: PgConnection,
}

struct Server {
    /// For making and dropping databases.
    admin: PgConnectOptions,
    /// For the connections of tests, without the database.
    options: PgConnectOptions,
    /// Options of `create database`.
    options_of_create: String,
    _private: Option<EmbeddedPostgres>,
}

/// Statics are never dropped: the private server ends with the process.
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
        // The mark before the database, so that no process finds a database without its mark.
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

    /// The same as a URL, as in `DATABASE_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        use sqlx::ConnectOptions;
        self.options.to_url_lossy().to_string()
    }

    /// A pool of the role that made it, who may make roles as well.
    ///
    /// # Panics
    /// If the server refuses.
    pub async fn admin_pool(&self) -> PgPool {
        let options = self.admin.clone().database(&self.name);
        match PgPoolOptions::new().max_connections(2).connect_with(options).await {
            Ok(pool) => pool,
            Err(error) => panic!("cannot connect to the test's database: {error}"),
        }
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
        // In a thread with a runtime of its own: the test's runtime may have only this thread, which is blocked.
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
        // Without durability, copying the template's files is three times as fast as writing them to the WAL, the default since
        // version 15.
        let strategy = if private.major() >= Major::new(15) { "strategy file_copy" } else { "" };
        let options_of_create = format!("owner \"{}\" {strategy}", options.get_username());
        Ok(Self { admin: private.superuser_options(), options, options_of_create, _private: Some(private) })
    }
}

/// Drops the databases of killed test processes: those whose mark no session holds.
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
    // With force, since the pool of the test may still be open.
    let statement = format!("drop database if exists \"{name}\" with (force)");
    admin.execute(statement.as_str()).await?;
    Ok(())
}

/// Beside the test programs, which are in `target/<profile>/deps`, so that `cargo clean` removes it.
pub(super) fn cache() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let build = program.ancestors().find(|folder| folder.join("deps").is_dir());
    build.map_or_else(env::temp_dir, PathBuf::from).join("test-postgres")
}
