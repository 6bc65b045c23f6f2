//! What readers do: read the active build or a past one, or how Postgres would read it, and wait for a position.

mod active;
mod answer;
mod body;
mod budget;
mod cache;
mod contents;
mod error;
mod explain;
mod export;
mod known_zones;
mod limits;
mod list;
mod live;
mod look;
mod origin;
mod page;
mod past;
mod past_tables;
mod plan;
mod read;
mod replayed;
mod replayed_rows;
mod request;
mod run;
mod running;
mod slots;
mod source;
mod stopped;
mod tag;
mod wait;
mod zone;

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::watch;

use crate::{
    builds::CommitsHere,
    event_log::Position,
    postgres::{Database, Sessions},
};

pub use crate::builds::{MAX_NOTED_COMMITS, NOTES_KEPT};

pub use self::{
    answer::Unchanged,
    body::AnswerBody,
    budget::{ByteBudget, Reserved},
    cache::{CacheSettings, CacheUrl, CacheUrlError, MAX_KEPT_ANSWER_BYTES},
    error::ReadError,
    explain::{Explain, PlanFormat},
    export::{Export, ExportBody},
    limits::ReadLimits,
    live::{
        LIVE_STATEMENT_TIMEOUT, LiveBatch, LiveEvent, LiveId, LiveLoad, LiveRows, MAX_CHANGED_ROWS, MAX_LIVE_BYTES,
        MAX_LIVE_QUERIES, MAX_LIVE_ROWS_IN_SUM, MAX_WAITING_BYTES, MAX_WAITING_BYTES_IN_SUM, RowChange, SnapshotReason,
    },
    origin::Origin,
    past::{PastModel, PastWait},
    read::Answer,
    replayed::{MAX_ASKED_KEYS, asked_keys},
    replayed_rows::ReplayedRows,
    request::{Count, ReadRequest},
    tag::AnswerTag,
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
    /// For those that wait for a position, and those whose answer may be kept.
    looks: look::Looks,
    committed: watch::Receiver<CommitsHere>,
    awaited: watch::Sender<Position>,
    /// The answers that are kept.
    cache: Arc<cache::AnswerCache>,
    zones: Arc<known_zones::KnownZones>,
    past_tables: Arc<past_tables::PastTables>,
    /// Those who follow.
    live: live::LiveQueries,
}

impl Queries {
    /// The queries on a database whose schema is up to date. `committed` changes with each commit of this host's workers, which are told what
    /// is `awaited`: the largest position that somebody waits for. `restores` counts how often the database was restored under this host.
    #[must_use]
    pub fn new(
        database: &Database,
        restores: watch::Receiver<u64>,
        committed: watch::Receiver<CommitsHere>,
        awaited: watch::Sender<Position>,
        cache: &CacheSettings,
    ) -> Self {
        let (pool, sessions) = (database.lookups.clone(), database.queries.clone());
        let slots = Arc::new(slots::Slots::new(sessions.max()));
        let looks = look::Looks::new(pool.clone(), committed.clone());
        let cache = Arc::new(cache::AnswerCache::new(cache));
        let active_builds = Arc::new(active::ActiveBuilds::new(restores));
        let (zones, past_tables, live) = Default::default();
        Self { pool, sessions, active_builds, slots, looks, committed, awaited, cache, zones, past_tables, live }
    }

    /// How many queries run, and how many wait for their turn.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        self.slots.load()
    }

    /// The bytes of the answers that are kept in memory, and those that they may have.
    #[must_use]
    pub fn cache_bytes(&self) -> (usize, usize) {
        self.cache.bytes()
    }
}

#[cfg(test)]
mod tests;
