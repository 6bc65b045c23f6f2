//! Limits of a query. Each is well above what people and programs write, and well below what is expensive for the parser or
//! Postgres' planner.

/// Bytes of a query string. A list of 800 UUIDs fits.
pub const MAX_QUERY_BYTES: usize = 32 * 1024;
/// Bytes of the body that a query is sent as. A list of 25,000 UUIDs fits.
pub const MAX_POSTED_QUERY_BYTES: usize = 1024 * 1024;
/// Bytes of the words of a full-text search. Postgres reads 2,000 bytes of the worst of them in 30 ms, and 14,000 in 18 s.
pub const MAX_WORDS_BYTES: usize = 2_000;
/// Columns in the result; `*` counts as all columns of the table. Postgres' own limit is 1,664.
pub const MAX_SELECTED: usize = 1_000;
/// Columns in the result that are there already, under this name or another. A row is only as large as its columns, and its answer no more
/// than so many times as large.
pub const MAX_REPEATED: usize = 16;
/// Bytes of a pattern. Postgres compares it again at each character of a text.
pub const MAX_PATTERN_BYTES: usize = 1_000;
/// Wildcards of a pattern: `*`, `%` and `_`.
pub const MAX_WILDCARDS: usize = 50;
/// Operators `!`, or `-` in `wfts`, without a word between them. Postgres has room for 32 operators that wait for their word.
pub(super) const MAX_NEGATIONS: usize = 16;
/// Braces within each other in the literal of an array. Postgres has arrays of up to six dimensions, and columns have one.
pub(super) const MAX_ARRAY_DEPTH: usize = 6;
/// Columns to order by.
pub const MAX_ORDER_TERMS: usize = 32;
/// Conditions in all filters and logic trees together.
pub const MAX_CONDITIONS: usize = 500;
/// How deep `and` and `or` may be nested; those of the parameter itself are the first level.
pub const MAX_DEPTH: usize = 20;
