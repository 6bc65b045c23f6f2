//! Locks that others hold: nothing waits for one without end, and whoever waited in vain says who held it.

use std::{error, fmt, pin::pin, time::Duration};

use sqlx::{PgPool, Postgres, Transaction};

use super::{
    blocker::{Blocker, blockers_of, name_blockers},
    sqlstate,
    transaction::begin,
};

/// How often it is looked who blocks a transaction that is under way.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// A lock that was not free in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocked {
    /// Who held it, or what it waited for; empty if nobody was seen.
    pub by: Vec<Blocker>,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lock in Postgres was not free in time")?;
        if self.by.is_empty() {
            return Ok(());
        }
        write!(f, ": it is held by {}", name_blockers(&self.by))?;
        if let Some(Blocker { pid, .. }) = self.by.iter().find(|blocker| blocker.pid != 0) {
            write!(f, ". If that does not end by itself, `SELECT pg_terminate_backend({pid})` ends it")?;
        }
        Ok(())
    }
}

impl error::Error for Blocked {}

/// An error that may be that of a lock which was not free in time.
pub trait LockError {
    /// Whether it is.
    fn is_of_a_lock(&self) -> bool;
    /// The error that says who held the lock.
    fn blocked(blocked: Blocked) -> Self;
}

/// Whether Postgres gave up a wait for a lock: it lasted too long, or would never have ended.
#[must_use]
pub fn gave_up_waiting(error: &sqlx::Error) -> bool {
    sqlstate::is_lock_timeout(error) || sqlstate::has_sqlstate(error, sqlstate::DEADLOCK_DETECTED)
}

/// Looks who blocks one transaction.
#[derive(Debug)]
pub struct LockWatch {
    pool: PgPool,
    pid: i32,
}

/// Begins a transaction in which no statement waits for a lock for longer than `timeout`.
///
/// # Errors
/// Postgres fails.
pub async fn begin_waiting(
    pool: &PgPool,
    timeout: Duration,
) -> Result<(Transaction<'static, Postgres>, LockWatch), sqlx::Error> {
    let mut transaction = begin(pool).await?;
    // 0 would be no limit.
    let milliseconds = timeout.as_millis().max(1).to_string();
    let (pid, _): (i32, String) = sqlx::query_as("SELECT pg_backend_pid(), set_config('lock_timeout', $1, true)")
        .bind(milliseconds)
        .fetch_one(&mut *transaction)
        .await?;
    Ok((transaction, LockWatch { pool: pool.clone(), pid }))
}

impl LockWatch {
    /// Does the work of the transaction. If it waits for a lock in vain, the error says who held it.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn explain<T, E: LockError>(self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let mut work = pin!(work);
        // Once the wait is over, nobody can say any more what it was for. So it is looked meanwhile.
        let mut by = Vec::new();
        loop {
            tokio::select! {
                biased;
                done = &mut work => return match done {
                    Err(error) if error.is_of_a_lock() => Err(E::blocked(Blocked { by })),
                    done => done,
                },
                found = self.look() => if let Ok(found) = found && !found.is_empty() {
                    by = found;
                },
            }
        }
    }

    async fn look(&self) -> Result<Vec<Blocker>, sqlx::Error> {
        tokio::time::sleep(LOOK_INTERVAL).await;
        blockers_of(&self.pool, self.pid).await
    }
}

#[cfg(test)]
#[path = "locks_tests.rs"]
mod tests;
