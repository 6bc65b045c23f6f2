//! Checks of an append that need nothing from the log.

use std::collections::HashSet;

use gnomon_values::Instant;

use super::{Append, AppendError, Line};
use crate::event_log::{event::NewEvent, limits::Limits};

/// Checks an atomic append.
pub(in crate::event_log) fn check_appends(appends: &[Append], limits: &Limits) -> Result<(), AppendError> {
    if appends.is_empty() || appends.iter().any(|append| append.events.is_empty()) {
        return Err(AppendError::Empty);
    }
    limits.check_append(appends)?;
    let mut streams = HashSet::new();
    let mut ids = HashSet::new();
    for append in appends {
        if !streams.insert(&append.stream) {
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

/// Checks the lines of an import; `first_line` is the number of the first, from 1.
pub(in crate::event_log) fn check_lines(lines: &[Line], first_line: usize, limits: &Limits) -> Result<(), AppendError> {
    for (index, (stream, event)) in lines.iter().enumerate() {
        let line = || format!("line {}", first_line + index);
        limits.check_event(stream, event, line)?;
        check_time(event, line)?;
    }
    Ok(())
}

fn check_time(event: &NewEvent, name: impl Fn() -> String) -> Result<(), AppendError> {
    match event.time.map(Instant::check) {
        Some(Err(error)) => Err(AppendError::Time { error, event: name() }),
        Some(Ok(_)) | None => Ok(()),
    }
}
