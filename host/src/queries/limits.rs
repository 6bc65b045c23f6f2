//! What one query may cost.

use std::time::Duration;

use super::budget::ByteBudget;

/// What one query may cost. Clones share the budget.
#[derive(Clone, Debug)]
pub struct ReadLimits {
    /// The most rows that a page may have.
    pub max_rows: u64,
    /// The most bytes that an answer may have.
    pub max_bytes: usize,
    /// Whether it may use aggregate functions.
    pub aggregates: bool,
    /// For how long it may run.
    pub timeout: Duration,
    /// For how long all rows of a table may be read, however the client takes them.
    pub export_timeout: Duration,
    /// The bytes of all answers that are read or sent.
    pub budget: ByteBudget,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            max_rows: 10_000,
            max_bytes: 64 * 1024 * 1024,
            aggregates: true,
            timeout: Duration::from_secs(30),
            export_timeout: Duration::from_secs(60 * 60),
            budget: ByteBudget::new(256 * 1024 * 1024),
        }
    }
}
