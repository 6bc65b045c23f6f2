//! What modules may use, each of them and all of a host together.

use std::time::Duration;

use gnomon_values::{effects::EffectLimits, limits};

/// What modules may use. Exceeding a limit of its own fails a module's batch, and the error names the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuntimeLimits {
    /// Bytes of a component.
    pub max_module_bytes: usize,
    /// Processor time that compiling a component may take, where it is compiled in a process of its own.
    pub max_compile_time: Duration,
    /// Bytes of memory that compiling a component may take, where it is compiled in a process of its own.
    pub max_compile_memory_bytes: usize,
    /// Bytes of compiled code that the host keeps on disk.
    pub max_cache_bytes: usize,
    /// Uploads that the host takes at once; it refuses more.
    pub max_uploads: usize,
    /// Bytes of a module's linear memories.
    pub max_memory_bytes: usize,
    /// Bytes of the linear memories of all instances of the host together. At the limit, instances that are idle lose their memory,
    /// and batches wait.
    pub max_total_memory_bytes: usize,
    /// Instances that there may be at once. For each, addresses are reserved, and no memory.
    pub max_instances: u32,
    /// Time that a module may compute on one batch; time that it waits for the host does not count.
    pub max_batch_time: Duration,
    /// Time that a module may wait for its rows while it handles one batch. A call counts for one second at most: if it takes longer,
    /// that is because of Postgres.
    pub max_batch_read_time: Duration,
    /// Bytes of one row.
    pub max_row_bytes: usize,
    /// Bytes that the rows of one batch may take in the host's memory.
    pub max_batch_write_bytes: usize,
    /// Rows that one `find` may return.
    pub max_find_rows: usize,
    /// Keys of one `get-many`.
    pub max_get_keys: usize,
    /// Effects with which a reactor may answer one event; an append counts as many as it has events.
    pub max_effects: usize,
    /// Bytes of the data of a message, a call or a schedule of a reactor.
    pub max_message_bytes: usize,
    /// Bytes that the effects of one batch may have.
    pub max_batch_effect_bytes: usize,
    /// Bytes of the name of a stream to which a reactor appends; as of one to which a client appends.
    pub max_stream_name_bytes: usize,
    /// Events that upcasters may make of one.
    pub max_upcast_events: usize,
    /// Bytes of data and metadata of an event that an upcaster made, or with which a reactor answers; as of one that is appended.
    pub max_event_bytes: usize,
    /// Bytes of the name of its type.
    pub max_event_type_bytes: usize,
    /// Its tags.
    pub max_event_tags: usize,
    /// Bytes of one of its tags.
    pub max_tag_bytes: usize,
    /// Bytes that a module may pass to the host in one call. Lists can share their items in the module's memory, so a small
    /// value there can be huge in the host's.
    pub max_call_bytes: usize,
    /// Bytes of the rows that one call may return.
    pub max_read_bytes: usize,
    /// Rows that one batch may ask for: keys and rows found, and at least one for each call.
    pub max_batch_reads: usize,
}

impl RuntimeLimits {
    /// Those of the effects of one event.
    pub(super) fn of_effects(&self) -> EffectLimits {
        EffectLimits {
            max_effects: self.max_effects,
            max_message_bytes: self.max_message_bytes,
            max_stream_name_bytes: self.max_stream_name_bytes,
            max_event_bytes: self.max_event_bytes,
            max_event_type_bytes: self.max_event_type_bytes,
            max_event_tags: self.max_event_tags,
            max_tag_bytes: self.max_tag_bytes,
        }
    }
}

impl Default for RuntimeLimits {
    fn default() -> Self {
        Self {
            max_module_bytes: 32 * 1024 * 1024,
            max_compile_time: Duration::from_secs(60),
            max_compile_memory_bytes: 2 * 1024 * 1024 * 1024,
            max_cache_bytes: 4 * 1024 * 1024 * 1024,
            max_uploads: 8,
            max_memory_bytes: 256 * 1024 * 1024,
            max_total_memory_bytes: 2 * 1024 * 1024 * 1024,
            // What wasmtime has by default: as many are some TiB of addresses.
            max_instances: 1000,
            max_batch_time: Duration::from_secs(10),
            max_batch_read_time: Duration::from_secs(60),
            max_row_bytes: limits::DEFAULT_MAX_ROW_BYTES,
            max_batch_write_bytes: limits::DEFAULT_MAX_BATCH_WRITE_BYTES,
            max_find_rows: limits::DEFAULT_MAX_FIND_ROWS,
            max_get_keys: limits::DEFAULT_MAX_GET_KEYS,
            max_effects: limits::DEFAULT_MAX_EFFECTS,
            max_message_bytes: limits::DEFAULT_MAX_MESSAGE_BYTES,
            max_batch_effect_bytes: limits::DEFAULT_MAX_BATCH_EFFECT_BYTES,
            max_stream_name_bytes: limits::DEFAULT_MAX_STREAM_NAME_BYTES,
            max_upcast_events: limits::DEFAULT_MAX_UPCAST_EVENTS,
            max_event_bytes: limits::DEFAULT_MAX_EVENT_BYTES,
            max_event_type_bytes: limits::DEFAULT_MAX_EVENT_TYPE_BYTES,
            max_event_tags: limits::DEFAULT_MAX_EVENT_TAGS,
            max_tag_bytes: limits::DEFAULT_MAX_TAG_BYTES,
            max_call_bytes: 128 * 1024 * 1024,
            max_read_bytes: limits::DEFAULT_MAX_READ_BYTES,
            max_batch_reads: limits::DEFAULT_MAX_BATCH_READS,
        }
    }
}
