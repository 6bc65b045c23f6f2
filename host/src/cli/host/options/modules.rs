//! Limits of modules.

use clap::Args;
use gnomon_values::limits::LARGE_ROW_BYTES;

use super::{events::EventOptions, range::between, seconds::Seconds};
use crate::runtime::RuntimeLimits;

/// Limits of modules.
#[derive(Args, Clone, Debug)]
pub(super) struct ModuleOptions {
    /// Maximum bytes of a component
    #[arg(long, env = "GNOMON_MAX_MODULE_BYTES", value_name = "BYTES", default_value_t = RuntimeLimits::default().max_module_bytes,
        value_parser = between::<usize>(1, 1 << 30))]
    max_module_bytes: usize,

    /// Maximum uploads of components at once; more are refused until one is answered
    #[arg(long, env = "GNOMON_MAX_UPLOADS", value_name = "NUMBER", default_value_t = RuntimeLimits::default().max_uploads,
        hide_short_help = true, value_parser = between::<usize>(1, 10_000))]
    max_uploads: usize,

    /// Maximum seconds of a processor's time that compiling a component may take, in whole seconds
    #[arg(long, env = "GNOMON_MAX_COMPILE_TIME", value_name = "SECONDS", default_value_t = Seconds(RuntimeLimits::default().max_compile_time),
        hide_short_help = true, value_parser = Seconds::between(1.0, 86_400.0))]
    max_compile_time: Seconds,

    /// Maximum bytes of memory that compiling a component may take
    #[arg(long, env = "GNOMON_MAX_COMPILE_MEMORY_BYTES", value_name = "BYTES",
        default_value_t = RuntimeLimits::default().max_compile_memory_bytes,
        hide_short_help = true, value_parser = between::<usize>(1, 1 << 40))]
    max_compile_memory_bytes: usize,

    /// Maximum bytes of compiled modules that are kept on the disk, for the next start; those not used for longest are removed
    #[arg(long, env = "GNOMON_MAX_CACHE_BYTES", value_name = "BYTES", default_value_t = RuntimeLimits::default().max_cache_bytes,
        hide_short_help = true, value_parser = between::<usize>(0, 1 << 50))]
    max_cache_bytes: usize,

    /// Maximum bytes of memory of one instance of a module
    #[arg(long, env = "GNOMON_MAX_MEMORY_BYTES", value_name = "BYTES", default_value_t = RuntimeLimits::default().max_memory_bytes,
        value_parser = between::<usize>(1, 1 << 32))]
    max_memory_bytes: usize,

    /// Maximum bytes of memory of all instances of modules together; at the limit, batches wait
    #[arg(long, env = "GNOMON_MAX_TOTAL_MEMORY_BYTES", value_name = "BYTES",
        default_value_t = RuntimeLimits::default().max_total_memory_bytes, value_parser = between::<usize>(1, 1 << 46))]
    max_total_memory_bytes: usize,

    /// Maximum seconds that a module may compute on one batch
    #[arg(long, env = "GNOMON_MAX_BATCH_TIME", value_name = "SECONDS", default_value_t = Seconds(RuntimeLimits::default().max_batch_time),
        value_parser = Seconds::between(0.01, 3600.0))]
    max_batch_time: Seconds,

    /// Maximum seconds that a module may wait for its rows while it handles one batch; a call counts for one second at most
    #[arg(long, env = "GNOMON_MAX_BATCH_READ_TIME", value_name = "SECONDS",
        default_value_t = Seconds(RuntimeLimits::default().max_batch_read_time), value_parser = Seconds::between(0.01, 86_400.0))]
    max_batch_read_time: Seconds,

    /// Maximum effects with which a reactor may answer one event; an append counts as many as it has events
    #[arg(long, env = "GNOMON_MAX_EFFECTS", value_name = "NUMBER", default_value_t = RuntimeLimits::default().max_effects,
        value_parser = between::<usize>(1, 1_000_000))]
    max_effects: usize,

    /// Maximum bytes of the data of a message, a call or a schedule of a reactor
    #[arg(long, env = "GNOMON_MAX_MESSAGE_BYTES", value_name = "BYTES", default_value_t = RuntimeLimits::default().max_message_bytes,
        value_parser = between::<usize>(1, 1 << 30))]
    max_message_bytes: usize,

    /// Maximum bytes of the effects with which a reactor answers one batch
    #[arg(long, env = "GNOMON_MAX_BATCH_EFFECT_BYTES", value_name = "BYTES",
        default_value_t = RuntimeLimits::default().max_batch_effect_bytes, hide_short_help = true,
        value_parser = between::<usize>(1, 1 << 40))]
    max_batch_effect_bytes: usize,

    /// Maximum events that upcasters may make of one event
    #[arg(long, env = "GNOMON_MAX_UPCAST_EVENTS", value_name = "NUMBER", default_value_t = RuntimeLimits::default().max_upcast_events,
        value_parser = between::<usize>(1, 1_000_000))]
    max_upcast_events: usize,

    // A module built with the SDK writes larger rows at once and not at the end of the batch, so that the host can refuse each at its
    // event. Smaller rows must always fit.
    /// Maximum bytes of one row of a read model
    #[arg(long, env = "GNOMON_MAX_ROW_BYTES", value_name = "BYTES", default_value_t = RuntimeLimits::default().max_row_bytes,
        value_parser = between::<usize>(LARGE_ROW_BYTES, 1 << 30))]
    max_row_bytes: usize,

    /// Maximum rows that a module may find in one call
    #[arg(long, env = "GNOMON_MAX_FIND_ROWS", value_name = "NUMBER", default_value_t = RuntimeLimits::default().max_find_rows,
        hide_short_help = true, value_parser = between::<usize>(1, 100_000_000))]
    max_find_rows: usize,

    /// Maximum keys that a module may read in one call
    #[arg(long, env = "GNOMON_MAX_GET_KEYS", value_name = "NUMBER", default_value_t = RuntimeLimits::default().max_get_keys,
        hide_short_help = true, value_parser = between::<usize>(1, 100_000_000))]
    max_get_keys: usize,

    /// Maximum rows that a module may read in one batch
    #[arg(long, env = "GNOMON_MAX_BATCH_READS", value_name = "NUMBER", default_value_t = RuntimeLimits::default().max_batch_reads,
        hide_short_help = true, value_parser = between::<usize>(1, 100_000_000))]
    max_batch_reads: usize,

    /// Maximum bytes of the rows that one call returns to a module
    #[arg(long, env = "GNOMON_MAX_READ_BYTES", value_name = "BYTES", default_value_t = RuntimeLimits::default().max_read_bytes,
        hide_short_help = true, value_parser = between::<usize>(1, 1 << 32))]
    max_read_bytes: usize,

    /// Maximum bytes that a module may pass to the host in one call
    #[arg(long, env = "GNOMON_MAX_CALL_BYTES", value_name = "BYTES", default_value_t = RuntimeLimits::default().max_call_bytes,
        hide_short_help = true, value_parser = between::<usize>(1, 1 << 32))]
    max_call_bytes: usize,

    /// Maximum bytes of the rows that a module may change in one batch
    #[arg(long, env = "GNOMON_MAX_BATCH_WRITE_BYTES", value_name = "BYTES", default_value_t = RuntimeLimits::default().max_batch_write_bytes,
        hide_short_help = true, value_parser = between::<usize>(1, 1 << 40))]
    max_batch_write_bytes: usize,
}

