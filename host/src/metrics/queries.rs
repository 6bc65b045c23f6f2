//! What is counted of queries on read models.

use super::{counter::Counter, names, register::Register};

/// What is counted of queries on read models.
#[derive(Debug)]
pub struct QueryMeasures {
    memory: Counter,
    database: Counter,
}

impl QueryMeasures {
    pub(super) fn new(register: &mut Register) -> Self {
        let lookups = register.counters_of(names::ACTIVE_BUILD_LOOKUPS, &["memory", "database"]);
        Self { memory: lookups.of(&["memory"]), database: lookups.of(&["database"]) }
    }

    /// A query needed to know the active build.
    pub fn looked_up_active_build(&self, is_remembered: bool) {
        if is_remembered { &self.memory } else { &self.database }.inc();
    }
}
