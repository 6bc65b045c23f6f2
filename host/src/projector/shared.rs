//! What the workers of a host share.

use std::{thread, time::Duration};

use sqlx::PgPool;
use tokio::sync::{Notify, watch};

use super::instances::SpareCores;
use crate::{
    builds::PastLimits,
    event_log::{EventLog, Position},
    folding::{FoldingThreads, MAX_FOLDING_THREADS, RowMemory},
    modules::Modules,
    subscriptions::{BatchSize, SharedPieces},
};

/// Settings of the projector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectorSettings {
    /// The limits of a batch that a module gets.
    pub batch: BatchSize,
    /// Threads that fold a build while it replays, if its projection is partitioned by stream, at most. All builds together have as many,
    /// beside one each.
    pub replay_threads: usize,
    /// Batches that are folded at once, at most; others wait for a thread.
    pub folding_threads: usize,
    /// How long a lease lasts unless it is renewed: a host that hangs keeps its builds from other hosts for so long.
    pub lease: Duration,
    /// How long a build is kept, and kept up to date, after another one became the active one.
    pub keep_replaced: Duration,
    /// The largest number of events that a build may set aside.
    pub max_dead_letters: u64,
    /// Memory for rows that are kept from batch to batch, for all builds together, in bytes. A replay that has to let rows go takes 16 MiB beside it.
    pub max_kept_rows_bytes: usize,
    /// How many past builds there may be, and how long they are kept.
    pub past: PastLimits,
}

impl Default for ProjectorSettings {
    fn default() -> Self {
        Self {
            batch: BatchSize::default(),
            replay_threads: thread::available_parallelism().map_or(1, Into::into),
            folding_threads: MAX_FOLDING_THREADS,
            lease: Duration::from_secs(5),
            keep_replaced: Duration::from_secs(24 * 60 * 60),
            max_dead_letters: 100_000,
            max_kept_rows_bytes: 256 * 1024 * 1024,
            past: PastLimits::default(),
        }
    }
}

/// What the workers of a host share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) pool: PgPool,
    pub(super) log: EventLog,
    pub(super) modules: Modules,
    pub(super) settings: ProjectorSettings,
    pub(super) folding: FoldingThreads,
    /// For past builds, whose work gives way to all other.
    pub(super) past_folding: FoldingThreads,
    pub(super) spare_cores: SpareCores,
    pub(super) rows: RowMemory,
    /// What builds read of the log together.
    pub(super) pieces: SharedPieces,
    /// The position that somebody waits for, the largest.
    pub(super) awaited: watch::Sender<Position>,
    /// Wakes the supervisor of this host.
    pub(super) look_again: Notify,
}
