//! Rehearsals of reactors.

use serde_json::value::RawValue;

use crate::{
    api,
    event_log::{ExpectedVersion, JsonText},
    http::{
        problem::{Code, Problem},
        server_error::unavailable,
    },
    operations::{Rehearsal, RehearseError, RehearsedEvent},
    read_model::Identifier,
    runtime::{Effect, EffectEvent},
};

/// A rehearsal of the reactor of a name.
pub(in crate::http) fn rehearsal(name: Identifier, rehearsal: Rehearsal) -> api::Rehearsal {
    let Rehearsal { version, active_version, after, events, failure, active_failure, set_aside, active_set_aside } =
        rehearsal;
    api::Rehearsal {
        reactor: name.into(),
        version: version.0,
        active_version: active_version.map(|version| version.0),
        after: after.0,
        events: events.into_iter().map(Into::into).collect(),
        failure: failure.map(Into::into),
        active_failure: active_failure.map(Into::into),
        set_aside,
        active_set_aside,
    }
}

impl From<RehearsedEvent> for api::RehearsedEvent {
    fn from(event: RehearsedEvent) -> Self {
        let RehearsedEvent { position, stream, event_type, effects, active_effects } = event;
        Self {
            position: position.0,
            stream,
            event_type,
            same: effects == active_effects,
            effects: effects.into_iter().map(Into::into).collect(),
            active_effects: active_effects.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Effect> for api::RehearsedEffect {
    fn from(effect: Effect) -> Self {
        let of = |kind: &str| Self { kind: kind.to_owned(), ..Self::default() };
        match effect {
            Effect::Append { stream, expected, events } => Self {
                stream: Some(stream.into()),
                expected_version: Some(match expected {
                    ExpectedVersion::Any => api::ExpectedVersion::Any,
                    ExpectedVersion::NoStream => api::ExpectedVersion::NoStream,
                    ExpectedVersion::Exact(version) => api::ExpectedVersion::Exact(version.0),
                }),
                events: events.into_iter().map(Into::into).collect(),
                ..of("append")
            },
            Effect::Publish { sink, message_type, subject, data } => Self {
                sink: Some(sink.into()),
                message_type: Some(message_type),
                subject,
                data: Some(raw(data)),
                ..of("publish")
            },
            Effect::Call { sink, name, data } => {
                Self { sink: Some(sink.into()), name: Some(name), data: Some(raw(data)), ..of("call") }
            }
            Effect::Schedule { name, at, data } => {
                Self { name: Some(name), at: Some(at), data: Some(raw(data)), ..of("schedule") }
            }
            Effect::Cancel { name } => Self { name: Some(name), ..of("cancel") },
        }
    }
}

impl From<EffectEvent> for api::EffectEvent {
    fn from(event: EffectEvent) -> Self {
        let EffectEvent { event_type, schema_version, data, metadata, tags } = event;
        Self {
            event_type: event_type.into(),
            schema_version: schema_version.get(),
            tags: tags.into_iter().map(Into::into).collect(),
            data: raw(data),
            metadata: metadata.map(raw),
        }
    }
}

/// JSON that was checked.
fn raw(json: JsonText) -> Box<RawValue> {
    RawValue::from_string(json.into()).unwrap_or_default()
}

impl From<RehearseError> for Problem {
    fn from(error: RehearseError) -> Self {
        let detail = error.to_string();
        match error {
            RehearseError::NoModule(_) => Self::new(Code::ModuleNotFound, detail),
            RehearseError::Range { head, .. } => Self::new(Code::InvalidQuery, detail).with("head", head),
            RehearseError::TooMany { found, max } => {
                Self::new(Code::LimitExceeded, detail).with("limit", "positions").with("found", found).with("max", max)
            }
            RehearseError::TooLarge { reached, max } => {
                Self::new(Code::LimitExceeded, detail).with("limit", "bytes").with("reached", reached).with("max", max)
            }
            RehearseError::TimedOut { reached, .. } => Self::new(Code::PastTimedOut, detail).with("reached", reached),
            RehearseError::Busy | RehearseError::Host(_) => unavailable(Code::ModulesBusy, &detail, &detail),
            RehearseError::Load(error) => error.into(),
            RehearseError::Chain(error) => error.into(),
            RehearseError::Postgres(error) => error.into(),
        }
    }
}
