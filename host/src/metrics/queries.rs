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
}

impl QueryMeasures {
    pub(super) fn new(register: &mut Register) -> Self {
        let lookups = register.counters_of(names::ACTIVE_BUILD_LOOKUPS, &["memory", "database"]);
        let hits = register.counters_of(names::QUERY_CACHE_HITS, &["memory", "redis"]);
        Self {
            memory: lookups.of(&["memory"]),
            database: lookups.of(&["database"]),
            found_in_memory: hits.of(&["memory"]),
            found_in_redis: hits.of(&["redis"]),
            missed: register.counter(names::QUERY_CACHE_MISSES),
            redis_failures: register.counter(names::QUERY_CACHE_REDIS_FAILURES),
        }
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
