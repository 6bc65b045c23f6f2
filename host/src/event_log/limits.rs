//! How large an append may be.

use gnomon_values::{
    limits::{self, LimitError, check},
    names::is_reserved,
};

use super::{
    append::Append,
    event::NewEvent,
    event_query::{EventQuery, QueryItem},
    name::{EventType, StreamName, Tag},
};

/// How large an append or an event query may be. The error of one that is larger names the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of data and metadata of one event.
    pub max_event_bytes: usize,
    /// Events of one append.
    pub max_append_events: usize,
    /// Bytes of a stream's name.
    pub max_stream_name_bytes: usize,
    /// Bytes of an event type's name.
    pub max_event_type_bytes: usize,
    /// Tags of one event.
    pub max_event_tags: usize,
    /// Bytes of a tag.
    pub max_tag_bytes: usize,
    /// Items of an event query.
    pub max_query_items: usize,
    /// Types and tags of an event query, all items together.
    pub max_query_names: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_event_bytes: limits::DEFAULT_MAX_EVENT_BYTES,
            max_append_events: 1000,
            max_stream_name_bytes: limits::DEFAULT_MAX_STREAM_NAME_BYTES,
            max_event_type_bytes: limits::DEFAULT_MAX_EVENT_TYPE_BYTES,
            max_event_tags: limits::DEFAULT_MAX_EVENT_TAGS,
            max_tag_bytes: limits::DEFAULT_MAX_TAG_BYTES,
            max_query_items: 128,
            max_query_names: 1024,
        }
    }
}

impl Limits {
    /// Checks an atomic append as a whole, and each of its events.
    pub(super) fn check_append(&self, appends: &[Append]) -> Result<(), LimitError> {
        let events = appends.iter().map(|append| append.events.len()).sum();
        check("events of the append", "max_append_events", events, self.max_append_events)?;
        for append in appends {
            for (index, event) in append.events.iter().enumerate() {
                self.check_event(&append.stream, event, || format!("event {index} of stream `{}`", append.stream))?;
            }
        }
        Ok(())
    }

    /// Checks one event, which `name` names in the error: `line 3`.
    pub(super) fn check_event(
        &self,
        stream: &StreamName,
        event: &NewEvent,
        name: impl Fn() -> String,
    ) -> Result<(), LimitError> {
        let stream_bytes = stream.as_str().len();
        let is_of_tag = || event.tags.first().and_then(|first| first.stream().ok()).as_ref() == Some(stream);
        let what = match stream_bytes > self.max_stream_name_bytes && is_of_tag() {
            true => {
                "bytes of the stream's name, which is that of the first tag (give a stream, or put another tag first)"
            }
            false => "bytes of the stream's name",
        };
        // The host's own streams are named after others, and are longer by a few bytes; nobody else appends to them.
        if !is_reserved(stream.as_str()) {
            check(what, "max_stream_name_bytes", stream_bytes, self.max_stream_name_bytes)?;
        }
        self.check_type(&event.event_type)
            .and_then(|()| {
                check("bytes of data and metadata", "max_event_bytes", event.data_bytes(), self.max_event_bytes)
            })
            .and_then(|()| check("tags", "max_event_tags", event.tags.len(), self.max_event_tags))
            .and_then(|()| self.check_tags(&event.tags))
            .map_err(|error| error.of(name()))
    }

    fn check_tags(&self, tags: &[Tag]) -> Result<(), LimitError> {
        tags.iter().try_for_each(|tag| check("bytes of a tag", "max_tag_bytes", tag.as_str().len(), self.max_tag_bytes))
    }

    /// Checks an event query.
    pub(super) fn check_query(&self, query: &EventQuery) -> Result<(), LimitError> {
        check("items of the event query", "max_query_items", query.items.len(), self.max_query_items)?;
        check("types and tags of the event query", "max_query_names", query.names(), self.max_query_names)?;
        for (index, QueryItem { types, tags }) in query.items.iter().enumerate() {
            self.check_tags(tags)
                .and_then(|()| types.iter().try_for_each(|name| self.check_type(name)))
                .map_err(|error| error.of(format!("item {index} of the event query")))?;
        }
        Ok(())
    }

    fn check_type(&self, event_type: &EventType) -> Result<(), LimitError> {
        check("bytes of the type", "max_event_type_bytes", event_type.as_str().len(), self.max_event_type_bytes)
    }
}
