//! Why a private Postgres could not be started. Each message is one line that names the problem and what to do; the end of
//! the server's log may follow.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::end::End;
use super::version::{Major, SUPPORTED};

/// Why a private Postgres could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The operating system refused an operation.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
    /// Another host uses the data directory.
    #[error(
        "the data directory {} is in use by another gnomon{}: stop that one, or choose another data directory",
        data_dir.display(),
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// The other host.
        pid: Option<u32>,
    },
    /// `PG_BIN` names a folder from which no server can be run.
    #[error("PG_BIN is {}, but {reason}: let it name the folder that holds `postgres` and `initdb`, or unset it", folder.display())]
    PgBin {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no server on this machine, and none could be downloaded.
    #[error(
        "found no PostgreSQL {} to {} in the PATH or the usual folders, and could not download one: {download}; \
         install PostgreSQL, or set PG_BIN to the folder that holds `postgres`, or set DATABASE_URL to use a running server",
        SUPPORTED.start(),
        SUPPORTED.end()
    )]
    NoServer {
        /// Why there was no download.
        download: DownloadError,
    },
    /// The cluster belongs to a major version that this machine does not have.
    #[error(
        "the database in {} was made by PostgreSQL {major}, and only {found} can be run here: \
         install PostgreSQL {major}, or set PG_BIN to its folder",
        cluster.display()
    )]
    OtherMajor {
        /// The cluster.
        cluster: PathBuf,
        /// Its version.
        major: Major,
        /// The servers of this machine, as the message lists them.
        found: String,
    },
    /// The host runs as root, and there is no other user to run Postgres as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor `nobody`: \
         create the user `postgres`, or start gnomon as an ordinary user"
    )]
    NoUser,
    /// The files belong to another user.
    #[error("{} belongs to the user {owner}, and PostgreSQL would run as {user}: {remedy}", path.display())]
    Owner {
        /// The cluster, or the folder around it.
        path: PathBuf,
        /// The user who owns it.
        owner: String,
        /// The user who should own it.
        user: String,
        /// What to do about it.
        remedy: String,
    },
    /// The user that Postgres runs as cannot enter its data directory.
    #[error(
        "PostgreSQL runs as the user {user}, since gnomon was started as root, and that user may not enter {}: \
         choose a data directory elsewhere (such as /var/lib/gnomon), or run `chmod o+x {}`, \
         or start gnomon as an ordinary user",
        folder.display(),
        folder.display()
    )]
    Unreachable {
        /// The outermost folder that the user may not enter.
        folder: PathBuf,
        /// The user.
        user: String,
    },
    /// The password file is missing, or has another password than the cluster.
    #[error(
        "the password in {} is not that of the database beside it ({cause}): put the file back as it was, \
         a copy of the data directory has it",
        path.display()
    )]
    Password {
        /// The file.
        path: PathBuf,
        /// The error of reading the file, or the server's answer.
        cause: String,
    },
    /// `initdb` failed.
    #[error("initdb from {} could not make a database ({end}); its last words:\n{output}", bin.display())]
    Initdb {
        /// The folder of its program.
        bin: PathBuf,
        /// How it ended.
        end: End,
        /// The end of its output.
        output: String,
    },
    /// The server of an earlier host does not stop.
    #[error(
        "PostgreSQL (process {pid}) still runs on {} although its host has ended, and does not stop: end it by hand",
        cluster.display()
    )]
    Predecessor {
        /// Its process.
        pid: i32,
        /// Its cluster.
        cluster: PathBuf,
    },
    /// The server ended before it was ready.
    #[error("PostgreSQL did not start on {} ({end}); its last words:\n{output}", cluster.display())]
    Ended {
        /// The cluster.
        cluster: PathBuf,
        /// How it ended.
        end: End,
        /// The end of its log.
        output: String,
    },
    /// The server runs and takes no connections.
    #[error(
        "PostgreSQL on {} was not ready after {} s{}; its last words:\n{output}",
        cluster.display(),
        waited.as_secs(),
        connect.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default()
    )]
    NotReady {
        /// The cluster.
        cluster: PathBuf,
        /// How long the host waited.
        waited: Duration,
        /// The server's answer to a connection, if there was one.
        connect: Option<String>,
        /// The end of its log.
        output: String,
    },
    /// The server is ready, but its role or its database cannot be used or made.
    #[error("the private PostgreSQL runs on 127.0.0.1:{port}, but its database `gnomon` cannot be used: {cause}")]
    Connect {
        /// The port that it listens on.
        port: u16,
        /// The server's answer.
        cause: sqlx::Error,
    },
    /// The server had to be killed.
    #[error("PostgreSQL on {} did not stop in an orderly way ({end}); it will recover at the next start", cluster.display())]
    Stop {
        /// The cluster.
        cluster: PathBuf,
        /// How it ended.
        end: End,
    },
}

impl EmbeddedError {
    /// For `map_err`: an error of the operating system, with what was tried on which path.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { action, path: path.to_owned(), cause }
    }
}

/// Why no server was downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// There is no package for this platform.
    #[error("there is none for {os} on {arch}")]
    Platform {
        /// The operating system.
        os: &'static str,
        /// The processor.
        arch: &'static str,
    },
    /// There is no connection, no answer, or the connection broke off.
    #[error("{url} cannot be reached ({cause})")]
    Network {
        /// The package.
        url: String,
        /// The error with all its causes.
        cause: String,
    },
    /// The registry answered with another status.
    #[error("{url} answers {status}")]
    Status {
        /// The package.
        url: String,
        /// The answer.
        status: u16,
    },
    /// The content is not the package that was published.
    #[error("what {url} delivers is not the package that was published ({difference})")]
    Forged {
        /// The package.
        url: String,
        /// How it differs.
        difference: String,
    },
    /// The package was not as expected.
    #[error("the package from {url} cannot be unpacked: {cause}")]
    Unpack {
        /// The package.
        url: String,
        /// What was wrong.
        cause: String,
    },
    /// The programs do not run here. On Linux they need glibc; Alpine has another library.
    #[error("what was downloaded to {} does not run here: {reason}", folder.display())]
    Useless {
        /// The folder of the download.
        folder: PathBuf,
        /// What was tried, and the answer.
        reason: String,
    },
    /// The files cannot be written.
    #[error("cannot write to {}: {cause}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
}
