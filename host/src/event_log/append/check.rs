//! What can be said of an append without looking at the log.

use std::collections::HashSet;

use super::{Append, AppendError, Line};
use crate::{
    event_log::{
        event::NewEvent,
        json_text::JsonText,
        limits::{LimitError, Limits},
    },
    postgres::PgTimestamp,
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

/// Checks the lines of an import; `first_line` is the number of the first, from 1.
pub(in crate::event_log) fn check_lines(lines: &[Line], first_line: usize, limits: &Limits) -> Result<(), AppendError> {
    for (index, (stream, event)) in lines.iter().enumerate() {
        let place = || format!("line {}", first_line + index);
        limits.check_event(stream, event, place)?;
        check_content(event, place)?;
    }
    Ok(())
}

fn check_content(event: &NewEvent, place: impl Fn() -> String) -> Result<(), AppendError> {
    if let Some(time) = event.time
        && time.as_microsecond() < PgTimestamp::MIN.0
    {
        return Err(AppendError::Time { time, place: place() });
    }
    for json in std::iter::once(&event.data).chain(&event.metadata) {
        check_depth(json, &place)?;
        check_unicode(json).map_err(|error| AppendError::Unicode { place: place(), reason: error.to_string() })?;
    }
    Ok(())
}

/// Arrays and objects within each other that a JSON text may have: what serde_json reads unasked, and with it most modules.
const MAX_JSON_DEPTH: usize = 128;

fn check_depth(json: &JsonText, place: impl Fn() -> String) -> Result<(), LimitError> {
    let text = json.as_str().as_bytes();
    // A shorter text cannot be deeper.
    if text.len() <= MAX_JSON_DEPTH {
        return Ok(());
    }
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
    }
    if deepest > MAX_JSON_DEPTH {
        let what = format!("depth of the JSON of {}", place());
        return Err(LimitError { what, limit: "max_json_depth", found: deepest, max: MAX_JSON_DEPTH });
    }
    Ok(())
}

/// The text has passed JSON's grammar, which admits half a surrogate pair (`"\ud800"`). No module could read it, and an
/// event is for ever.
fn check_unicode(json: &JsonText) -> Result<(), serde_json::Error> {
    if json.as_str().contains("\\u") {
        serde_json::from_str::<serde_json::Value>(json.as_str()).map(drop)
    } else {
        Ok(())
    }
}
