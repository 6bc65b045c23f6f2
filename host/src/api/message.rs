//! Messages of the outbox.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::open_enum::open_enum;

open_enum! {
    /// What has become of a message.
    MessageState {
        /// It is to be sent, or being sent.
        Pending "pending",
        /// The sink has taken it.
        Delivered "delivered",
        /// It is not sent any more: the sink has refused it, or it was tried as often as it may be.
        Failed "failed",
    }
}

/// The parameters of `GET /v1/outbox`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MessagesQuery {
    /// Only messages for this sink.
    pub sink: Option<String>,
    /// Only messages of this reactor.
    pub reactor: Option<String>,
    /// Only messages in this state: `pending`, `delivered` or `failed`.
    pub state: Option<String>,
    /// The page begins after this place.
    #[param(minimum = 0)]
    pub after: Option<u64>,
    /// The most messages that the page may have.
    #[param(minimum = 1)]
    pub limit: Option<u64>,
}

/// A page of messages, the oldest first.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct MessagesPage {
    /// The messages, without their data.
    pub messages: Vec<Message>,
    /// The `after` of the next page; null if there is none.
    #[schema(required)]
    pub next: Option<u64>,
}

/// A message that a reactor sends.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Message {
    /// What the sink knows it by: the same with each try.
    pub id: Uuid,
    /// The reactor that sends it.
    pub reactor: String,
    /// Where it goes.
    pub sink: String,
    /// Of a call, the name under which its answer comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// What it says.
    #[serde(rename = "type")]
    pub message_type: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The position of the event that it comes from.
    pub position: u64,
    /// The stream of that event. Messages of a reactor to a sink with the same key are sent one after the other.
    pub key: String,
    /// What has become of it.
    pub state: MessageState,
    /// Tries that have ended.
    pub tries: u32,
    /// Why the last one has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was enqueued.
    #[schema(value_type = String, format = DateTime)]
    pub enqueued_at: Instant,
    /// When it is tried next, or when its try that is under way is given up. It is left out where an earlier message of its key is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_try_at: Option<Instant>,
    /// When it was delivered, or has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub done_at: Option<Instant>,
    /// What it carries, as the reactor wrote it; where one message is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub data: Option<Box<RawValue>>,
}
