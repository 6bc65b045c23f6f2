//! What a module may use.

use std::time::Duration;

use gnomon_values::limits;
use wasmtime::ResourceLimiter;

/// What a module may use. What breaks a limit fails that module's batch, and the error names the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuntimeLimits {
    /// Bytes of a component.
    pub max_module_bytes: usize,
    /// Bytes of a module's linear memories.
    pub max_memory_bytes: usize,
    /// Time that a module may compute on one batch; what it waits for the host does not count.
    pub max_batch_time: Duration,
    /// Bytes of one row.
    pub max_row_bytes: usize,
    /// Bytes that the rows of one batch may take in the host's memory.
    pub max_batch_write_bytes: usize,
    /// Rows that one `find` may return.
    pub max_find_rows: usize,
    /// Keys of one `get-many`.
    pub max_get_keys: usize,
    /// Events that upcasters may make of one.
    pub max_upcast_events: usize,
    /// Bytes of data and metadata of an event that an upcaster made; as of one that is appended.
    pub max_event_bytes: usize,
    /// Bytes of the name of its type.
    pub max_event_type_bytes: usize,
    /// Bytes that a module may hand to the host in one call. What it hands over may be small in its own memory, where lists
    /// can share what they hold, and huge outside of it.
    pub max_call_bytes: usize,
    /// Bytes of the rows that one call may return.
    pub max_read_bytes: usize,
    /// Rows that one batch may ask for: keys, and rows found; each call counts for one more. The wait for rows does not
    /// count as time, so this is what ends a module that reads for ever.
    pub max_batch_reads: usize,
}

impl Default for RuntimeLimits {
    fn default() -> Self {
        Self {
            max_module_bytes: 32 * 1024 * 1024,
            max_memory_bytes: 256 * 1024 * 1024,
            max_batch_time: Duration::from_secs(10),
            max_row_bytes: limits::DEFAULT_MAX_ROW_BYTES,
            max_batch_write_bytes: limits::DEFAULT_MAX_BATCH_WRITE_BYTES,
            max_find_rows: limits::DEFAULT_MAX_FIND_ROWS,
            max_get_keys: limits::DEFAULT_MAX_GET_KEYS,
            max_upcast_events: limits::DEFAULT_MAX_UPCAST_EVENTS,
            max_event_bytes: limits::DEFAULT_MAX_EVENT_BYTES,
            max_event_type_bytes: limits::DEFAULT_MAX_EVENT_TYPE_BYTES,
            max_call_bytes: 128 * 1024 * 1024,
            max_read_bytes: limits::DEFAULT_MAX_READ_BYTES,
            max_batch_reads: limits::DEFAULT_MAX_BATCH_READS,
        }
    }
}

/// Tables of a component may have this many elements together; a Rust module has a few thousand.
const MAX_TABLE_ELEMENTS: usize = 100_000;
/// Core instances of a component; a Rust module has three.
const MAX_INSTANCES: usize = 32;
/// Tables of a component.
const MAX_TABLES: usize = 32;
/// Memories of a component.
const MAX_MEMORIES: usize = 8;

/// Watches what an instance takes.
#[derive(Debug)]
pub(super) struct Limiter {
    max_memory_bytes: usize,
    memory_bytes: usize,
}

/// A module wanted more than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Excess {
    #[error("it needs {wanted} bytes of memory; the limit max_memory_bytes is {max}")]
    Memory { wanted: usize, max: usize },
    #[error("it needs a table of {wanted} elements; the limit is {MAX_TABLE_ELEMENTS}")]
    Table { wanted: usize },
}

impl Limiter {
    pub(super) fn new(limits: &RuntimeLimits) -> Self {
        Self { max_memory_bytes: limits.max_memory_bytes, memory_bytes: 0 }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.memory_bytes - current.min(self.memory_bytes) + desired;
        if wanted > self.max_memory_bytes {
            // An error ends the module at once and says why. `false` would leave it to the module, which aborts without a
            // word.
            return Err(wasmtime::Error::new(Excess::Memory { wanted, max: self.max_memory_bytes }));
        }
        self.memory_bytes = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > MAX_TABLE_ELEMENTS {
            return Err(wasmtime::Error::new(Excess::Table { wanted: desired }));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}
