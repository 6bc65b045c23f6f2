//! Checks the result of an upcaster.

use std::borrow::Borrow;

use crate::{
    event_log::{EventType, JsonText, Position, SchemaVersion, Tag, distinct_tags},
    runtime::{delivery::Delivery, descriptor::Step, limits::RuntimeLimits},
};

/// An event as an upcaster returned it.
pub(super) struct ReturnedEvent {
    pub(super) event_type: String,
    pub(super) schema_version: u32,
    pub(super) data: String,
    pub(super) metadata: Option<String>,
    pub(super) tags: Vec<String>,
}

/// What an upcaster makes of an event. Everything else stays that of the original.
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
    /// Its tags, each once.
    pub tags: Vec<String>,
}

/// What breaks the contract in a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    /// The event whose result is wrong; `None` if the result as a whole is.
    pub(super) position: Option<Position>,
    /// What is wrong.
    pub(super) message: String,
}

/// Checks the result for these events: a list for each of them, of events that the log would accept.
pub(super) fn check<E: Borrow<Delivery>>(
    result: Vec<Vec<ReturnedEvent>>,
    events: &[E],
    steps: &[Step],
    limits: &RuntimeLimits,
) -> Result<Vec<Vec<Upcasted>>, Breach> {
    if result.len() != events.len() {
        let message = format!("it returned {} lists for {} events", result.len(), events.len());
        return Err(Breach { position: None, message });
    }
    let results = events.iter().map(Borrow::borrow).zip(result);
    results
        .map(|(event, returned)| {
            check_results(event, returned, steps, limits)
                .map_err(|message| Breach { position: Some(event.position), message })
        })
        .collect()
}

fn check_results(
    event: &Delivery,
    results: Vec<ReturnedEvent>,
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
    result: ReturnedEvent,
    steps: &[Step],
    limits: &RuntimeLimits,
) -> Result<Upcasted, String> {
    let ReturnedEvent { event_type, schema_version, data, metadata, tags } = result;
    let event_type = EventType::new(event_type).map_err(|error| error.to_string())?;
    limit("bytes of an event's type", "max_event_type_bytes", event_type.as_str().len(), limits.max_event_type_bytes)?;
    let schema_version = SchemaVersion::try_from(schema_version).map_err(|error| error.to_string())?;
    let taken = |step: &&Step| *step.event_type == *event.event_type && step.from == event.schema_version;
    if let Some(step) = steps.iter().find(taken) {
        if *event_type.as_str() == *event.event_type && step.to != schema_version {
            return Err(format!("an event of the same type at schema version {schema_version}; its step is {step}"));
        }
        if !step.produces.iter().any(|produced| produced == event_type.as_str()) {
            return Err(format!(
                "an event `{event_type}`, which is not among the types that the step produces: {}",
                list(&step.produces)
            ));
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
    let tags = check_tags(tags, limits).map_err(|reason| format!("an event `{event_type}`: {reason}"))?;
    Ok(Upcasted { event_type: event_type.into(), schema_version, data, metadata, tags })
}

/// The tags, each once.
fn check_tags(tags: Vec<String>, limits: &RuntimeLimits) -> Result<Vec<String>, String> {
    let tags: Vec<Tag> = tags.into_iter().map(Tag::new).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let tags = distinct_tags(tags);
    limit("tags of an event", "max_event_tags", tags.len(), limits.max_event_tags)?;
    for tag in &tags {
        limit("bytes of a tag", "max_tag_bytes", tag.as_str().len(), limits.max_tag_bytes)?;
    }
    Ok(tags.into_iter().map(String::from).collect())
}

/// The types as a message lists them.
fn list(types: &[String]) -> String {
    let quoted: Vec<String> = types.iter().map(|event_type| format!("`{event_type}`")).collect();
    if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
}

fn limit(what: &str, limit: &str, found: usize, max: usize) -> Result<(), String> {
    if found > max { Err(format!("{what}: {found}; the limit {limit} is {max}")) } else { Ok(()) }
}
