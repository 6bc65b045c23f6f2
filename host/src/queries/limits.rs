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
    /// For how long it may run.
    pub timeout: Duration,
    /// Whether queries may aggregate rows.
    pub aggregates: bool,
    /// The bytes of all answers that are read or sent.
    pub budget: ByteBudget,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            max_rows: 10_000,
            max_bytes: 64 * 1024 * 1024,
            timeout: Duration::from_secs(30),
            aggregates: true,
            budget: ByteBudget::new(256 * 1024 * 1024),
        }
    }
}
