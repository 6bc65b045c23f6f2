//! What can be said of an append without looking at the log.

use std::collections::HashSet;

use gnomon_values::Instant;

use super::{Append, AppendError, Line};
use crate::event_log::{
    event::NewEvent,
    json_text::{JsonText, JsonTextError},
    limits::{LimitError, Limits},
};

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
            check_content(event, || format!("event {index} of stream `{}`", append.stream))?;
        }
    }
    Ok(())
}

/// Checks a line of an import. Errors do not say which line it is; the caller knows.
pub(in crate::event_log) fn check_line((stream, event): &Line, limits: &Limits) -> Result<(), AppendError> {
    let name = || "the event".to_owned();
    limits.check_event(stream, event, name)?;
    check_content(event, name)
}

fn check_content(event: &NewEvent, place: impl Fn() -> String) -> Result<(), AppendError> {
    if let Some(Err(error)) = event.time.map(Instant::check) {
        return Err(AppendError::Time { error, place: place() });
    }
    for json in std::iter::once(&event.data).chain(&event.metadata) {
        json.check().map_err(|error| match error {
            JsonTextError::Deep { found } => AppendError::Limit(LimitError {
                what: format!("depth of the JSON of {}", place()),
                limit: "max_json_depth",
                found,
                max: JsonText::MAX_DEPTH,
            }),
            JsonTextError::Unicode(reason) | JsonTextError::Malformed(reason) => {
                AppendError::Unicode { place: place(), reason: reason.to_string() }
            }
        })?;
    }
    Ok(())
}
