//! What an upcaster answers, checked.

use std::borrow::Borrow;

use crate::{
    event_log::{EventType, JsonText, Position, SchemaVersion},
    runtime::{delivery::Delivery, descriptor::Step, limits::RuntimeLimits},
};

/// An event as an upcaster answered it.
pub(super) struct Answered {
    pub(super) event_type: String,
    pub(super) schema_version: u32,
    pub(super) data: String,
    pub(super) metadata: Option<String>,
}

/// What an event became. All that is not here stays as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcasted {
    /// Its type.
    pub event_type: String,
    /// The version of the shape of `data`.
    pub schema_version: SchemaVersion,
    /// JSON text.
    pub data: String,
    /// JSON text.
    pub metadata: Option<String>,
}

/// What in an answer is against the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    /// The event that was answered to; none where the whole answer is wrong.
    pub(super) position: Option<Position>,
    /// What is wrong.
    pub(super) message: String,
}

/// Checks an answer to these events: a list for each, of events as the log could have taken them in.
pub(super) fn check<E: Borrow<Delivery>>(
    answer: Vec<Vec<Answered>>,
    events: &[E],
    steps: &[Step],
    limits: &RuntimeLimits,
) -> Result<Vec<Vec<Upcasted>>, Breach> {
    if answer.len() != events.len() {
        let message = format!("it answered {} lists to {} events", answer.len(), events.len());
        return Err(Breach { position: None, message });
    }
    let answers = events.iter().map(Borrow::borrow).zip(answer);
    answers
        .map(|(event, results)| {
            check_event(event, results, steps, limits)
                .map_err(|message| Breach { position: Some(event.position), message })
        })
        .collect()
}

fn check_event(
    event: &Delivery,
    results: Vec<Answered>,
    steps: &[Step],
    limits: &RuntimeLimits,
) -> Result<Vec<Upcasted>, String> {
    limit("events that it makes of one", "max_upcast_events", results.len(), limits.max_upcast_events)?;
    let checked = results.into_iter().map(|result| {
        let made = format!("it made of `{}` {}", event.event_type, event.schema_version);
        check_result(event, result, steps, limits).map_err(|reason| format!("{made}: {reason}"))
    });
    checked.collect()
}

fn check_result(
    event: &Delivery,
    result: Answered,
    steps: &[Step],
    limits: &RuntimeLimits,
) -> Result<Upcasted, String> {
    let Answered { event_type, schema_version, data, metadata } = result;
    let event_type = EventType::new(event_type).map_err(|error| error.to_string())?;
    limit("bytes of an event's type", "max_event_type_bytes", event_type.as_str().len(), limits.max_event_type_bytes)?;
    let schema_version = SchemaVersion::try_from(schema_version).map_err(|error| error.to_string())?;
    if event_type.as_str() == event.event_type {
        let taken = |step: &&Step| step.event_type == event.event_type && step.from == event.schema_version.get();
        if let Some(step) = steps.iter().find(taken).filter(|step| step.to != schema_version.get()) {
            return Err(format!("an event of the same type at schema version {schema_version}; its step is {step}"));
        }
    }
    let bytes = data.len() + metadata.as_ref().map_or(0, String::len);
    limit("bytes of data and metadata of an event", "max_event_bytes", bytes, limits.max_event_bytes)?;
    let json = |what: &str, text: &str| {
        JsonText::parse(text)
            .map(String::from)
            .map_err(|error| format!("an event `{event_type}` whose {what}: {error}"))
    };
    let data = json("data is refused", &data)?;
    let metadata = metadata.map(|metadata| json("metadata is refused", &metadata)).transpose()?;
    Ok(Upcasted { event_type: event_type.into(), schema_version, data, metadata })
}

fn limit(what: &str, limit: &str, found: usize, max: usize) -> Result<(), String> {
    if found > max { Err(format!("{what}: {found}; the limit {limit} is {max}")) } else { Ok(()) }
}
