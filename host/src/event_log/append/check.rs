//! Checks of an append that need nothing from the log.

use std::collections::HashSet;

use gnomon_values::Instant;

use super::{Append, AppendError, ExpectedVersion, Line};
use crate::event_log::{event::NewEvent, limits::Limits, name::StreamName};

/// Checks that a client may append to a stream.
pub(in crate::event_log) fn check_writer(stream: &StreamName) -> Result<(), AppendError> {
    if stream.is_reserved() { Err(AppendError::Reserved(stream.clone())) } else { Ok(()) }
}

/// Checks an atomic append.
pub(in crate::event_log) fn check_appends(appends: &[Append], limits: &Limits) -> Result<(), AppendError> {
    if appends.is_empty() || appends.iter().any(|append| append.events.is_empty()) {
        return Err(AppendError::Empty);
    }
    limits.check_append(appends)?;
    let mut streams = HashSet::new();
    let mut ids = HashSet::new();
    for append in appends {
        // The version that a second part could expect is not the one that the writer has read.
        if !streams.insert(&append.stream) && append.expected != ExpectedVersion::Any {
            return Err(AppendError::StreamTwice(append.stream.clone()));
        }
        for (index, event) in append.events.iter().enumerate() {
            if !ids.insert(event.id.uuid()) {
                return Err(AppendError::IdTwice(event.id.uuid()));
            }
            check_time(event, || format!("event {index} of stream `{}`", append.stream))?;
        }
    }
    Ok(())
}

/// Checks a line of an import. Errors do not say which line it is; the caller knows.
pub(in crate::event_log) fn check_line((stream, event): &Line, limits: &Limits) -> Result<(), AppendError> {
    let name = || "the event".to_owned();
    check_writer(stream)?;
    limits.check_event(stream, event, name)?;
    check_time(event, name)
}

fn check_time(event: &NewEvent, name: impl Fn() -> String) -> Result<(), AppendError> {
    match event.time.map(Instant::check) {
        Some(Err(error)) => Err(AppendError::Time { error, event: name() }),
        Some(Ok(_)) | None => Ok(()),
    }
}
