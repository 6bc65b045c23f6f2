//! Limits of a query. Each is well above what people and programs write, and well below what is expensive for the parser or
//! Postgres' planner.

/// Bytes of a query string. A list of 800 UUIDs fits.
pub const MAX_QUERY_BYTES: usize = 32 * 1024;
/// Bytes of the words of a full-text search. Postgres reads 2,000 bytes of the worst of them in 30 ms, and 14,000 in 18 s.
pub const MAX_WORDS_BYTES: usize = 2_000;
/// Columns in the result; `*` counts as all columns of the table. Postgres' own limit is 1,664.
pub const MAX_SELECTED: usize = 1_000;
/// Columns to order by.
pub const MAX_ORDER_TERMS: usize = 32;
/// Conditions in all filters and logic trees together.
pub const MAX_CONDITIONS: usize = 500;
/// How deep `and` and `or` may be nested; those of the parameter itself are the first level.
pub const MAX_DEPTH: usize = 20;
