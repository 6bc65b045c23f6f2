//! Why nothing is explained.

use std::time::Duration;

use crate::{event_log::Position, read_model::Identifier};

/// How long an explanation waits for others.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(10);

/// Why nothing is explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// There is no event at this position.
    #[error("there is no event at position {position}; the newest is at {head}")]
    NoEvent {
        /// The position.
        position: Position,
        /// The position of the newest event.
        head: Position,
    },
    /// There is no such projection.
    #[error("there is no projection `{0}`")]
    NoProjection(Identifier),
    /// Others are being explained, and that takes long.
    #[error("the host explains other events, and has for {} s; try again", MAX_WAIT.as_secs())]
    Busy,
    /// The thread that folded panicked, or the host shuts down.
    #[error("folding the event was interrupted")]
    Interrupted,
    /// Postgres fails.
    #[error("cannot read what became of the event: {0}")]
    Postgres(sqlx::Error),
}

impl From<sqlx::Error> for ExplainError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}