impl ModuleOptions {
    /// The settings. Events that upcasters and reactors make may be as large as those that clients append.
    pub(super) fn limits(&self, events: &EventOptions) -> RuntimeLimits {
        RuntimeLimits {
            max_module_bytes: self.max_module_bytes,
            max_compile_time: self.max_compile_time.0,
            max_compile_memory_bytes: self.max_compile_memory_bytes,
            max_cache_bytes: self.max_cache_bytes,
            max_uploads: self.max_uploads,
            max_memory_bytes: self.max_memory_bytes,
            max_total_memory_bytes: self.max_total_memory_bytes,
            max_instances: RuntimeLimits::default().max_instances,
            max_batch_time: self.max_batch_time.0,
            max_batch_read_time: self.max_batch_read_time.0,
            max_effects: self.max_effects,
            max_message_bytes: self.max_message_bytes,
            max_batch_effect_bytes: self.max_batch_effect_bytes,
            max_upcast_events: self.max_upcast_events,
            max_row_bytes: self.max_row_bytes,
            max_find_rows: self.max_find_rows,
            max_get_keys: self.max_get_keys,
            max_batch_reads: self.max_batch_reads,
            max_read_bytes: self.max_read_bytes,
            max_call_bytes: self.max_call_bytes,
            max_batch_write_bytes: self.max_batch_write_bytes,
            max_stream_name_bytes: events.max_stream_name_bytes,
            max_event_bytes: events.max_event_bytes,
            max_event_type_bytes: events.max_event_type_bytes,
            max_event_tags: events.max_event_tags,
            max_tag_bytes: events.max_tag_bytes,
        }
    }
}
