//! What a sink is: where messages go, and how.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    publication::Publication, secret::SecretRef, sink_name::SinkName, sink_url::SinkUrl, subject::SubjectTemplate,
};
use crate::postgres::PgTimestamp;

/// What the subject of a message may have.
const MESSAGE_NAMES: &[&str] = &["type", "reactor", "key", "subject"];
/// What the subject of an event may have.
const LOG_NAMES: &[&str] = &["category", "type", "stream"];

/// How messages go to a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkKind {
    /// By POST, as CloudEvents, signed as Standard Webhooks say.
    Webhook,
    /// By POST, the data alone; what is answered comes back to the reactor.
    Endpoint,
    /// To a stream of NATS JetStream, as CloudEvents.
    Nats,
    /// No messages of reactors: each event of the log, to a stream of NATS JetStream, as CloudEvents.
    Log,
}

/// How a CloudEvent is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentMode {
    /// Attributes and data in one JSON object.
    #[default]
    Structured,
    /// The attributes in headers, and the data alone.
    Binary,
}

/// Where messages go, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkSettings {
    /// How they go there.
    pub kind: SinkKind,
    /// The address.
    pub url: SinkUrl,
    /// The secret that signs messages: `whsec_…`, or several of them with blanks between.
    pub secret: Option<SecretRef>,
    /// The value of the header `Authorization`; for NATS, `user:password`, or a token.
    pub credentials: Option<SecretRef>,
    /// How a CloudEvent is written.
    pub content_mode: ContentMode,
    /// The subject that a message has in NATS.
    pub subject: Option<SubjectTemplate>,
    /// The stream of JetStream that gets the log.
    #[serde(default)]
    pub stream: Option<String>,
    /// The position after which the log is published to a stream that is empty.
    #[serde(default)]
    pub after: u64,
    /// How long a try may take.
    pub timeout_seconds: u32,
    /// Tries, before a message has failed.
    pub max_tries: u32,
}

/// A sink.
#[derive(Clone, Debug)]
pub struct Sink {
    /// Its name.
    pub name: SinkName,
    /// Where messages go.
    pub settings: SinkSettings,
    /// When it was made.
    pub created_at: PgTimestamp,
    /// When it was changed last.
    pub changed_at: PgTimestamp,
    /// How far it has published the log, if it is to.
    pub published: Option<Publication>,
}

/// Why settings are not those of a sink.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {reason}")]
pub struct SinkError {
    /// The field that is wrong, or missing.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl SinkSettings {
    /// Seconds that a try may take, unless the sink says otherwise.
    pub const DEFAULT_TIMEOUT_SECONDS: u32 = 10;
    /// The most that it may say.
    pub const MAX_TIMEOUT_SECONDS: u32 = 60;
    /// Tries of a message, unless the sink says otherwise: with pauses that grow to an hour, they take about nine hours.
    pub const DEFAULT_MAX_TRIES: u32 = 20;
    /// The most that it may say.
    pub const MAX_MAX_TRIES: u32 = 1000;

    /// Checks that the settings fit together.
    ///
    /// # Errors
    /// They do not.
    pub fn check(&self) -> Result<(), SinkError> {
        let refuse = |field, reason: &str| Err(SinkError { field, reason: reason.to_owned() });
        let (is_log, is_nats) = (self.kind == SinkKind::Log, matches!(self.kind, SinkKind::Nats | SinkKind::Log));
        if self.url.is_nats() != is_nats {
            let schemes = if is_nats { "nats:// or tls://" } else { "http:// or https://" };
            return refuse("url", &format!("the URL of a sink of the kind `{}` begins with {schemes}", self.kind));
        }
        if self.kind == SinkKind::Webhook && self.secret.is_none() {
            return refuse("secret", "a webhook needs one, for the signatures of its messages");
        }
        if is_nats && self.secret.is_some() {
            return refuse("secret", "messages to NATS are not signed");
        }
        if is_nats != self.subject.is_some() {
            return match is_nats {
                true => refuse("subject", "a sink in NATS needs one, such as `orders.{type}`"),
                false => refuse("subject", "only messages to NATS have subjects"),
            };
        }
        let known = if is_log { LOG_NAMES } else { MESSAGE_NAMES };
        if let Some(unknown) = self.subject.iter().flat_map(SubjectTemplate::names).find(|name| !known.contains(name)) {
            let known = known.iter().map(|name| format!("`{{{name}}}`")).collect::<Vec<_>>().join(", ");
            return refuse(
                "subject",
                &format!("a sink of the kind `{}` has no `{{{unknown}}}`; it has {known}", self.kind),
            );
        }
        let is_stream = |name: &str| {
            !name.is_empty()
                && name.len() <= 255
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        match &self.stream {
            None if is_log => return refuse("stream", "the log is published to a stream of JetStream; name it"),
            Some(_) if !is_log => return refuse("stream", "messages go to the stream that takes their subjects"),
            Some(name) if !is_stream(name) => {
                return refuse("stream", "the name of a stream here has letters, digits, `-` and `_`, at most 255");
            }
            _ => {}
        }
        if self.after > 0 && !is_log {
            return refuse("after", "only the log is published from a position on");
        }
        if self.kind == SinkKind::Endpoint && self.content_mode != ContentMode::Structured {
            return refuse("content_mode", "an endpoint gets the data of a call alone, and no CloudEvent");
        }
        let within = |field, found: u32, max: u32| match found {
            0 => refuse(field, "it must be 1 or more"),
            found if found > max => refuse(field, &format!("it is {found}, and may be {max} at most")),
            _ => Ok(()),
        };
        within("timeout_seconds", self.timeout_seconds, Self::MAX_TIMEOUT_SECONDS)?;
        within("max_tries", self.max_tries, Self::MAX_MAX_TRIES)
    }

    /// How long a try may take.
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.into())
    }
}

