//! How large an append may be.

use gnomon_values::limits::{self, LimitError, check};

use super::{append::Append, event::NewEvent, name::StreamName};

/// How large an append may be. The error of an append that is larger names the limit.
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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_event_bytes: limits::DEFAULT_MAX_EVENT_BYTES,
            max_append_events: 1000,
            max_stream_name_bytes: limits::DEFAULT_MAX_STREAM_NAME_BYTES,
            max_event_type_bytes: limits::DEFAULT_MAX_EVENT_TYPE_BYTES,
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
        check("bytes of the stream's name", "max_stream_name_bytes", stream_bytes, self.max_stream_name_bytes)?;
        let type_bytes = event.event_type.as_str().len();
        check("bytes of the type", "max_event_type_bytes", type_bytes, self.max_event_type_bytes)
            .and_then(|()| check("bytes of data and metadata", "max_event_bytes", event.bytes(), self.max_event_bytes))
            .map_err(|error| error.of(name()))
    }
}
