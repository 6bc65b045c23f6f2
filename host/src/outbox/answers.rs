//! Answers of calls, as events of the reactor's own.

use std::time::Duration;

use gnomon_values::{
    names,
    own_events::{CALL_FAILED, CALL_SUCCEEDED, CallFailed, CallSucceeded},
};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    message::MessageState,
    outcome::{Answer, Failure},
};
use crate::{
    event_log::{
        Append, AppendError, EventId, EventLog, EventType, ExpectedVersion, JsonText, NewEvent, SchemaVersion,
        StreamName,
    },
    postgres::Backoff,
};

/// A call that is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    /// The reactor that made it.
    pub(super) reactor: &'a str,
    /// The message.
    pub(super) message: Uuid,
    /// The name under which the answer comes back.
    pub(super) name: &'a str,
}

/// Why an answer is not in the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum AnswerError {
    /// It may be later.
    #[error("the answer is not in the log yet: {0}")]
    Later(AppendError),
    /// The log does not take it.
    #[error("the answer cannot be appended: {0}")]
    Refused(String),
}

/// Appends the answer to a call, once however often this is tried, and returns the state that the message has then. The first answer holds: one
/// that a host has appended before it was killed is not changed by what a repeat was answered.
pub(super) async fn append(
    log: &EventLog,
    call: Call<'_>,
    answer: Result<&Answer, (&Failure, u32)>,
) -> Result<MessageState, AnswerError> {
    let Call { reactor, message, name } = call;
    let refused = |error: &dyn std::fmt::Display| AnswerError::Refused(error.to_string());
    let id = message.to_string();
    let (event_type, data, state) = match answer {
        Ok(Answer { status, data }) => {
            let event = CallSucceeded { name, message: &id, status: *status, data: Some(data) };
            (CALL_SUCCEEDED, serde_json::to_string(&event), MessageState::Delivered)
        }
        Err((Failure { status, reason }, tries)) => {
            let event = CallFailed { name, message: &id, status: *status, reason, tries };
            (CALL_FAILED, serde_json::to_string(&event), MessageState::Failed)
        }
    };
    let data = data.map_err(|error| refused(&error))?;
    let stream = StreamName::new(names::own_stream(reactor, name)).map_err(|error| refused(&error))?;
    let event = NewEvent {
        id: EventId::Given(Uuid::new_v5(&message, b"answer")),
        event_type: EventType::new(event_type).map_err(|error| refused(&error))?,
        schema_version: SchemaVersion::FIRST,
        time: None,
        data: JsonText::parse(&data).map_err(|error| refused(&error))?,
        metadata: None,
        tags: Vec::new(),
    };
    let append = Append { stream, expected: ExpectedVersion::Any, events: vec![event] };
    match log.append_own(vec![append]).await {
        Ok(_) => Ok(state),
        Err(AppendError::IdTaken { position, .. }) => {
            let found = log
                .read_at(&[position])
                .await
                .map_err(|error| AnswerError::Later(AppendError::Unavailable(error.to_string())))?;
            let succeeded = found.first().is_some_and(|event| event.event_type.as_str() == CALL_SUCCEEDED);
            Ok(if succeeded { MessageState::Delivered } else { MessageState::Failed })
        }
        Err(
            error @ (AppendError::Unavailable(_)
            | AppendError::Locked(_)
            | AppendError::NoKeys(_)
            | AppendError::Unknown(_)),
        ) => Err(AnswerError::Later(error)),
        Err(error) => Err(refused(&error)),
    }
}

/// The same, tried again while the log is away. A caller whose claim ends drops this.
pub(super) async fn append_patiently(
    log: &EventLog,
    call: Call<'_>,
    answer: Result<&Answer, (&Failure, u32)>,
) -> Result<MessageState, AnswerError> {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    loop {
        match append(log, call, answer).await {
            Err(AnswerError::Later(_)) => sleep(backoff.next_pause()).await,
            done => return done,
        }
    }
}
