//! Schedules whose time has come.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{stop::Stop, work::Work};
use crate::{
    metrics,
    reactors::{next_due, schedule_due, take_due},
    subscriptions::{self, COMMIT_LOCK_TIMEOUT},
};

/// Schedules that are due at once, at most.
const MOST: usize = 1000;
/// After this time at most it is looked again when the next schedule is due: the clock of Postgres may have been set.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// When the next schedule of a reactor is due, as far as its worker knows.
#[derive(Debug)]
pub(super) struct NextDue {
    /// `None` if there is none.
    at: Option<Instant>,
}

impl NextDue {
    /// Looks when the next one is due.
    pub(super) async fn look(work: &Work) -> Result<Self, Stop> {
        let mut connection = work.shared.pool.acquire().await?;
        let left = next_due(&mut connection, work.job.reactor.id).await?;
        Ok(Self { at: left.map(|left| Instant::now() + left.min(LOOK_AGAIN)) })
    }

    /// Whether it is to be looked for those that are due.
    pub(super) fn is_now(&self) -> bool {
        self.at.is_some_and(|at| at <= Instant::now())
    }

    /// Waits until it is; for ever if there is none.
    pub(super) async fn come(&self) {
        match self.at {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

/// Appends the events of the schedules that are due, in the transaction that deletes the schedules, if the lease is held. No commit of the reactor
/// may be under way: it may change them.
pub(super) async fn append_due(work: &Work) -> Result<(), Stop> {
    let Work { shared, job, lease, .. } = work;
    let mut transaction = crate::postgres::begin(&shared.pool).await?;
    subscriptions::hold(&mut transaction, *lease).await?;
    sqlx::query(&format!("SET LOCAL lock_timeout = '{COMMIT_LOCK_TIMEOUT}'")).execute(&mut *transaction).await?;
    let due = take_due(&mut transaction, job.reactor.id, MOST).await?;
    if due.is_empty() {
        return Ok(transaction.rollback().await?);
    }
    let appends = due.iter().map(|schedule| schedule_due(&job.reactor, schedule)).collect::<Result<Vec<_>, _>>()?;
    // Of any version, and of ids that nobody else makes: it is refused only if the log has another event under one of them.
    let refused = |_: usize, error: &crate::event_log::AppendError| Err(error.to_string());
    let uncommitted = shared.log.append_within(&mut transaction, appends, refused).await?;
    transaction.commit().await?;
    uncommitted.committed();
    metrics::of_host().reactors.schedules_due(due.len());
    Ok(())
}
