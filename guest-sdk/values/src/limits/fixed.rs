//! Limits that hold for every host.

/// Bytes of the name of a table, a column, an index or a view: Postgres cuts off what is longer (`NAMEDATALEN` − 1).
pub const MAX_NAME_BYTES: usize = 63;
/// Tables of a projection or a reactor.
pub const MAX_TABLES: usize = 32;
/// Columns of a table; Postgres itself allows 1,600 at most.
pub const MAX_COLUMNS: usize = 250;
/// Columns of a key or an index.
pub const MAX_INDEX_COLUMNS: usize = 16;
/// Indexes of a table beside its key.
pub const MAX_INDEXES: usize = 16;
/// Bytes of text, decimals and bytes that the values of a key or an index may have together: Postgres refuses an entry of a
/// B-tree of more than 2,704 bytes, of which sixteen columns may need 16 each beside these.
pub const MAX_INDEX_BYTES: usize = 2400;
/// References of a table to tables.
pub const MAX_REFERENCES: usize = 32;
/// Bytes of the description of a module, a table or a column.
pub const MAX_DESCRIPTION_BYTES: usize = 1000;
/// Characters of the columns of a full-text index together whose words it holds: Postgres refuses a `tsvector` of more than
/// 1 MiB. A character of four bytes in words such as `ab-cd`, which Postgres keeps as a whole and in parts, takes 7.7 bytes of it.
pub const MAX_FULL_TEXT_CHARS: usize = 100_000;
/// Event types that a projection may name, categories, tags, and types that a step of an upcaster may produce.
pub const MAX_WANTED: usize = 1000;
/// Sinks that a reactor may name.
pub const MAX_SINKS: usize = 100;
/// Steps that an upcaster may declare.
pub const MAX_STEPS: usize = 1000;
/// How deep arrays and objects of the JSON of an event or a cell may be nested: the default of serde_json, with which most
/// modules read it.
pub const MAX_JSON_DEPTH: usize = 127;
/// The last schema version of an event.
pub const MAX_SCHEMA_VERSION: u32 = i32::MAX as u32;

/// Bytes of a row from which on the SDK hands it to the host at the event that changed it, and not at the end of the batch:
/// the host then refuses a row that is too large at that event, however events fall into batches. So no host may have a
/// smaller `max_row_bytes`.
pub const LARGE_ROW_BYTES: usize = 64 * 1024;
