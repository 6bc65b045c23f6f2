//! Sinks, to which messages of reactors go.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::open_enum::open_enum;

open_enum! {
    /// How messages go to a sink.
    SinkKind {
        /// By POST, as CloudEvents, signed as Standard Webhooks say.
        Webhook "webhook",
        /// By POST, the data of a call alone; what is answered comes back to the reactor.
        Endpoint "endpoint",
        /// To a stream of NATS JetStream, as CloudEvents.
        Nats "nats",
        /// No messages of reactors: each event of the log, to a stream of NATS JetStream, as CloudEvents.
        Log "log",
    }
}

open_enum! {
    /// How a CloudEvent is written.
    ContentMode {
        /// Attributes and data in one JSON object.
        Structured "structured",
        /// The attributes in headers, and the data alone.
        Binary "binary",
    }
}

/// Where messages go, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkSettings {
    /// How they go there.
    pub kind: SinkKind,
    /// The address: `https://` or `http://`, and for NATS `nats://` or `tls://`. It has no user and no password.
    pub url: String,
    /// Where the secret is that signs messages, which a webhook needs: `env:GNOMON_SECRET_…` or `file:/…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Where the value of the header `Authorization` is, likewise; for NATS, `user:password`, or a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// How a CloudEvent is written.
    #[serde(default = "structured")]
    pub content_mode: ContentMode,
    /// The subject in NATS, such as `orders.{type}`: of a message with `{type}`, `{reactor}`, `{key}` and `{subject}`, of an event of the log with
    /// `{category}`, `{type}` and `{stream}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The stream of JetStream that gets the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The position after which the log is published to a stream that is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Seconds that a try may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 60)]
    pub timeout_seconds: Option<u32>,
    /// Tries, before a message has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub max_tries: Option<u32>,
}

fn structured() -> ContentMode {
    ContentMode::Structured
}

/// A sink.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Sink {
    /// Its name.
    pub name: String,
    /// How messages go there.
    pub kind: SinkKind,
    /// The address.
    pub url: String,
    /// Where the secret is that signs messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Where the credentials are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// How a CloudEvent is written.
    pub content_mode: ContentMode,
    /// The subject in NATS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The stream of JetStream that gets the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The position after which the log is published to a stream that is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// How far it has published the log, if it is to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// Seconds that a try may take.
    pub timeout_seconds: u32,
    /// Tries, before a message has failed.
    pub max_tries: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Instant,
}

/// How far a sink has published the log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Published {
    /// The position of the last event that the stream is known to have.
    pub position: u64,
    /// Why no more are published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The answer of `GET /v1/sinks`, by name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Sinks {
    /// The sinks.
    pub sinks: Vec<Sink>,
}

/// The answer of `POST /v1/sinks/{sink}/retry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SinkRetried {
    /// Messages that had failed, and are sent again: the oldest, 1,000 at most.
    pub retried: u64,
}