impl fmt::Display for SinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webhook => "webhook",
            Self::Endpoint => "endpoint",
            Self::Nats => "nats",
            Self::Log => "log",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(kind: SinkKind, url: &str) -> SinkSettings {
        SinkSettings {
            kind,
            url: SinkUrl::new(url).unwrap(),
            secret: (kind == SinkKind::Webhook).then(|| SecretRef::new("env:GNOMON_SECRET_A").unwrap()),
            credentials: None,
            content_mode: ContentMode::Structured,
            subject: matches!(kind, SinkKind::Nats | SinkKind::Log).then(|| SubjectTemplate::new("a.{type}").unwrap()),
            stream: (kind == SinkKind::Log).then(|| "EVENTS".to_owned()),
            after: 0,
            timeout_seconds: 10,
            max_tries: 20,
        }
    }

    #[test]
    fn what_does_not_fit_together_is_named() {
        let webhook = settings(SinkKind::Webhook, "https://a.example/hook");
        let endpoint = settings(SinkKind::Endpoint, "http://a.example/pay");
        let nats = settings(SinkKind::Nats, "nats://a.example");
        let log = settings(SinkKind::Log, "tls://a.example");
        for good in [&webhook, &endpoint, &nats, &log] {
            assert_eq!(good.check(), Ok(()));
        }
        let field = |settings: SinkSettings| settings.check().unwrap_err().field;
        assert_eq!(field(SinkSettings { url: nats.url.clone(), ..webhook.clone() }), "url");
        assert_eq!(field(SinkSettings { url: endpoint.url.clone(), ..nats.clone() }), "url");
        assert_eq!(field(SinkSettings { secret: None, ..webhook.clone() }), "secret");
        assert_eq!(field(SinkSettings { secret: webhook.secret.clone(), ..nats.clone() }), "secret");
        assert_eq!(field(SinkSettings { subject: None, ..nats.clone() }), "subject");
        assert_eq!(field(SinkSettings { subject: nats.subject.clone(), ..webhook.clone() }), "subject");
        assert_eq!(field(SinkSettings { content_mode: ContentMode::Binary, ..endpoint.clone() }), "content_mode");
        let named = |name: &str| Some(SubjectTemplate::new(&format!("a.{{{name}}}")).unwrap());
        assert_eq!(field(SinkSettings { subject: named("category"), ..nats.clone() }), "subject");
        assert_eq!(field(SinkSettings { subject: named("reactor"), ..log.clone() }), "subject");
        assert_eq!(field(SinkSettings { stream: None, ..log.clone() }), "stream");
        assert_eq!(field(SinkSettings { stream: Some("A.B".to_owned()), ..log.clone() }), "stream");
        assert_eq!(field(SinkSettings { stream: log.stream.clone(), ..nats.clone() }), "stream");
        assert_eq!(field(SinkSettings { after: 1, ..nats.clone() }), "after");
        assert_eq!(field(SinkSettings { timeout_seconds: 61, ..webhook.clone() }), "timeout_seconds");
        assert_eq!(field(SinkSettings { max_tries: 0, ..webhook.clone() }), "max_tries");
    }

    #[test]
    fn what_is_stored_is_read_as_it_was() {
        let nats = settings(SinkKind::Nats, "nats://a.example");
        let stored = serde_json::to_string(&nats).unwrap();
        assert_eq!(serde_json::from_str::<SinkSettings>(&stored).unwrap(), nats);
    }
}
