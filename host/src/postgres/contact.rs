//! The first contact with a server: whether it can be used, and what it lets this host have.

use sqlx::{Connection, Executor, PgConnection, Row, postgres::PgConnectOptions};

use super::{session, sqlstate};

/// How often two connections are compared. Other clients of a pooler may take a session in between.
const ROUNDS: usize = 3;

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contact {
    /// Its major version.
    pub(super) version: i32,
    /// The smallest limit of connections that holds for this host, with what sets it.
    pub(super) limit: Option<(u32, String)>,
    /// Whether connections share sessions of Postgres: a pooler hands them out for a transaction each.
    pub(super) shares_sessions: bool,
}

/// Connects, looks, and disconnects.
pub(super) async fn look(options: &PgConnectOptions) -> Result<Contact, sqlx::Error> {
    let mut connection = session::open(options).await?;
    let mut second = session::open(options).await?;
    let shares_sessions = share_session(&mut connection, &mut second).await?;
    let _ = second.close().await;
    let version = number(&mut connection, "SELECT current_setting('server_version_num')::int / 10000").await?;
    let limit = limit(&mut connection).await?;
    let _ = connection.close().await;
    Ok(Contact { version: i32::try_from(version).unwrap_or_default(), limit, shares_sessions })
}

/// Whether a pooler between refuses what this program needs of a connection's start.
pub(super) fn is_refused_by_pooler(error: &sqlx::Error) -> bool {
    // Only poolers refuse parameters so; Postgres itself calls an unknown one a parameter of configuration.
    sqlstate::has_sqlstate(error, "08P01") && error.to_string().contains("unsupported startup parameter")
}

/// Of two connections that are open at the same time, each has a process of Postgres for itself, unless a pooler is between.
async fn share_session(one: &mut PgConnection, two: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let first = process(one).await?;
    for _ in 0..ROUNDS {
        let (second, again) = (process(two).await?, process(one).await?);
        if second == first || again != first {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn process(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    number(connection, "SELECT pg_backend_pid()").await
}

/// The number that a statement returns. It is sent as text and never prepared: behind a pooler that hands sessions out for a transaction,
/// prepared statements fail.
async fn number(connection: &mut PgConnection, statement: &'static str) -> Result<i64, sqlx::Error> {
    let row = connection.fetch_one(statement).await?;
    Ok(i64::from(row.try_get::<i32, _>(0)?))
}

async fn limit(connection: &mut PgConnection) -> Result<Option<(u32, String)>, sqlx::Error> {
    let row = connection
        .fetch_one(
            "SELECT rolname::text, datname::text, rolsuper, rolconnlimit, datconnlimit,
                    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                        - coalesce(current_setting('reserved_connections', true)::int, 0),
                    current_setting('max_connections')::int
             FROM pg_roles, pg_database WHERE rolname = session_user AND datname = current_database()",
        )
        .await?;
    let (role, database): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let server = "max_connections of the server".to_owned();
    // A superuser is only bound by what the server has in all.
    let limits: Vec<(i32, String)> = match row.try_get(2)? {
        true => vec![(row.try_get(6)?, server)],
        false => vec![
            (row.try_get(3)?, format!("CONNECTION LIMIT of the role {role}")),
            (row.try_get(4)?, format!("CONNECTION LIMIT of the database {database}")),
            (row.try_get(5)?, server),
        ],
    };
    // -1 is no limit.
    let limits = limits.into_iter().filter_map(|(limit, what)| Some((u32::try_from(limit).ok()?, what)));
    Ok(limits.min_by_key(|(limit, _)| *limit))
}
