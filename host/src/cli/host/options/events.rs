//! How large events and event queries may be.

use clap::Args;

use super::range::between;
use crate::event_log::Limits;

/// How large events may be: those that are appended, and those that upcasters make of them; and the queries that find them.
#[derive(Args, Clone, Debug)]
pub(super) struct EventOptions {
    /// Maximum bytes of data and metadata of one event
    #[arg(long, env = "GNOMON_MAX_EVENT_BYTES", value_name = "BYTES", default_value_t = Limits::default().max_event_bytes,
        value_parser = between::<usize>(1, 256 * 1024 * 1024))]
    pub(super) max_event_bytes: usize,

    /// Maximum events of one append
    #[arg(long, env = "GNOMON_MAX_APPEND_EVENTS", value_name = "NUMBER", default_value_t = Limits::default().max_append_events,
        value_parser = between::<usize>(1, 1_000_000))]
    max_append_events: usize,

    // Names are indexed, and an entry of an index has room for about 2,700 bytes.
    /// Maximum bytes of a stream's name
    #[arg(long, env = "GNOMON_MAX_STREAM_NAME_BYTES", value_name = "BYTES", default_value_t = Limits::default().max_stream_name_bytes,
        value_parser = between::<usize>(1, 2000))]
    pub(super) max_stream_name_bytes: usize,

    /// Maximum bytes of an event type's name
    #[arg(long, env = "GNOMON_MAX_EVENT_TYPE_BYTES", value_name = "BYTES", default_value_t = Limits::default().max_event_type_bytes,
        value_parser = between::<usize>(1, 2000))]
    pub(super) max_event_type_bytes: usize,

    /// Maximum tags of one event
    #[arg(long, env = "GNOMON_MAX_EVENT_TAGS", value_name = "NUMBER", default_value_t = Limits::default().max_event_tags,
        value_parser = between::<usize>(0, 10_000))]
    pub(super) max_event_tags: usize,

    /// Maximum bytes of a tag
    #[arg(long, env = "GNOMON_MAX_TAG_BYTES", value_name = "BYTES", default_value_t = Limits::default().max_tag_bytes,
        value_parser = between::<usize>(1, 2000))]
    pub(super) max_tag_bytes: usize,

    /// Maximum items of an event query
    #[arg(long, env = "GNOMON_MAX_QUERY_ITEMS", value_name = "NUMBER", default_value_t = Limits::default().max_query_items,
        hide_short_help = true, value_parser = between::<usize>(1, 10_000))]
    max_query_items: usize,

    /// Maximum types and tags of an event query, all items together
    #[arg(long, env = "GNOMON_MAX_QUERY_NAMES", value_name = "NUMBER", default_value_t = Limits::default().max_query_names,
        hide_short_help = true, value_parser = between::<usize>(1, 10_000))]
    max_query_names: usize,
}

impl EventOptions {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            max_event_bytes: self.max_event_bytes,
            max_append_events: self.max_append_events,
            max_stream_name_bytes: self.max_stream_name_bytes,
            max_event_type_bytes: self.max_event_type_bytes,
            max_event_tags: self.max_event_tags,
            max_tag_bytes: self.max_tag_bytes,
            max_query_items: self.max_query_items,
            max_query_names: self.max_query_names,
        }
    }
}
