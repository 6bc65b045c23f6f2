//! What is counted of queries on read models.

use super::{counter::Counter, names, register::Register};

/// What is counted of queries on read models.
#[derive(Debug)]
pub struct QueryMeasures {
    memory: Counter,
    database: Counter,
    found_in_memory: Counter,
    found_in_redis: Counter,
    missed: Counter,
    redis_failures: Counter,
    looks: Counter,
    reads: Counter,
    changes: Counter,
    began: Counter,
    gaps: Counter,
    slow: Counter,
}

impl QueryMeasures {
    pub(super) fn new(register: &mut Register) -> Self {
        let lookups = register.counters_of(names::ACTIVE_BUILD_LOOKUPS, &["memory", "database"]);
        let hits = register.counters_of(names::QUERY_CACHE_HITS, &["memory", "redis"]);
        let snapshots = register.counters_of(names::LIVE_SNAPSHOTS, &["begin", "gap", "slow"]);
        Self {
            looks: register.counter(names::LIVE_LOOKS),
            reads: register.counter(names::LIVE_READS),
            changes: register.counter(names::LIVE_CHANGES),
            began: snapshots.of(&["begin"]),
            gaps: snapshots.of(&["gap"]),
            slow: snapshots.of(&["slow"]),
            memory: lookups.of(&["memory"]),
            database: lookups.of(&["database"]),
            found_in_memory: hits.of(&["memory"]),
            found_in_redis: hits.of(&["redis"]),
            missed: register.counter(names::QUERY_CACHE_MISSES),
            redis_failures: register.counter(names::QUERY_CACHE_REDIS_FAILURES),
        }
    }

    /// It was looked for all who follow a projection.
    pub fn looked_for_followers(&self) {
        self.looks.inc();
    }

    /// A statement has read rows for live queries.
    pub fn read_for_followers(&self) {
        self.reads.inc();
    }

    /// A live query has found so many changes.
    pub fn found_changes(&self, changes: usize) {
        self.changes.inc_by(changes as u64);
    }

    /// A follower gets all rows, since it has begun.
    pub fn began_to_follow(&self) {
        self.began.inc();
    }

    /// A follower gets all rows, since it is not known what has changed.
    pub fn followed_after_a_gap(&self) {
        self.gaps.inc();
    }

    /// A follower gets all rows, since it reads too slowly.
    pub fn followed_too_slowly(&self) {
        self.slow.inc();
    }

    /// A query needed to know the active build.
    pub fn looked_up_active_build(&self, is_remembered: bool) {
        if is_remembered { &self.memory } else { &self.database }.inc();
    }

    /// An answer was kept in this host's memory.
    pub fn found_in_memory(&self) {
        self.found_in_memory.inc();
    }

    /// An answer was kept in Redis.
    pub fn found_in_redis(&self) {
        self.found_in_redis.inc();
    }

    /// An answer was kept nowhere.
    pub fn missed(&self) {
        self.missed.inc();
    }

    /// Redis could not be asked.
    pub fn redis_failed(&self) {
        self.redis_failures.inc();
    }
}
