//! Why an append is refused.

use gnomon_values::TimeError;
use uuid::Uuid;

use super::ExpectedVersion;
use crate::event_log::{
    event::{Position, StreamVersion},
    limits::LimitError,
    name::StreamName,
};

/// Why nothing of an append was taken in. All of them but [`AppendError::Unavailable`] mean that trying the same again is no
/// use.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream is not where the writer takes it to be.
    #[error("stream `{stream}` is at version {current}, not at the expected {expected}")]
    Conflict {
        /// The stream.
        stream: StreamName,
        /// What the writer expected.
        expected: ExpectedVersion,
        /// Where the stream is.
        current: StreamVersion,
    },
    /// The id belongs to another event.
    #[error(
        "event id {id} is taken: version {version} of stream `{stream}` (position {position}) bears it and {difference}"
    )]
    IdTaken {
        /// The id.
        id: Uuid,
        /// Where it is used.
        stream: StreamName,
        /// Where it is used.
        version: StreamVersion,
        /// Where it is used.
        position: Position,
        /// How that event differs from the one that came.
        difference: &'static str,
        /// Which line of an import brought it, from 0.
        line: Option<usize>,
    },
    /// Half of the append is in the log.
    #[error(
        "some of the events are in the log already (stream `{stream}`), others are not; a repeat has the ids of the first try, all of them"
    )]
    PartlyRepeated {
        /// A stream whose events are in the log.
        stream: StreamName,
    },
    /// Two events of the append have one id.
    #[error("event id {0} stands twice in the append")]
    IdTwice(Uuid),
    /// Two parts of an atomic append are for one stream.
    #[error("stream `{0}` stands twice in the append; put its events together")]
    StreamTwice(StreamName),
    /// An append without events.
    #[error("an append needs at least one event")]
    Empty,
    /// Something is too large.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// A time that the log does not keep.
    #[error("{place}: its time {error}")]
    Time {
        /// What is wrong with it.
        error: TimeError,
        /// Which event.
        place: String,
    },
    /// JSON that is no text.
    #[error("{place}: the JSON has a string that is no Unicode text: {reason}")]
    Unicode {
        /// Which event.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// Postgres would not take it, and no check of ours foresaw that.
    #[error("Postgres refused the append: {0}")]
    Refused(String),
    /// Postgres could not be reached in time. The append may or may not have been taken in; with event ids it is safe to
    /// try again.
    #[error(
        "the log did not answer in time ({0}); whether the events were taken in is unknown, with event ids it is safe to try again"
    )]
    Unavailable(String),
}
