//! Committing what a batch changed, with the checkpoint, or not at all.

use sqlx::PgPool;

use crate::{
    event_log::Position,
    read_model::{TableSet, WriteSet},
    subscriptions::{self, AdvanceError, DeadLetter, Lease, RetryProgress, Step},
};

/// What a step brings.
#[derive(Debug)]
pub(super) struct Effect<'e> {
    pub(super) writes: &'e WriteSet,
    /// Events that are taken back from those set aside.
    pub(super) taken_back: &'e [Position],
    /// Events that are set aside.
    pub(super) set_aside: &'e [DeadLetter],
    /// How many events may be set aside.
    pub(super) max_dead_letters: u64,
    /// If dead letters are tried again, the result.
    pub(super) retry: Option<RetryProgress>,
    /// Whether the loss of the commit in a crash of Postgres costs nothing but doing it again.
    pub(super) replayable: bool,
}

/// Why a step was not committed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommitError {
    #[error(transparent)]
    Advance(#[from] AdvanceError),
    /// Too many events are set aside.
    #[error("{found} events would be set aside; the limit max_dead_letters is {max}")]
    TooManyDeadLetters { found: u64, max: u64 },
}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        Self::Advance(error.into())
    }
}

/// Commits rows and checkpoint in one transaction.
pub(super) async fn commit(
    pool: &PgPool,
    lease: Lease,
    tables: &TableSet,
    step: &Step,
    effect: &Effect<'_>,
) -> Result<(), CommitError> {
    let mut transaction = pool.begin().await?;
    if effect.replayable {
        sqlx::query("SET LOCAL synchronous_commit = off").execute(&mut *transaction).await?;
    }
    // First of all, and under the row's lock: from here to the commit nobody can take the lease.
    subscriptions::advance(&mut transaction, lease, step).await?;
    tables.apply(&mut transaction, effect.writes).await?;
    if !effect.taken_back.is_empty() {
        subscriptions::take_back(&mut transaction, lease.subscription, effect.taken_back).await?;
    }
    if !effect.set_aside.is_empty() {
        let found = subscriptions::set_aside(&mut transaction, lease.subscription, effect.set_aside).await?;
        if found > effect.max_dead_letters {
            return Err(CommitError::TooManyDeadLetters { found, max: effect.max_dead_letters });
        }
    }
    if let Some(progress) = &effect.retry {
        subscriptions::note_retry(&mut transaction, lease.subscription, progress).await?;
    }
    transaction.commit().await?;
    Ok(())
}
