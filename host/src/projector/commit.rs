//! Committing the effect of a batch together with the checkpoint.

use std::time::Instant;

use sqlx::PgPool;

use super::stop::Stop;
use crate::{
    builds::{BuildError, Following},
    event_log::Position,
    metrics,
    read_model::{TableSet, WriteSet},
    subscriptions::{self, DeadLetter, Handled, Lease, RetryProgress, Rows, Step},
};

/// What a step changes beside the checkpoint.
#[derive(Debug)]
pub(super) struct Effect<'e> {
    pub(super) writes: &'e WriteSet,
    /// The events that are handled.
    pub(super) handled: &'e Handled,
    /// The positions of dead letters that are deleted.
    pub(super) taken_back: &'e [Position],
    /// Events that are set aside.
    pub(super) set_aside: &'e [DeadLetter],
    /// The largest number of events that the build may set aside.
    pub(super) max_dead_letters: u64,
    /// How far dead letters have been tried again, if this step tries some.
    pub(super) retry: Option<RetryProgress>,
    /// Whether a crash of Postgres may lose the commit, because the events are then folded again.
    pub(super) replayable: bool,
    /// Whether somebody follows the rows, as the last commit found it, and this one finds it.
    pub(super) following: &'e Following,
}

impl Effect<'_> {
    fn rows(&self) -> Rows {
        if self.writes.is_empty() { Rows::Kept } else { Rows::Changed }
    }

    /// Whether it is nothing but rows of a build that is live.
    fn is_rows_only(&self) -> bool {
        !self.replayable && self.taken_back.is_empty() && self.set_aside.is_empty() && self.retry.is_none()
    }
}

/// Commits rows, dead letters and checkpoint in one transaction, or nothing. Waits for a lock that somebody else has on the tables for as
/// long as [`COMMIT_LOCK_TIMEOUT`](subscriptions::COMMIT_LOCK_TIMEOUT) says.
pub(super) async fn commit(
    pool: &PgPool,
    lease: Lease,
    tables: &TableSet,
    step: &Step,
    effect: &Effect<'_>,
) -> Result<(), Stop> {
    let started = Instant::now();
    if effect.is_rows_only() && commit_in_one_statement(pool, lease, tables, step, effect).await? {
        metrics::of_host().projector.committed(started.elapsed());
        return Ok(());
    }
    let began = Instant::now();
    let mut transaction = crate::postgres::begin(pool).await?;
    if effect.replayable {
        sqlx::query("SET LOCAL synchronous_commit = off").execute(&mut *transaction).await?;
    }
    // The first statement locks the subscription's row, so the lease cannot be taken away before the commit.
    let moved = subscriptions::advance(&mut transaction, lease, step, effect.handled, effect.rows()).await?;
    tables.apply(&mut transaction, effect.writes).await?;
    effect.following.found(moved.is_followed);
    if let Some(note) = effect.following.note(effect.writes) {
        note.write(&mut transaction, lease.subscription.into()).await?;
    }
    if !effect.taken_back.is_empty() {
        subscriptions::take_back(&mut transaction, lease.subscription, effect.taken_back).await?;
    }
    if !effect.set_aside.is_empty() {
        let found = subscriptions::set_aside(&mut transaction, lease.subscription, effect.set_aside).await?;
        if found > effect.max_dead_letters {
            return Err(Stop::Halted(BuildError::TooManyDeadLetters { found, max: effect.max_dead_letters }));
        }
    }
    if let Some(progress) = &effect.retry {
        subscriptions::note_retry(&mut transaction, lease.subscription, progress).await?;
    }
    // While this transaction has the row, the lease is not renewed.
    if began.elapsed() > lease.duration / 3 {
        subscriptions::prolong(&mut transaction, lease).await?;
    }
    transaction.commit().await?;
    metrics::of_host().projector.committed(started.elapsed());
    Ok(())
}

/// Commits rows and checkpoint in one statement, and so in one round trip. Returns whether it has: the checkpoint may not be moved, or there
/// may be too many rows.
async fn commit_in_one_statement(
    pool: &PgPool,
    lease: Lease,
    tables: &TableSet,
    step: &Step,
    effect: &Effect<'_>,
) -> Result<bool, Stop> {
    let note = effect.following.note(effect.writes);
    let (mut first, mut noted) = (subscriptions::MOVE_PARAMETERS + 1, String::new());
    if let Some(note) = &note {
        noted = note.part(first);
        first += 1;
    }
    let Some(parts) = tables.parts(effect.writes, "moved", first) else {
        return Ok(false);
    };
    let text = format!("{}{noted}{parts} SELECT {}", subscriptions::MOVE, subscriptions::MOVED);
    let statement = subscriptions::bind_move(sqlx::query(&text), lease, step, effect.handled, effect.rows());
    let statement = match note {
        Some(note) => note.bind(statement),
        None => statement,
    };
    let row = TableSet::bind_parts(statement, effect.writes).fetch_one(pool).await?;
    let Some(moved) = subscriptions::moved(&row)? else { return Ok(false) };
    effect.following.found(moved.is_followed);
    Ok(true)
}
