//! The tables of the programs, in a schema of their own.

use sqlx::{Executor, PgConnection};

/// Makes the table of events if it is missing: the columns and the three indexes of a partition of `gnomon.events`.
pub(super) async fn make_events(session: &mut PgConnection) -> anyhow::Result<()> {
    session
        .execute(
            "CREATE SCHEMA IF NOT EXISTS beside;
             CREATE TABLE IF NOT EXISTS beside.events (LIKE gnomon.events, PRIMARY KEY (position));
             CREATE UNIQUE INDEX IF NOT EXISTS events_version ON beside.events (stream, version);
             CREATE UNIQUE INDEX IF NOT EXISTS events_id ON beside.events (id)",
        )
        .await?;
    Ok(())
}

/// Makes an empty table of events.
pub(super) async fn make_empty_events(session: &mut PgConnection) -> anyhow::Result<()> {
    make_events(session).await?;
    session.execute("TRUNCATE beside.events").await?;
    Ok(())
}

/// The position of the newest event of the table.
pub(super) async fn newest(session: &mut PgConnection) -> anyhow::Result<u64> {
    let newest: i64 =
        sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM beside.events").fetch_one(session).await?;
    Ok(u64::try_from(newest)?)
}

/// Makes an empty table of accounts, with its key and no other index, as the tables of a build that replays have them.
pub(super) async fn make_accounts(session: &mut PgConnection) -> anyhow::Result<()> {
    session
        .execute(
            r#"CREATE SCHEMA IF NOT EXISTS beside;
               DROP TABLE IF EXISTS beside.accounts;
               CREATE TABLE beside.accounts (account text COLLATE "C" PRIMARY KEY, owner text COLLATE "C" NOT NULL,
                   currency text COLLATE "C" NOT NULL, balance bigint NOT NULL, transactions bigint NOT NULL)"#,
        )
        .await?;
    Ok(())
}
