//! What the workers of a host share.

use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Notify;

use crate::{event_log::EventLog, modules::Modules, subscriptions::BatchSize};

/// Settings of the projector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectorSettings {
    /// How much of the log a module gets at once.
    pub batch: BatchSize,
    /// How long a host that hangs keeps its builds from others.
    pub lease: Duration,
    /// How long a build is kept, and kept up to date, after another one took its place.
    pub keep_replaced: Duration,
    /// How many events a build may set aside.
    pub max_dead_letters: u64,
}

impl Default for ProjectorSettings {
    fn default() -> Self {
        Self {
            batch: BatchSize::default(),
            lease: Duration::from_secs(5),
            keep_replaced: Duration::from_secs(24 * 60 * 60),
            max_dead_letters: 100_000,
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
    /// Wakes the supervisor.
    pub(super) look_again: Notify,
}
