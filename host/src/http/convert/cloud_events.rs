//! CloudEvents that clients append, as events.

use std::{collections::BTreeMap, fmt};

use serde_json::value::RawValue;
use uuid::Uuid;

use super::events::invalid_field;
use crate::{
    api,
    event_log::EventType,
    http::{
        problem::{Code, Problem},
        server_error::internal,
    },
};

/// The ids of events whose CloudEvent has an id that is not a UUID are made in this namespace, of source and id. It is fixed for ever.
const NAMESPACE: Uuid = Uuid::from_u128(0x6a1f_3c1e_8b0b_4d0c_9d6e_2f5c_7f0a_41d7);
/// The member of the metadata that keeps what an event has no place for.
const MEMBER: &str = "cloudevent";

/// Where the attributes of a CloudEvent stand.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) enum AttributesIn<'p> {
    /// In the body; this is put before their names.
    Body(&'p str),
    /// In headers.
    Headers,
}

impl AttributesIn<'_> {
    /// The problem of an attribute.
    pub(in crate::http) fn problem(self, name: &str, reason: impl fmt::Display) -> Problem {
        match self {
            Self::Body(path) => invalid_field(format!("{path}{name}"), reason),
            Self::Headers => Problem::new(Code::InvalidHeader, format!("ce-{name}: {reason}")),
        }
    }
}

/// The event to be appended that a CloudEvent is.
pub(in crate::http) fn cloud_event(
    event: api::CloudEvent,
    attributes: AttributesIn<'_>,
) -> Result<api::NewEvent, Problem> {
    let api::CloudEvent { specversion, id, source, event_type, time, data, data_base64, others } = event;
    let wrong = |name: &str, reason: &str| Err(attributes.problem(name, reason));
    if specversion != "1.0" {
        return wrong("specversion", "it must be `1.0`");
    }
    if id.is_empty() {
        return wrong("id", "it must not be empty");
    }
    if source.is_empty() {
        return wrong("source", "it must not be empty");
    }
    if data_base64.is_some() {
        return wrong("data_base64", "an event holds JSON, and no bytes; give it as `data`");
    }
    for (name, value) in &others {
        if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) || name.is_empty() {
            return wrong(name, "the name of an attribute has lowercase letters and digits only");
        }
        if value.get().starts_with(['{', '[']) {
            return wrong(name, "an attribute is a text, a number or a boolean");
        }
    }
    EventType::new(event_type.as_str()).map_err(|error| attributes.problem("type", error))?;
    let time = match time.filter(|time| time.get() != "null") {
        Some(time) => {
            let parsed = serde_json::from_str(time.get());
            Some(parsed.map_err(|error| attributes.problem("time", api::json_error(&error)))?)
        }
        None => None,
    };
    Ok(api::NewEvent {
        id: Some(event_id(&source, &id)),
        event_type,
        schema_version: 1,
        time,
        tags: Vec::new(),
        data: match data {
            Some(data) => data,
            None => raw(&())?,
        },
        metadata: Some(metadata(&source, &id, &others)?),
    })
}

fn event_id(source: &str, id: &str) -> Uuid {
    match Uuid::try_parse(id) {
        Ok(id) if !id.is_nil() => id,
        // The length keeps the end of one from being the begin of the other.
        _ => Uuid::new_v5(&NAMESPACE, format!("{} {source}{id}", source.len()).as_bytes()),
    }
}

/// The attributes that an event has no place for.
fn metadata(source: &str, id: &str, others: &[(String, Box<RawValue>)]) -> Result<Box<RawValue>, Problem> {
    let mut attributes: BTreeMap<&str, Box<RawValue>> = BTreeMap::new();
    attributes.insert("source", raw(&source)?);
    attributes.insert("id", raw(&id)?);
    for (name, value) in others.iter().filter(|(_, value)| value.get() != "null") {
        attributes.insert(name, value.clone());
    }
    raw(&BTreeMap::from([(MEMBER, attributes)]))
}

fn raw(value: &impl serde::Serialize) -> Result<Box<RawValue>, Problem> {
    serde_json::value::to_raw_value(value).map_err(|error| internal(&error))
}
