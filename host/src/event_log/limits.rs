//! How large things may be.

use gnomon_values::limits;

use super::{append::Append, event::NewEvent, name::StreamName};

/// How large what is appended may be. Each limit is named in the error of what breaks it.
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

/// A limit that something breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {found}; the limit {limit} is {max}")]
pub struct LimitError {
    /// What is too large.
    pub what: String,
    /// The name of the setting.
    pub limit: &'static str,
    /// How large it is.
    pub found: usize,
    /// How large it may be.
    pub max: usize,
}

impl Limits {
    /// Checks an atomic append as a whole, and each of its events.
    pub(super) fn check_append(&self, appends: &[Append]) -> Result<(), LimitError> {
        let events = appends.iter().map(|append| append.events.len()).sum();
        check(|| "events of the append".to_owned(), "max_append_events", events, self.max_append_events)?;
        for append in appends {
            for (index, event) in append.events.iter().enumerate() {
                self.check_event(&append.stream, event, || format!("event {index} of stream `{}`", append.stream))?;
            }
        }
        Ok(())
    }

    /// Checks one event; `place` says which.
    pub(super) fn check_event(
        &self,
        stream: &StreamName,
        event: &NewEvent,
        place: impl Fn() -> String,
    ) -> Result<(), LimitError> {
        let stream_bytes = stream.as_str().len();
        let type_bytes = event.event_type.as_str().len();
        check(
            || "bytes of the stream's name".to_owned(),
            "max_stream_name_bytes",
            stream_bytes,
            self.max_stream_name_bytes,
        )?;
        check(
            || format!("bytes of the type of {}", place()),
            "max_event_type_bytes",
            type_bytes,
            self.max_event_type_bytes,
        )?;
        check(
            || format!("bytes of data and metadata of {}", place()),
            "max_event_bytes",
            event.bytes(),
            self.max_event_bytes,
        )
    }
}

fn check(what: impl Fn() -> String, limit: &'static str, found: usize, max: usize) -> Result<(), LimitError> {
    if found > max { Err(LimitError { what: what(), limit, found, max }) } else { Ok(()) }
}
