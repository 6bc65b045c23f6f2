//! What readers do: read the active build, and wait for a position.

mod active;
mod body;
mod budget;
mod error;
mod limits;
mod list;
mod look;
mod read;
mod running;
mod slots;
mod stopped;
mod wait;

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::watch;

use crate::postgres::{Database, Sessions};

pub use self::{
    body::AnswerBody,
    budget::{ByteBudget, Reserved},
    error::ReadError,
    limits::ReadLimits,
    read::{Answer, ReadRequest},
};

/// What readers can do. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Queries {
    pool: PgPool,
    /// For the SQL of readers' queries.
    sessions: Sessions,
    active_builds: Arc<active::ActiveBuilds>,
    /// Who may run a query.
    slots: Arc<slots::Slots>,
    /// For those that wait for a position.
    looks: look::Looks,
}

impl Queries {
    /// The queries on a database whose schema is up to date. `committed` changes with each commit of this host's workers.
    #[must_use]
    pub fn new(database: &Database, committed: watch::Receiver<u64>) -> Self {
        let (pool, sessions) = (database.lookups.clone(), database.queries.clone());
        let slots = Arc::new(slots::Slots::new(sessions.max()));
        let looks = look::Looks::new(pool.clone(), committed);
        Self { pool, sessions, active_builds: Arc::default(), slots, looks }
    }

    /// How many queries run, and how many wait for their turn.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        self.slots.load()
    }
}
