//! How large things may be, and what modules may use.

use std::time::Duration;

use clap::Args;
use gnomon_values::limits;

/// How large things may be, and what modules may use.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct LimitOptions {
    /// Bytes of data and metadata of one event
    #[arg(long, env = "GNOMON_MAX_EVENT_BYTES", value_name = "BYTES", default_value_t = limits::DEFAULT_MAX_EVENT_BYTES)]
    pub max_event_bytes: usize,

    /// Events of one append
    #[arg(long, env = "GNOMON_MAX_APPEND_EVENTS", value_name = "NUMBER", default_value_t = 1000)]
    pub max_append_events: usize,

    /// Bytes of a stream's name
    #[arg(long, env = "GNOMON_MAX_STREAM_NAME_BYTES", value_name = "BYTES", default_value_t = limits::DEFAULT_MAX_STREAM_NAME_BYTES,
        value_parser = name_bytes)]
    pub max_stream_name_bytes: usize,

    /// Bytes of an event type's name
    #[arg(long, env = "GNOMON_MAX_EVENT_TYPE_BYTES", value_name = "BYTES", default_value_t = limits::DEFAULT_MAX_EVENT_TYPE_BYTES,
        value_parser = name_bytes)]
    pub max_event_type_bytes: usize,

    /// Bytes of a component
    #[arg(long, env = "GNOMON_MAX_MODULE_BYTES", value_name = "BYTES", default_value_t = 32 * 1024 * 1024)]
    pub max_module_bytes: usize,

    /// Bytes of memory of one instance of a module
    #[arg(long, env = "GNOMON_MAX_MEMORY_BYTES", value_name = "BYTES", default_value_t = 256 * 1024 * 1024)]
    pub max_memory_bytes: usize,

    /// Seconds that a module may compute on one batch
    #[arg(long, env = "GNOMON_MAX_BATCH_TIME", value_name = "SECONDS", default_value = "10",
        value_parser = super::projector::seconds)]
    pub max_batch_time: Duration,

    /// Events that upcasters may make of one event
    #[arg(long, env = "GNOMON_MAX_UPCAST_EVENTS", value_name = "NUMBER", default_value_t = limits::DEFAULT_MAX_UPCAST_EVENTS)]
    pub max_upcast_events: usize,

    /// Bytes of one row of a read model
    #[arg(long, env = "GNOMON_MAX_ROW_BYTES", value_name = "BYTES", default_value_t = limits::DEFAULT_MAX_ROW_BYTES,
        value_parser = row_bytes)]
    pub max_row_bytes: usize,

    /// Rows that a module may find in one call
    #[arg(long, env = "GNOMON_MAX_FIND_ROWS", value_name = "NUMBER", default_value_t = limits::DEFAULT_MAX_FIND_ROWS, hide_short_help = true)]
    pub max_find_rows: usize,

    /// Keys that a module may ask for in one call
    #[arg(long, env = "GNOMON_MAX_GET_KEYS", value_name = "NUMBER", default_value_t = limits::DEFAULT_MAX_GET_KEYS, hide_short_help = true)]
    pub max_get_keys: usize,

    /// Rows that a module may ask for in one batch
    #[arg(
        long,
        env = "GNOMON_MAX_BATCH_READS",
        value_name = "NUMBER",
        default_value_t = limits::DEFAULT_MAX_BATCH_READS,
        hide_short_help = true
    )]
    pub max_batch_reads: usize,

    /// Bytes of the rows that one call of a module may return
    #[arg(long, env = "GNOMON_MAX_READ_BYTES", value_name = "BYTES", default_value_t = limits::DEFAULT_MAX_READ_BYTES, hide_short_help = true)]
    pub max_read_bytes: usize,

    /// Bytes that a module may hand over in one call
    #[arg(long, env = "GNOMON_MAX_CALL_BYTES", value_name = "BYTES", default_value_t = 128 * 1024 * 1024, hide_short_help = true)]
    pub max_call_bytes: usize,

    /// Bytes of the rows that a module may change in one batch
    #[arg(long, env = "GNOMON_MAX_BATCH_WRITE_BYTES", value_name = "BYTES", default_value_t = limits::DEFAULT_MAX_BATCH_WRITE_BYTES, hide_short_help = true)]
    pub max_batch_write_bytes: usize,
}

/// Names are indexed, and an entry of an index has room for some 2,700 bytes.
fn name_bytes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes @ 1..=2000) => Ok(bytes),
        _ => Err("a number from 1 to 2000 is needed".to_owned()),
    }
}

/// A module built with the SDK hands large rows over at the event that made them, so that the host can refuse them there.
fn row_bytes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes) if bytes >= limits::LARGE_ROW_BYTES => Ok(bytes),
        _ => Err(format!("a number from {} on is needed", limits::LARGE_ROW_BYTES)),
    }
}
