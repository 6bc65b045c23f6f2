//! What a worker has to do, with what, and how it ends.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{commit::CommitError, shared::Shared};
use crate::{
    builds::{self, BuildError, Event, Job, Stage, TellError, tell},
    event_log::Position,
    modules::{ChainError, LoadError},
    postgres::is_transient,
    runtime::BatchError,
    subscriptions::{AdvanceError, DeadLetter, Lease},
};

/// The work on a build, by whoever holds its lease.
pub(super) struct Work {
    pub(super) shared: Arc<Shared>,
    pub(super) job: Job,
    pub(super) lease: Lease,
    pub(super) stop: CancellationToken,
    /// Told of each commit of this host.
    pub(super) committed: watch::Sender<u64>,
}

/// Why work ends for good.
pub(super) enum End {
    Stopped,
    Fenced,
    /// The build's own end is noted already.
    Noted,
}

/// Why an attempt to work ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkError {
    #[error("the lease is lost")]
    Fenced,
    #[error("there is a barrier at position {0}")]
    Barrier(Position),
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Host(BatchError),
    #[error("the thread of the module was lost")]
    Lost,
    #[error("{found} events would be set aside; the limit is {max}")]
    TooManyDeadLetters { found: u64, max: u64 },
}

impl WorkError {
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Fenced | Self::TooManyDeadLetters { .. } => false,
            Self::Postgres(error) => is_transient(error),
            Self::Load(error) | Self::Chain(ChainError::Load(error)) => error.is_transient(),
            Self::Chain(error) => matches!(error, ChainError::Interrupted),
            // What reads rows is Postgres; there is room for an instance once another is given up.
            Self::Host(BatchError::Rows(error)) => error.downcast_ref::<sqlx::Error>().is_none_or(is_transient),
            Self::Host(_) | Self::Lost | Self::Barrier(_) => true,
        }
    }
}

impl From<CommitError> for WorkError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Advance(AdvanceError::Fenced) => Self::Fenced,
            CommitError::Advance(AdvanceError::Barrier(at)) => Self::Barrier(at),
            CommitError::Advance(AdvanceError::Postgres(error)) => Self::Postgres(error),
            CommitError::TooManyDeadLetters { found, max } => Self::TooManyDeadLetters { found, max },
        }
    }
}

impl From<TellError> for WorkError {
    fn from(error: TellError) -> Self {
        match error {
            TellError::Fenced => Self::Fenced,
            TellError::Change(builds::ChangeError::Postgres(error)) => Self::Postgres(error),
            // Somebody changed the build, and with it took the lease, or is about to.
            TellError::Change(_) => Self::Fenced,
        }
    }
}

impl Work {
    /// Whether the build is filled for the first time.
    pub(super) fn is_replaying(&self) -> bool {
        self.job.build.state.kept().is_some_and(|kept| kept.stage == Stage::Replaying)
    }

    /// Reads the state of the build again, after queries turned to it, or did not.
    pub(super) async fn refresh(&mut self) -> Result<(), WorkError> {
        let build = builds::get(&self.shared.pool, &[self.job.build.id]).await?.pop().ok_or(WorkError::Fenced)?;
        self.job.build = build;
        Ok(())
    }

    /// Tells what happened to the build, and why.
    pub(super) async fn tell(&self, event: Event, error: Option<&BuildError>) -> Result<(), WorkError> {
        let mut transaction = self.shared.pool.begin().await?;
        let cause = error.map(ToString::to_string).unwrap_or_default();
        tell(&mut transaction, self.lease, event, error, &cause).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Logs an event that was set aside because the module cannot handle it.
    pub(super) fn log_set_aside(&self, letter: &DeadLetter) {
        let build = &self.job.build;
        if let Some(failure) = letter.failure() {
            let (stream, position) = (letter.stream(), letter.position);
            warn!(build = %build.id, projection = %build.projection, version = %build.version, %position, stream, %failure,
                "an event is set aside");
        }
    }
}
