//! A running server.

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

/// A running private Postgres. Dropping it stops the server too, and blocks until it has ended, for up to 5 s.
/// [`EmbeddedPostgres::stop`] does so without blocking, and returns errors.
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
    /// The URL of the database, with the password: `postgres://gnomon:…@127.0.0.1:port/gnomon`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://{NAME}:{}@127.0.0.1:{}/{NAME}", self.password, self.port)
    }

    /// The same as [`url`](Self::url), for sqlx.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        connect_options(self.port, &self.password, NAME, NAME)
    }

    /// For connections as the server's superuser to the database `postgres`, who may create databases.
    pub(crate) fn superuser_options(&self) -> PgConnectOptions {
        connect_options(self.port, &self.password, SUPERUSER, "postgres")
    }

    /// Gnomon's data directory, which holds the server's.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.layout.data_dir()
    }

    /// The version of the server.
    #[must_use]
    pub fn major(&self) -> Major {
        self.major
    }

    /// Resolves when the server has ended, by itself or because it was stopped.
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
    /// The server did not stop in time and was killed, or had ended before. Even then nothing that was committed is lost.
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
        // The connection stays on this machine.
        .ssl_mode(PgSslMode::Disable)
}
