//! Messages: to be enqueued, and as the outbox has them.

use gnomon_values::Instant;
use uuid::Uuid;

use super::sink_name::SinkName;
use crate::{
    event_log::{JsonText, Position},
    postgres::{PgTimestamp, sql_row, sql_text},
};

/// What has become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// It is to be sent.
    Pending,
    /// The sink has taken it.
    Delivered,
    /// It is not sent any more: the sink has refused it, or it was tried as often as it may be.
    Failed,
}

/// A text is not the name of a state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state of messages; they are `pending`, `delivered` or `failed`")]
pub struct MessageStateError(String);

impl MessageState {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

impl TryFrom<String> for MessageState {
    type Error = MessageStateError;

    fn try_from(name: String) -> Result<Self, MessageStateError> {
        match name.as_str() {
            "pending" => Ok(Self::Pending),
            "delivered" => Ok(Self::Delivered),
            "failed" => Ok(Self::Failed),
            _ => Err(MessageStateError(name)),
        }
    }
}

sql_text!(MessageState);

/// What a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// The sink gets it, and that is all.
    Publish,
    /// What the sink answers comes back as an event of the reactor's own.
    Call {
        /// The name of the exchange, under which the answer comes back.
        name: String,
    },
}

/// A message that a reactor sends.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Its id, which is the same if the batch is handled again: the sink knows the message by it.
    pub id: Uuid,
    /// The reactor.
    pub reactor: String,
    /// Where it goes.
    pub sink: SinkName,
    /// What it is for.
    pub kind: MessageKind,
    /// The stream of the event that it comes from. Messages of one reactor with one sink and key are sent one after the other.
    pub key: String,
    /// The event.
    pub position: Position,
    /// Which of the event's effects.
    pub number: u32,
    /// What it says.
    pub message_type: String,
    /// What it is about.
    pub subject: Option<String>,
    /// JSON, as the reactor wrote it.
    pub data: JsonText,
    /// The time of the event.
    pub time: PgTimestamp,
    /// The trace that the event belongs to, as a `traceparent`.
    pub traceparent: Option<String>,
}

/// A message as the outbox has it, to be sent.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its place among the messages of the outbox.
    pub number: i64,
    /// What the sink knows it by.
    pub id: Uuid,
    /// The reactor.
    pub reactor: String,
    /// Its key.
    pub key: String,
    /// Of a call, the name under which its answer comes back.
    pub call: Option<String>,
    /// The event that it comes from.
    pub position: Position,
    /// What it says.
    pub message_type: String,
    /// What it is about.
    pub subject: Option<String>,
    /// JSON.
    pub data: String,
    /// The time of the event.
    pub time: Instant,
    /// The trace that the event belongs to, as a `traceparent`.
    pub traceparent: Option<String>,
    /// Tries that have ended.
    pub tries: u32,
}

/// A message, as far as operations on it need it.
pub(super) struct NamedMessage {
    pub(super) message: i64,
    pub(super) sink: SinkName,
    pub(super) reactor: String,
    pub(super) key: String,
    pub(super) call: Option<String>,
    pub(super) state: MessageState,
}

sql_row!(NamedMessage { message, sink, reactor, key, call, state });
