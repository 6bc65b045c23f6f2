//! How much the description of the API may hold. What is beyond is left out, and the description says so.

/// Tables that are described.
pub const MAX_DESCRIBED_TABLES: usize = 1000;
/// Columns of all tables that are described.
pub const MAX_DESCRIBED_COLUMNS: usize = 10_000;
