//! Limits of a query. Each is well above what people and programs write, and well below what is expensive for the parser or
//! Postgres' planner.

/// Bytes of a query string. A list of 800 UUIDs fits.
pub const MAX_QUERY_BYTES: usize = 32 * 1024;
/// Bytes of the words of a full-text search. Postgres reads 2,000 bytes of the worst of them in 30 ms, and 14,000 in 18 s.
pub const MAX_WORDS_BYTES: usize = 2_000;
/// Columns in the result, those of embeddings included; `*` counts as all columns of the table. Postgres' own limit is 1,664.
pub const MAX_SELECTED: usize = 1_000;
/// Columns in the result that are there already, under this name or another. A row is only as large as its columns, and its answer no more
/// than so many times as large.
pub const MAX_REPEATED: usize = 16;
/// Bytes of a pattern. Postgres compares it again at each character of a text.
pub const MAX_PATTERN_BYTES: usize = 1_000;
/// Wildcards of a pattern: `*`, `%` and `_`.
pub const MAX_WILDCARDS: usize = 50;
/// Characters of a regular expression once its repetitions are written out. Postgres makes 200 of them ready in 30 ms, and 1,000 in 20 s.
pub const MAX_REGEX_SIZE: usize = 200;
/// As how many conditions a regular expression counts. Postgres keeps 32 of them ready; more would be made ready again for each row.
pub(super) const REGEX_CONDITIONS: usize = MAX_CONDITIONS / 31;
/// Operators `!`, or `-` in `wfts`, without a word between them. Postgres has room for 32 operators that wait for their word.
pub(super) const MAX_NEGATIONS: usize = 16;
/// Braces within each other in the literal of an array. Postgres has arrays of up to six dimensions, and columns have one.
pub(super) const MAX_ARRAY_DEPTH: usize = 6;
/// Steps of a path into json: `->key`. Each is a call within another for Postgres.
pub const MAX_PATH_STEPS: usize = 32;
/// Bytes of a cursor, which stands in a header and in URLs.
pub const MAX_CURSOR_BYTES: usize = 4_096;
/// Characters of the texts that a snippet is taken from, as they begin. Postgres takes 100 ms for ten times as many.
pub const MAX_SNIPPET_CHARS: usize = 20_000;
/// Words of a part of a snippet, at most.
pub(super) const SNIPPET_WORDS: usize = 20;
/// Parts of a snippet, at most.
pub(super) const SNIPPET_FRAGMENTS: usize = 2;
/// How deep resources may be embedded into each other.
pub const MAX_EMBEDDING_DEPTH: usize = 8;
/// Resources that a query embeds.
pub const MAX_EMBEDDINGS: usize = 32;
/// Conditions of the statement that a query becomes. What is asked of an embedding (`!inner`, `is.null`) is written again where it is asked.
pub const MAX_WRITTEN_CONDITIONS: usize = 2_000;
/// Columns to order by.
pub const MAX_ORDER_TERMS: usize = 32;
/// Conditions in all filters and logic trees together.
pub const MAX_CONDITIONS: usize = 500;
/// How deep `and` and `or` may be nested; those of the parameter itself are the first level.
pub const MAX_DEPTH: usize = 20;
