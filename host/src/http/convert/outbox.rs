//! Sinks and messages.

use super::events::json;
use crate::{
    api,
    http::problem::{Code, Problem},
    outbox::{
        ContentMode, ListedMessage, MessageState, Publication, SecretRef, Sink, SinkError, SinkKind, SinkSettings,
        SinkUrl, SubjectTemplate,
    },
};

/// The settings of a sink, as a client gives them.
pub(in crate::http) fn sink_settings(given: api::SinkSettings) -> Result<SinkSettings, Problem> {
    fn checked<T, E: ToString>(field: &'static str, parsed: Result<T, E>) -> Result<T, SinkError> {
        parsed.map_err(|error| SinkError { field, reason: error.to_string() })
    }
    let secret = |field, reference: Option<String>| {
        checked(field, reference.map(|reference| SecretRef::new(&reference)).transpose())
    };
    let settings = SinkSettings {
        kind: kind(&given.kind)?,
        url: checked("url", SinkUrl::new(&given.url))?,
        secret: secret("secret", given.secret)?,
        credentials: secret("credentials", given.credentials)?,
        content_mode: content_mode(&given.content_mode)?,
        subject: checked("subject", given.subject.as_deref().map(SubjectTemplate::new).transpose())?,
        stream: given.stream,
        after: given.after.unwrap_or_default(),
        timeout_seconds: given.timeout_seconds.unwrap_or(SinkSettings::DEFAULT_TIMEOUT_SECONDS),
        max_tries: given.max_tries.unwrap_or(SinkSettings::DEFAULT_MAX_TRIES),
    };
    settings.check()?;
    Ok(settings)
}

fn kind(given: &api::SinkKind) -> Result<SinkKind, SinkError> {
    match given {
        api::SinkKind::Webhook => Ok(SinkKind::Webhook),
        api::SinkKind::Endpoint => Ok(SinkKind::Endpoint),
        api::SinkKind::Nats => Ok(SinkKind::Nats),
        api::SinkKind::Log => Ok(SinkKind::Log),
        api::SinkKind::Other(_) => {
            Err(SinkError { field: "kind", reason: "it must be `webhook`, `endpoint`, `nats` or `log`".to_owned() })
        }
    }
}

fn content_mode(given: &api::ContentMode) -> Result<ContentMode, SinkError> {
    match given {
        api::ContentMode::Structured => Ok(ContentMode::Structured),
        api::ContentMode::Binary => Ok(ContentMode::Binary),
        api::ContentMode::Other(_) => {
            Err(SinkError { field: "content_mode", reason: "it must be `structured` or `binary`".to_owned() })
        }
    }
}

impl From<SinkError> for Problem {
    fn from(error: SinkError) -> Self {
        Self::new(Code::InvalidBody, error.to_string()).with("field", error.field)
    }
}

impl From<Sink> for api::Sink {
    fn from(Sink { name, settings, created_at, changed_at, published }: Sink) -> Self {
        Self {
            name: name.into(),
            kind: match settings.kind {
                SinkKind::Webhook => api::SinkKind::Webhook,
                SinkKind::Endpoint => api::SinkKind::Endpoint,
                SinkKind::Nats => api::SinkKind::Nats,
                SinkKind::Log => api::SinkKind::Log,
            },
            url: settings.url.into(),
            secret: settings.secret.map(Into::into),
            credentials: settings.credentials.map(Into::into),
            content_mode: match settings.content_mode {
                ContentMode::Structured => api::ContentMode::Structured,
                ContentMode::Binary => api::ContentMode::Binary,
            },
            subject: settings.subject.map(Into::into),
            after: (settings.kind == SinkKind::Log).then_some(settings.after),
            stream: settings.stream,
            published: published
                .map(|Publication { position, error, .. }| api::Published { position: position.0, error }),
            timeout_seconds: settings.timeout_seconds,
            max_tries: settings.max_tries,
            created_at: created_at.instant(),
            changed_at: changed_at.instant(),
        }
    }
}

/// A message.
pub(in crate::http) fn message(listed: ListedMessage) -> Result<api::Message, Problem> {
    Ok(api::Message {
        id: listed.id,
        reactor: listed.reactor,
        sink: listed.sink.into(),
        call: listed.call,
        message_type: listed.message_type,
        subject: listed.subject,
        position: listed.position.0,
        key: listed.key,
        state: match listed.state {
            MessageState::Pending => api::MessageState::Pending,
            MessageState::Delivered => api::MessageState::Delivered,
            MessageState::Failed => api::MessageState::Failed,
        },
        tries: listed.tries,
        error: listed.error,
        enqueued_at: listed.enqueued_at.instant(),
        next_try_at: listed.next_try_at.map(|time| time.instant()),
        done_at: listed.done_at.map(|time| time.instant()),
        data: listed.data.map(json).transpose()?,
    })
}
