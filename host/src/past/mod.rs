//! The past of streams: the rows that the events of a stream leave, after any of them, and what each of them changes.
//!
//! For a projection that is partitioned by stream, the rows of a stream are a function of its events alone. So they are folded again, in memory,
//! with any version of the projection: no build is asked, no build waits, and builds that are retired are no loss. [`snapshots`] save folding from
//! the first event each time. What is told is what a build gives that folds the events in order; the dead letters of the build that is asked do
//! not count.

mod asking;
mod candidates;
mod changes;
mod error;
mod fold;
mod history;
mod keyed;
mod logic;
mod reading;
mod rows;
mod set_aside;
mod settings;
mod silence;
mod snapshots;
mod state;
mod told;
mod verdict;
mod verify;
mod verify_some;

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::Semaphore;

use self::snapshots::Keeper;
pub(crate) use self::{
    changes::changes,
    rows::{Committed, FoldedRows},
    silence::silently,
    verdict::{passed_over, wanted},
};
pub use self::{
    changes::{MAX_ROWS as MAX_CHANGED_ROWS, RowChange},
    error::PastError,
    history::{HistoryPage, PastEvent},
    keyed::{KeyedRows, MAX_KEYED_STREAMS},
    logic::Logic,
    settings::PastSettings,
    snapshots::MAX_SNAPSHOT_BYTES,
    state::{At, StreamState, TableRows},
    told::Told,
    verdict::{PassedOver, Status},
    verify::{ComparedRows, RowDifference, StreamVerification},
    verify_some::{MAX_VERIFIED_STREAMS, SnapshotsVerification},
};
use crate::{modules::Modules, postgres::Database};

/// The past of the streams of a database. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Past {
    pool: PgPool,
    modules: Modules,
    settings: PastSettings,
    snapshots: Keeper,
    /// A permit for each answer that is folded: that computes.
    folding: Arc<Semaphore>,
}

impl Past {
    /// The past of the streams of a database whose schema is up to date.
    #[must_use]
    pub fn new(database: &Database, modules: Modules, settings: PastSettings) -> Self {
        let pool = database.lookups.clone();
        let snapshots = Keeper::new(pool.clone(), settings.max_snapshots_bytes);
        let folding = Arc::new(Semaphore::new(settings.max_folds));
        Self { pool, modules, settings, snapshots, folding }
    }
}

#[cfg(test)]
mod tests;
