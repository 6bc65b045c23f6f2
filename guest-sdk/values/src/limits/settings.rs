//! Defaults of the limits that an operator can move.

/// Bytes of a stream's name.
pub const DEFAULT_MAX_STREAM_NAME_BYTES: usize = 255;
/// Bytes of an event type's name.
pub const DEFAULT_MAX_EVENT_TYPE_BYTES: usize = 255;
/// Tags of an event.
pub const DEFAULT_MAX_EVENT_TAGS: usize = 32;
/// Bytes of a tag.
pub const DEFAULT_MAX_TAG_BYTES: usize = 256;
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
/// Effects with which a reactor may answer one event; an append counts as many as it has events.
pub const DEFAULT_MAX_EFFECTS: usize = 1000;
/// Bytes of the data of a message, a call or a schedule: a quarter of what brokers and HTTP servers take by default.
pub const DEFAULT_MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// Bytes of all effects of one batch.
pub const DEFAULT_MAX_BATCH_EFFECT_BYTES: usize = 64 * 1024 * 1024;
