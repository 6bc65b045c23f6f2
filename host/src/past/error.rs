//! Why the past of a stream is not told.

use std::time::Duration;

use gnomon_values::Instant;

use crate::{
    event_log::{StreamName, StreamVersion},
    modules::{ChainError, LoadError, ModuleVersion},
    read_model::Identifier,
    runtime::ModuleFailure,
};

/// How long a question waits for others.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(10);

/// Why the past of a stream is not told.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// There is no such projection.
    #[error("there is no projection `{0}`")]
    NoProjection(Identifier),
    /// There is no such stream.
    #[error("there is no stream `{0}`")]
    NoStream(StreamName),
    /// The stream does not reach so far.
    #[error("stream `{stream}` ends at version {newest}, and version {asked} is asked for")]
    Beyond {
        /// The stream.
        stream: StreamName,
        /// The version that is asked for.
        asked: StreamVersion,
        /// The version of its newest event.
        newest: StreamVersion,
    },
    /// An instant has not passed.
    #[error("at_time {0} has not passed yet: events that are appended until then belong to it")]
    NotPassed(Instant),
    /// Rows may depend on several streams.
    #[error(
        "version {version} of projection `{projection}` does not say that each of its rows depends on one stream only, so the events of a \
         stream alone do not give its rows; ask its read model with `as_of`, or declare `PARTITIONED_BY: Some(Partition::Stream)` if it is true"
    )]
    NotPartitioned {
        /// The projection.
        projection: Identifier,
        /// The version.
        version: ModuleVersion,
    },
    /// The module, or an upcaster, cannot handle an event, and the projection halts at such an event.
    #[error(
        "version {logic} of projection `{projection}` cannot handle version {version} of stream `{stream}`: {failure}. Ask for version {} of \
         the stream or an earlier one, or for a version of the projection that can", version.0.saturating_sub(1)
    )]
    Stopped {
        /// The projection.
        projection: Identifier,
        /// Its version.
        logic: ModuleVersion,
        /// The stream.
        stream: StreamName,
        /// The version of the event in its stream.
        version: StreamVersion,
        /// What the module did.
        failure: Box<ModuleFailure>,
    },
    /// Folding took too long.
    #[error(
        "folding stream `{stream}` had come to version {reached} when its time was over (past_timeout); the snapshots up to there are kept, so \
         the same question gets further"
    )]
    TimedOut {
        /// The stream.
        stream: StreamName,
        /// The version that was reached.
        reached: StreamVersion,
    },
    /// The rows of the stream take too much memory.
    #[error("at version {version} the rows of stream `{stream}` take {bytes} bytes; the limit max_fold_bytes is {max}")]
    TooLarge {
        /// The stream.
        stream: StreamName,
        /// The version that was reached.
        version: StreamVersion,
        /// What they take.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The rows are too many for an answer.
    #[error("the rows of stream `{stream}` take {bytes} bytes as JSON; the limit max_answer_bytes is {max}")]
    AnswerTooLarge {
        /// The stream.
        stream: StreamName,
        /// What they take.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// More events of the stream are set aside than are looked at.
    #[error(
        "more than {max} events of stream `{stream}` are set aside; try them again (`gnomon retry`), or rebuild the projection"
    )]
    TooManySetAside {
        /// The stream.
        stream: StreamName,
        /// The limit.
        max: usize,
    },
    /// Others ask, and that takes long.
    #[error("the host folds the events of other streams, and has for {} s; try again", MAX_WAIT.as_secs())]
    Busy,
    /// The database was restored while the events were read.
    #[error("the log was restored from a backup while stream `{0}` was read; ask again")]
    Restored(StreamName),
    /// The thread that folded panicked, or the host shuts down.
    #[error("folding the events was interrupted")]
    Interrupted,
    /// This host cannot fold now.
    #[error("the host cannot fold the events now: {0}")]
    Host(String),
    /// The build has no tables.
    #[error("the rows of the build cannot be compared: {0}")]
    NoTables(String),
    /// The version does not run here.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The upcasters do not run here.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Postgres fails.
    #[error("cannot read the past of the stream: {0}")]
    Postgres(sqlx::Error),
}

impl From<sqlx::Error> for PastError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}
