//! Why an append is refused.

use gnomon_values::{TimeError, limits::LimitError};
use uuid::Uuid;

use super::ExpectedVersion;
use crate::{
    event_log::{
        event::{Position, StreamVersion},
        name::{EventType, StreamName},
    },
    personal_data::Refusal,
};

/// Why nothing of an append was taken in. Only after [`AppendError::Unavailable`], [`AppendError::Locked`], [`AppendError::NoKeys`] and
/// [`AppendError::Unknown`] can the same append succeed later, and only the last may have taken it in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream is not at the version that the writer expects.
    #[error("stream `{stream}` is at version {current}, not at the expected {expected}")]
    Conflict {
        /// The stream.
        stream: StreamName,
        /// What the writer expected.
        expected: ExpectedVersion,
        /// The stream's version.
        current: StreamVersion,
    },
    /// An event matches the query of the append's condition.
    #[error(
        "an event that the append's condition rules out is in the log: the `{event_type}` of stream `{stream}` at position {position} is \
         the first that matches its query"
    )]
    ConditionFailed {
        /// The position of the first event after the condition's `after` that matches.
        position: Position,
        /// Its stream.
        stream: StreamName,
        /// Its type.
        event_type: EventType,
    },
    /// The log could not be searched in time for events that match the condition.
    #[error(
        "the log was searched for events that match the append's condition for as long as an append may take, and nothing was appended. An \
         `after` close to the head makes the search short, and so does a rare tag in each item of the query"
    )]
    ConditionTimedOut,
    /// So much was appended since the condition was looked up that it has to be looked up again. The log does this itself.
    #[error("too many events were appended while the append's condition was looked up")]
    LookUpAgain,
    /// The condition is of another log than this one, or of this one before a restore.
    #[error(
        "the append's condition is on what comes after position {after}, and the newest event is at position {head}"
    )]
    ConditionBeyondHead {
        /// The position of the condition.
        after: Position,
        /// The position of the newest event.
        head: Position,
    },
    /// The id belongs to another event.
    #[error(
        "event id {id} is taken: version {version} of stream `{stream}` (position {position}) has it and {difference}"
    )]
    IdTaken {
        /// The id.
        id: Uuid,
        /// The stream of the event that has it.
        stream: StreamName,
        /// The version of that event.
        version: StreamVersion,
        /// The position of that event.
        position: Position,
        /// How that event differs from the one in the request.
        difference: &'static str,
        /// The line of an import that has the id: its index among the lines of the request, from 0; from 1 in what
        /// [`EventLog::import`](crate::event_log::EventLog::import) returns.
        line: Option<usize>,
    },
    /// Two lines of an import have one id, and differ.
    #[error("two lines have the event id {id}, and the event of the first {difference}")]
    LinesDiffer {
        /// The id.
        id: Uuid,
        /// How the event of the first line differs from that of the second.
        difference: &'static str,
        /// The first of the lines, counted as in [`IdTaken`](Self::IdTaken).
        first_line: usize,
        /// The second.
        line: usize,
    },
    /// Some of the append's events are in the log, others are not.
    #[error(
        "some of the events are in the log already (stream `{stream}`), others are not; a repeat has the ids of the first try, all of them"
    )]
    PartlyRepeated {
        /// A stream whose events are in the log.
        stream: StreamName,
    },
    /// Two events of the append have one id.
    #[error("event id {0} occurs twice in the append")]
    IdTwice(Uuid),
    /// Two parts of an atomic append are for one stream, and the second expects a version of it.
    #[error("stream `{0}` occurs twice in the append with an expected version; put its events together")]
    StreamTwice(StreamName),
    /// The stream belongs to what the host itself writes.
    #[error(
        "the stream `{0}` is of a category that begins with `gnomon:`: the events there are those that reactors get of what became of their \
         schedules, calls and appends, and only the host appends them"
    )]
    Reserved(StreamName),
    /// An append without events.
    #[error("an append needs at least one event")]
    Empty,
    /// Something is too large.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// A time that the log does not keep.
    #[error("{event}: its time {error}")]
    Time {
        /// What is wrong with it.
        error: TimeError,
        /// Which event: `line 3`.
        event: String,
    },
    /// Its personal data cannot be encrypted as it is.
    #[error("{event}: {error}")]
    PersonalData {
        /// What is wrong with it.
        error: Refusal,
        /// Which event: `line 3`.
        event: String,
    },
    /// Its personal data cannot be encrypted now.
    #[error("the events were not appended: {0}")]
    NoKeys(String),
    /// Postgres refused what the host's own checks let through.
    #[error("Postgres refused the append: {0}")]
    Refused(String),
    /// Postgres could not be reached in time, and nothing was sent to be committed: the events were not appended.
    #[error("the events were not appended: {0}")]
    Unavailable(String),
    /// Other sessions of Postgres held a lock that the append needs for too long: the events were not appended.
    #[error("the events were not appended, since another session holds the lock of the log: {0}")]
    Locked(String),
    /// The connection broke while the append was being committed. It may or may not have been taken in; with event ids it is safe to
    /// try again.
    #[error("whether the events were appended is unknown ({0}); with event ids it is safe to send them again")]
    Unknown(String),
}
