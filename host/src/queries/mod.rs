//! What readers do: read the active build, and wait for a position.

mod active;
mod list;
mod read;
mod stopped;
mod wait;

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::watch;

use crate::postgres::Database;

pub use self::read::{Answer, ReadError, ReadRequest};

/// What readers can do. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Queries {
    pool: PgPool,
    /// For the SQL of readers' queries.
    queries: PgPool,
    active_builds: Arc<active::ActiveBuilds>,
    /// Changes with each commit of this host's workers.
    committed: watch::Receiver<u64>,
}

impl Queries {
    /// The queries on a database whose schema is up to date. `committed` changes with each commit of this host's workers.
    #[must_use]
    pub fn new(database: &Database, committed: watch::Receiver<u64>) -> Self {
        let (pool, queries) = (database.lookups.clone(), database.queries.clone());
        Self { pool, queries, active_builds: Arc::default(), committed }
    }
}
