//! How large things may be.
//!
//! What an operator can move is a default here, and an option of `gnomon serve`; the rest holds for every host.
//! `docs/limits.md` lists all of them.

use std::{error::Error, fmt};

/// Bytes of the name of a table, a column, an index or a view: Postgres cuts off what is longer (`NAMEDATALEN` − 1).
pub const MAX_NAME_BYTES: usize = 63;
/// Tables of a projection.
pub const MAX_TABLES: usize = 32;
/// Columns of a table; Postgres itself allows 1,600 at most.
pub const MAX_COLUMNS: usize = 250;
/// Columns of a key or an index.
pub const MAX_INDEX_COLUMNS: usize = 16;
/// Indexes of a table beside its key.
pub const MAX_INDEXES: usize = 16;
/// Bytes of text, decimals and bytes that the values of a key or an index may have together: Postgres refuses an entry of a
/// B-tree that takes more than 2,704, of which sixteen columns may need 16 each beside these.
pub const MAX_INDEX_BYTES: usize = 2400;
/// Event types that a projection may name, and categories.
pub const MAX_WANTED: usize = 1000;
/// Steps that an upcaster may declare.
pub const MAX_STEPS: usize = 1000;
/// Arrays and objects within each other in the JSON of an event or a cell: what serde_json reads unasked, and with it
/// most modules.
pub const MAX_JSON_DEPTH: usize = 128;
/// The last schema version of an event.
pub const MAX_SCHEMA_VERSION: u32 = i32::MAX as u32;

/// Bytes of a row from which on the SDK hands it to the host at the event that changed it, and not at the end of the batch:
/// the host then refuses a row that is too large at that event, however events fall into batches. So no host may have a
/// smaller `max_row_bytes`.
pub const LARGE_ROW_BYTES: usize = 64 * 1024;

/// Bytes of a stream's name.
pub const DEFAULT_MAX_STREAM_NAME_BYTES: usize = 255;
/// Bytes of an event type's name.
pub const DEFAULT_MAX_EVENT_TYPE_BYTES: usize = 255;
/// Bytes of data and metadata of an event.
pub const DEFAULT_MAX_EVENT_BYTES: usize = 1024 * 1024;
/// Events that upcasters may make of one.
pub const DEFAULT_MAX_UPCAST_EVENTS: usize = 1000;
/// Bytes of a row.
pub const DEFAULT_MAX_ROW_BYTES: usize = 1024 * 1024;
/// Bytes of the rows that one batch changes.
pub const DEFAULT_MAX_BATCH_WRITE_BYTES: usize = 256 * 1024 * 1024;
/// Rows that one `find` may return.
pub const DEFAULT_MAX_FIND_ROWS: usize = 10_000;
/// Keys of one `get-many`.
pub const DEFAULT_MAX_GET_KEYS: usize = 100_000;
/// Bytes of the rows that one call returns.
pub const DEFAULT_MAX_READ_BYTES: usize = 128 * 1024 * 1024;
/// Rows that one batch may ask for: keys, and rows found; each call counts for one more.
pub const DEFAULT_MAX_BATCH_READS: usize = 10_000_000;

/// Something is larger than it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitError {
    /// What is too large: `bytes of a row`.
    pub what: &'static str,
    /// The name of the limit: `max_row_bytes`.
    pub limit: &'static str,
    /// How large it is.
    pub found: usize,
    /// How large it may be.
    pub max: usize,
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, limit, found, max } = self;
        write!(f, "{what}: {found}; the limit {limit} is {max}")
    }
}

impl Error for LimitError {}

/// Checks a size against a limit.
///
/// # Errors
/// It is larger.
pub fn check(what: &'static str, limit: &'static str, found: usize, max: usize) -> Result<(), LimitError> {
    if found <= max { Ok(()) } else { Err(LimitError { what, limit, found, max }) }
}

/// Checks the bytes of one row; see [`row_bytes`](crate::cells::row_bytes).
///
/// # Errors
/// There are too many.
pub fn check_row(bytes: usize, max: usize) -> Result<(), LimitError> {
    check("bytes of a row", "max_row_bytes", bytes, max)
}

/// Checks the bytes of the rows that a batch changes; see [`memory_bytes`](crate::cells::memory_bytes).
///
/// # Errors
/// There are too many.
pub fn check_batch_write(bytes: usize, max: usize) -> Result<(), LimitError> {
    check("bytes of the rows of one batch", "max_batch_write_bytes", bytes, max)
}

/// Checks how many rows one `find` returns. Nobody counts further than to one too many.
///
/// # Errors
/// There are too many.
pub fn check_find_rows(rows: usize, max: usize) -> Result<(), LimitError> {
    check("rows of one find", "max_find_rows", rows.min(max.saturating_add(1)), max)
}

/// Checks how many keys one `get-many` has.
///
/// # Errors
/// There are too many.
pub fn check_get_keys(keys: usize, max: usize) -> Result<(), LimitError> {
    check("keys of one get-many", "max_get_keys", keys, max)
}

/// Checks the bytes of the rows that one call returns; see [`memory_bytes`](crate::cells::memory_bytes).
///
/// # Errors
/// There are too many.
pub fn check_read(bytes: usize, max: usize) -> Result<(), LimitError> {
    check("bytes of the rows that one call returns", "max_read_bytes", bytes, max)
}

/// Checks how many rows one batch asked for.
///
/// # Errors
/// There are too many.
pub fn check_batch_reads(reads: usize, max: usize) -> Result<(), LimitError> {
    check("rows that one batch asked for", "max_batch_reads", reads, max)
}
