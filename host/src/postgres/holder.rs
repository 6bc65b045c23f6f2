//! Who keeps a session waiting for a lock.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use sqlx::{FromRow, PgPool};

use super::{session::APPLICATION_NAME, time::PgTimestamp, within::within};

/// How long Postgres may take to say.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A session that others wait for, and that waits for no lock itself.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Holder {
    /// The process of Postgres; 0 is a prepared transaction.
    pid: i32,
    user: Option<String>,
    application: Option<String>,
    /// What it does; hidden from roles that may not see it.
    state: Option<String>,
    /// When its last statement began.
    query_start: Option<PgTimestamp>,
    /// Whether Postgres waits for a message from it, or for room to send it one.
    waits_for_client: bool,
    /// Whether it is of a host that connects with the same role to the same database.
    is_of_a_host: bool,
    /// Changes with whatever it does.
    progress: String,
}

/// Begins at the session that waits. Where several wait, one waits for the next; the last ones are those that hold what all want.
const HOLDERS: &str = "
    WITH RECURSIVE waits (pid) AS (
        SELECT $1::int
        UNION
        SELECT blocking FROM waits, unnest(pg_blocking_pids(waits.pid)) AS blocking
    )
    SELECT waits.pid, usename::text AS \"user\", application_name AS application, state, query_start,
           wait_event_type IS NOT DISTINCT FROM 'Client' AS waits_for_client,
           coalesce(usename = session_user AND activity.datname = current_database() AND application_name = $2, false) AS is_of_a_host,
           concat_ws('/', backend_start, xact_start, state_change, copying.bytes_processed) AS progress
    FROM waits
    LEFT JOIN pg_stat_activity AS activity ON activity.pid = waits.pid
    LEFT JOIN pg_stat_progress_copy AS copying ON copying.pid = waits.pid
    WHERE waits.pid <> $1 AND wait_event_type IS DISTINCT FROM 'Lock'
    ORDER BY query_start";

/// The sessions that one with this process waits for.
///
/// # Errors
/// Postgres fails.
pub async fn holders_of(pool: &PgPool, pid: i32) -> Result<Vec<Holder>, sqlx::Error> {
    let holders = sqlx::query_as(HOLDERS).bind(pid).bind(APPLICATION_NAME).fetch_all(pool);
    within(TIMEOUT, "who holds a lock", holders).await
}

impl Holder {
    /// Whether it is a session of a host, which Postgres waits for: a host that is frozen, or that a cut network separates from Postgres,
    /// if it does not go on.
    #[must_use]
    pub fn may_be_stuck(&self) -> bool {
        self.is_of_a_host && self.waits_for_client
    }

    /// Whether it has done nothing since it was seen before.
    #[must_use]
    pub fn stands_still_since(&self, before: &Self) -> bool {
        (self.pid, &self.progress) == (before.pid, &before.progress)
    }

    /// Ends the session, if it is still as it was seen. What it had not committed is lost, as if its host had died.
    ///
    /// # Errors
    /// Postgres fails, or does not allow it.
    pub async fn end(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let end = sqlx::query(
            "SELECT pg_terminate_backend(activity.pid) FROM pg_stat_activity AS activity
             LEFT JOIN pg_stat_progress_copy AS copying ON copying.pid = activity.pid
             WHERE activity.pid = $1
               AND concat_ws('/', backend_start, xact_start, state_change, copying.bytes_processed) = $2",
        )
        .bind(self.pid)
        .bind(&self.progress)
        .execute(pool);
        within(TIMEOUT, "the end of a session that is stuck", end).await?;
        Ok(())
    }
}

impl Display for Holder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return f.write_str("a prepared transaction (see pg_prepared_xacts)");
        }
        write!(f, "process {}", self.pid)?;
        if let Some(user) = &self.user {
            write!(f, " of {user}")?;
        }
        if let Some(application) = self.application.as_ref().filter(|name| !name.is_empty()) {
            write!(f, ", {application}")?;
        }
        if let Some(state) = &self.state {
            write!(f, ", {state}")?;
        }
        if let Some(began) = self.query_start {
            write!(f, ", last statement at {}", began.instant())?;
        }
        Ok(())
    }
}

/// Several of them in one text.
#[must_use]
pub fn name_holders(holders: &[Holder]) -> String {
    holders.iter().map(|holder| format!("({holder})")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::test_database::TestDatabase;

    #[tokio::test(flavor = "multi_thread")]
    async fn who_waits_for_one_that_waits_finds_the_one_that_holds() {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        sqlx::query("CREATE TABLE public.doors ()").execute(&pool).await.unwrap();
        let mut held = crate::postgres::begin(&pool).await.unwrap();
        let holder: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *held).await.unwrap();
        sqlx::query("LOCK TABLE public.doors IN SHARE MODE").execute(&mut *held).await.unwrap();
        let wait = async |mode: &'static str| {
            let mut transaction = crate::postgres::begin(&pool).await.unwrap();
            let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *transaction).await.unwrap();
            let task = tokio::spawn(async move {
                sqlx::query(&format!("LOCK TABLE public.doors IN {mode} MODE"))
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
            });
            test_support::until("it waits", async || !holders_of(&pool, pid).await.unwrap().is_empty()).await;
            (pid, task)
        };
        let (_, first) = wait("ROW EXCLUSIVE").await;
        let (second, last) = wait("ACCESS EXCLUSIVE").await;
        let found = holders_of(&pool, second).await.unwrap();
        assert_eq!(found.iter().map(|holder| holder.pid).collect::<Vec<_>>(), [holder], "{found:?}");
        assert!(found[0].to_string().contains("idle in transaction, last statement at 20"), "{}", found[0]);
        // Not a session of a host.
        assert!(!found[0].may_be_stuck());
        held.rollback().await.unwrap();
        first.await.unwrap();
        last.await.unwrap();
    }
}
