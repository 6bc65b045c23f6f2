//! The sessions that keep others waiting for a lock.

use std::{fmt, time::Duration};

use gnomon_values::Instant;
use sqlx::{FromRow, PgPool, Row as _, postgres::PgRow};

use super::{session::APPLICATION_NAME, time::PgTimestamp, within::within};

/// How long Postgres may take to say.
const TIMEOUT: Duration = Duration::from_secs(5);
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
    /// Whether it is of a host that connects with the same role to the same database.
    is_of_a_host: bool,
    /// Whether Postgres waits for a message from it, or for room to send it one.
    waits_for_client: bool,
    /// Changes with whatever it does.
    progress: String,
}

/// What a [`Blocker`] is read from, of `activity` and `copying`; `$1` is [`APPLICATION_NAME`].
const COLUMNS: &str = "
    usename::text AS username, application_name, query, coalesce(xact_start, query_start, backend_start) AS since,
    coalesce(usename = session_user AND activity.datname = current_database() AND application_name = $1, false) AS is_of_a_host,
    wait_event_type IS NOT DISTINCT FROM 'Client' AS waits_for_client";
/// [`Blocker::progress`], of the same two.
const PROGRESS: &str = "concat_ws('/', backend_start, xact_start, state_change, copying.bytes_processed)";

/// The sessions that one with this process waits for: those at the front of the line, which wait for nobody. If all wait for each other, all
/// others.
///
/// # Errors
/// Postgres fails.
pub async fn blockers_of(pool: &PgPool, pid: i32) -> Result<Vec<Blocker>, sqlx::Error> {
    let sql = format!(
        "WITH RECURSIVE blocking (pid) AS (
             SELECT unnest(pg_blocking_pids($2))
             UNION
             SELECT unnest(pg_blocking_pids(blocking.pid)) FROM blocking
         ), found AS (
             SELECT pid, cardinality(pg_blocking_pids(pid)) = 0 AS is_first FROM blocking WHERE pid <> $2
         )
         SELECT found.pid, {COLUMNS}, {PROGRESS} AS progress
         FROM found
         LEFT JOIN pg_stat_activity AS activity ON activity.pid = found.pid
         LEFT JOIN pg_stat_progress_copy AS copying ON copying.pid = found.pid
         WHERE is_first OR NOT EXISTS (SELECT FROM found WHERE is_first)
         ORDER BY found.pid"
    );
    let blockers = sqlx::query_as(&sql).bind(APPLICATION_NAME).bind(pid).fetch_all(pool);
    within(TIMEOUT, "who holds a lock", blockers).await
}

/// The other sessions that keep this host from writing to the tables of `schema`, or of `gnomon`, by a lock on a table or on rows: those
/// that have one, and those that stand in line for one.
///
/// For a wait that has ended already. Sessions that merely write to a table are among them, since they may hold a row.
///
/// # Errors
/// Postgres fails.
pub async fn lock_holders(pool: &PgPool, schema: Option<&str>) -> Result<Vec<Blocker>, sqlx::Error> {
    let sql = format!(
        "SELECT activity.pid, {COLUMNS}, {PROGRESS} AS progress
         FROM pg_stat_activity AS activity
         LEFT JOIN pg_stat_progress_copy AS copying ON copying.pid = activity.pid
         WHERE activity.pid <> pg_backend_pid() AND activity.pid IN (
             SELECT held.pid
             FROM pg_locks AS held
             JOIN pg_class AS class ON class.oid = relation
             JOIN pg_namespace AS namespace ON namespace.oid = relnamespace
             WHERE locktype = 'relation' AND relkind IN ('r', 'p')
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND (mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                        AND nspname IN ('gnomon', $2)
                    OR mode IN ('RowShareLock', 'RowExclusiveLock') AND nspname = $2))
         ORDER BY activity.pid"
    );
    let blockers = sqlx::query_as(&sql).bind(APPLICATION_NAME).bind(schema).fetch_all(pool);
    within(TIMEOUT, "who holds the locks of tables", blockers).await
}

impl Blocker {
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
        let sql = format!(
            "SELECT pg_terminate_backend(activity.pid) FROM pg_stat_activity AS activity
             LEFT JOIN pg_stat_progress_copy AS copying ON copying.pid = activity.pid
             WHERE activity.pid = $1 AND {PROGRESS} = $2"
        );
        let end = sqlx::query(&sql).bind(self.pid).bind(&self.progress).execute(pool);
        within(TIMEOUT, "the end of a session that is stuck", end).await?;
        Ok(())
    }
}

impl FromRow<'_, PgRow> for Blocker {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let since: Option<PgTimestamp> = row.try_get("since")?;
        let query: Option<String> = row.try_get("query")?;
        Ok(Self {
            pid: row.try_get("pid")?,
            user: row.try_get("username")?,
            application: row.try_get::<Option<String>, _>("application_name")?.unwrap_or_default(),
            since: since.map(PgTimestamp::instant),
            query: first_words(&query.unwrap_or_default()),
            is_of_a_host: row.try_get("is_of_a_host")?,
            waits_for_client: row.try_get("waits_for_client")?,
            progress: row.try_get("progress")?,
        })
    }
}

fn first_words(query: &str) -> String {
    let words = query.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(QUERY_CHARS) {
        Some((end, _)) => format!("{}…", words[..end].trim_end()),
        None => words,
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, user, application, since, query, .. } = self;
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

/// Several of them in one text.
#[must_use]
pub fn name_blockers(blockers: &[Blocker]) -> String {
    blockers.iter().map(Blocker::to_string).collect::<Vec<_>>().join(" and ")
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
            test_support::until("it waits", async || !blockers_of(&pool, pid).await.unwrap().is_empty()).await;
            (pid, task)
        };
        let (_, first) = wait("ROW EXCLUSIVE").await;
        let (second, last) = wait("ACCESS EXCLUSIVE").await;
        let found = blockers_of(&pool, second).await.unwrap();
        assert_eq!(found.iter().map(|blocker| blocker.pid).collect::<Vec<_>>(), [holder], "{found:?}");
        assert!(found[0].to_string().ends_with(", `LOCK TABLE public.doors IN SHARE MODE`)"), "{}", found[0]);
        // Not a session of a host.
        assert!(!found[0].may_be_stuck());
        held.rollback().await.unwrap();
        first.await.unwrap();
        last.await.unwrap();
    }

    #[test]
    fn only_the_first_words_of_a_statement_are_shown() {
        assert_eq!(first_words("SELECT\n  1"), "SELECT 1");
        let long = first_words(&"é ".repeat(100));
        assert!(long.ends_with('…') && long.chars().count() <= QUERY_CHARS + 1, "{long}");
    }
}
