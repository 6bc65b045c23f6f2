//! The events of a reactor's own: what it hears of what became of its effects.

use gnomon_values::{
    names,
    own_events::{APPEND_REFUSED, AppendRefused, SCHEDULE_DUE, ScheduleDue},
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{reactor::Reactor, schedules::Schedule};
use crate::{
    event_log::{
        Append, AppendError, EventId, EventType, ExpectedVersion, JsonText, NewEvent, Position, SchemaVersion,
        StreamName, StreamVersion,
    },
    read_model::Identifier,
    runtime::effect_id,
};

/// Why an event of a reactor's own cannot be made. What a reactor may name was checked before, so it is not the reactor's fault.
#[derive(Debug, thiserror::Error)]
#[error("the event `{event_type}` of reactor `{reactor}` cannot be made: {reason}")]
pub(crate) struct OwnEventError {
    event_type: &'static str,
    reactor: Identifier,
    reason: String,
}

/// The event that tells that a schedule is due.
pub(crate) fn schedule_due(reactor: &Reactor, schedule: &Schedule) -> Result<Append, OwnEventError> {
    let Schedule { name, due_at, data, position, number } = schedule;
    let data: &RawValue = serde_json::from_str(data.as_str()).map_err(|error| failed(reactor, SCHEDULE_DUE, &error))?;
    let due = ScheduleDue { name, data, scheduled_for: due_at.instant() };
    own_event(reactor, SCHEDULE_DUE, name, *position, *number, &due)
}

/// The event that tells that events were not appended, in answer to the event at a position.
pub(crate) fn append_refused(
    reactor: &Reactor,
    refused: &Append,
    error: &AppendError,
    position: Position,
    number: u32,
) -> Result<Append, OwnEventError> {
    let expected = match refused.expected {
        ExpectedVersion::Any | ExpectedVersion::NoStream => StreamVersion(0),
        ExpectedVersion::Exact(version) => version,
    };
    let current = match error {
        AppendError::Conflict { current, .. } => Some(current.0),
        _ => None,
    };
    let (stream, reason) = (refused.stream.as_str(), &error.to_string());
    let data = AppendRefused { stream, reason, expected: expected.0, current, position: position.0, number };
    own_event(reactor, APPEND_REFUSED, stream, position, number, &data)
}

fn own_event(
    reactor: &Reactor,
    event_type: &'static str,
    name: &str,
    position: Position,
    number: u32,
    data: &impl Serialize,
) -> Result<Append, OwnEventError> {
    let stream = StreamName::new(names::own_stream(reactor.name.as_str(), name));
    let data = to_raw_value(data).map_err(|error| failed(reactor, event_type, &error))?;
    let event = NewEvent {
        id: EventId::Given(effect_id(reactor.lineage, position, number)),
        event_type: EventType::new(event_type).map_err(|error| failed(reactor, event_type, &error))?,
        schema_version: SchemaVersion::FIRST,
        time: None,
        data: JsonText::try_from(data).map_err(|error| failed(reactor, event_type, &error))?,
        metadata: None,
        tags: Vec::new(),
    };
    let stream = stream.map_err(|error| failed(reactor, event_type, &error))?;
    Ok(Append { stream, expected: ExpectedVersion::Any, events: vec![event] })
}

fn failed(reactor: &Reactor, event_type: &'static str, reason: &dyn std::error::Error) -> OwnEventError {
    OwnEventError { event_type, reactor: reactor.name.clone(), reason: reason.to_string() }
}
