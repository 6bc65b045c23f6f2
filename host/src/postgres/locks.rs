//! Locks that others hold: nothing waits for one without end, and whoever waited in vain says who held it.

use std::{error, fmt, pin::pin, time::Duration};

use gnomon_values::Instant;
use sqlx::{PgPool, Postgres, Transaction};

use super::{sqlstate, time::PgTimestamp, transaction::begin};

/// How often it is looked who blocks a transaction that is under way.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// Characters of a statement that are shown.
const QUERY_CHARS: usize = 60;

/// A session that holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// The process of the session; 0 is a prepared transaction, which has none.
    pub pid: i32,
    /// The role that it is of.
    pub user: Option<String>,
    /// The name that its program has given itself; it may be empty.
    pub application: String,
    /// When its transaction began, if it lets others know.
    pub since: Option<Instant>,
    /// The first words of the statement that it runs, or ran last.
    pub query: String,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, user, application, since, query } = self;
        if *pid == 0 {
            return f.write_str("a prepared transaction (see pg_prepared_xacts)");
        }
        write!(f, "session {pid} (")?;
        if let Some(user) = user {
            write!(f, "user {user}, ")?;
        }
        if !application.is_empty() {
            write!(f, "application {application}, ")?;
        }
        if let Some(since) = since {
            write!(f, "since {since}, ")?;
        }
        write!(f, "`{query}`)")
    }
}

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
        let by: Vec<String> = self.by.iter().map(Blocker::to_string).collect();
        write!(f, ": it is held by {}", by.join(" and "))?;
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
        // Those that wait themselves are of no interest, but those that they wait for.
        let rows: Vec<BlockerRow> = sqlx::query_as(
            "WITH RECURSIVE blocking (pid) AS (
                 SELECT unnest(pg_blocking_pids($1))
                 UNION
                 SELECT unnest(pg_blocking_pids(blocking.pid)) FROM blocking
             ), found AS (
                 SELECT pid, cardinality(pg_blocking_pids(pid)) = 0 AS is_first FROM blocking
             )
             SELECT found.pid, usename::text AS username, application_name, query,
                    coalesce(xact_start, query_start, backend_start) AS since
             FROM found LEFT JOIN pg_stat_activity AS activity ON activity.pid = found.pid
             WHERE is_first OR NOT EXISTS (SELECT FROM found WHERE is_first)
             ORDER BY found.pid",
        )
        .bind(self.pid)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(BlockerRow::blocker).collect())
    }
}

#[derive(sqlx::FromRow)]
struct BlockerRow {
    pid: i32,
    username: Option<String>,
    application_name: Option<String>,
    query: Option<String>,
    since: Option<PgTimestamp>,
}

impl BlockerRow {
    fn blocker(self) -> Blocker {
        Blocker {
            pid: self.pid,
            user: self.username,
            application: self.application_name.unwrap_or_default(),
            since: self.since.map(PgTimestamp::instant),
            query: first_words(&self.query.unwrap_or_default()),
        }
    }
}

fn first_words(query: &str) -> String {
    let words = query.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(QUERY_CHARS) {
        Some((end, _)) => format!("{}…", words[..end].trim_end()),
        None => words,
    }
}

/// The other sessions that keep this host from writing to the tables of `schema`, or of `gnomon`, by a lock on a table or on rows: those
/// that have one, and those that stand in line for one.
///
/// For a wait that has ended already. Sessions that merely write to a table are among them, since they may hold a row.
///
/// # Errors
/// Postgres fails.
pub async fn lock_holders(pool: &PgPool, schema: Option<&str>) -> Result<Vec<Blocker>, sqlx::Error> {
    let rows: Vec<BlockerRow> = sqlx::query_as(
        "SELECT DISTINCT activity.pid, usename::text AS username, application_name, query,
                coalesce(xact_start, query_start, backend_start) AS since
         FROM pg_locks AS held
         JOIN pg_class AS class ON class.oid = relation
         JOIN pg_namespace AS namespace ON namespace.oid = relnamespace
         JOIN pg_stat_activity AS activity ON activity.pid = held.pid
         WHERE locktype = 'relation' AND activity.pid <> pg_backend_pid() AND relkind IN ('r', 'p')
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND (mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                    AND nspname IN ('gnomon', $1)
                OR mode IN ('RowShareLock', 'RowExclusiveLock') AND nspname = $1)
         ORDER BY activity.pid",
    )
    .bind(schema)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(BlockerRow::blocker).collect())
}

#[cfg(test)]
#[path = "locks_tests.rs"]
mod tests;
