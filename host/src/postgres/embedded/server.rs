//! A server that runs, as its host sees it.

use std::fmt;
use std::path::Path;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::cluster::SUPERUSER;
use super::end::End;
use super::error::EmbeddedError;
use super::layout::Layout;
use super::lock::HostLock;
use super::log::ServerLog;
use super::ready::NAME;
use super::supervise::Supervised;
use super::version::Major;

/// A running private Postgres. Dropping it stops the server too, and blocks for up to 5 s to see it end; what takes
/// longer goes on without the host. [`EmbeddedPostgres::stop`] is the better way out.
pub struct EmbeddedPostgres {
    // Fields are dropped in this order: the lock is held until the server has ended.
    pub(super) server: Supervised,
    pub(super) log_keeper: tokio::task::JoinHandle<()>,
    pub(super) log: ServerLog,
    pub(super) layout: Layout,
    pub(super) major: Major,
    pub(super) port: u16,
    pub(super) password: String,
    pub(super) _lock: HostLock,
}

impl EmbeddedPostgres {
    /// The database, for Gnomon, `psql` and others: `postgres://gnomon:…@127.0.0.1:port/gnomon`. It holds the password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://{NAME}:{}@127.0.0.1:{}/{NAME}", self.password, self.port)
    }

    /// The same for sqlx.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        connect_options(self.port, &self.password, NAME, NAME)
    }

    /// The server's owner, in the database `postgres`.
    pub(in crate::postgres) fn superuser_options(&self) -> PgConnectOptions {
        connect_options(self.port, &self.password, SUPERUSER, "postgres")
    }

    /// Gnomon's data directory, which holds the server's.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.layout.data_dir()
    }

    /// The version that runs.
    #[must_use]
    pub fn major(&self) -> Major {
        self.major
    }

    /// Resolves when the server has ended, be it by itself or since it was told to.
    pub fn exited(&self) -> impl Future<Output = ServerExit> + Send + use<> {
        let (ended, pid, log) = (self.server.ended(), self.server.pid(), self.log.clone());
        async move {
            let end = ended.await;
            ServerExit { pid, end, last_words: log.tail() }
        }
    }

    /// Stops the server in an orderly way: running statements are cancelled, and all is written to disk.
    ///
    /// # Errors
    /// If it has to be stopped in a less orderly way, or had ended before. Nothing that was committed is lost even so.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        tracing::info!(pid = self.server.pid(), "stopping the private PostgreSQL");
        let end = self.server.stop().await;
        if end.is_success() || self.server.is_ended_at_once() {
            Ok(())
        } else {
            Err(EmbeddedError::Stop { cluster: self.layout.cluster(), end })
        }
    }
}

impl Drop for EmbeddedPostgres {
    fn drop(&mut self) {
        self.log_keeper.abort();
    }
}

impl fmt::Debug for EmbeddedPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedPostgres")
            .field("data_dir", &self.data_dir())
            .field("major", &self.major)
            .field("port", &self.port)
            .field("pid", &self.server.pid())
            .finish_non_exhaustive()
    }
}

/// How the server ended, for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerExit {
    /// Its process.
    pub pid: i32,
    /// How it ended.
    pub end: End,
    /// The end of its log.
    pub last_words: String,
}

impl fmt::Display for ServerExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, end, last_words } = self;
        write!(f, "the private PostgreSQL (process {pid}) has ended ({end}); its last words:\n{last_words}")
    }
}

pub(super) fn connect_options(port: u16, password: &str, role: &str, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(role)
        .password(password)
        .database(database)
        // It never leaves the machine.
        .ssl_mode(PgSslMode::Disable)
}
