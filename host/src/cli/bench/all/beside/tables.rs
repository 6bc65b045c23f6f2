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

/// Makes empty tables of flights, with their keys, as `projections/flights`, `fleet` and `punctuality` declare them.
pub(super) async fn make_flights(session: &mut PgConnection) -> anyhow::Result<()> {
    session
        .execute(
            r#"CREATE SCHEMA IF NOT EXISTS beside;
               DROP TABLE IF EXISTS beside.flight_state, beside.aircraft, beside.carrier_daily, beside.route;
               CREATE TABLE beside.flight_state (flight text COLLATE "C" PRIMARY KEY, last_state text COLLATE "C" NOT NULL,
                   dep_delay bigint, arr_delay bigint);
               CREATE TABLE beside.aircraft (tailnum text COLLATE "C" PRIMARY KEY, arrived bigint NOT NULL, air_time bigint NOT NULL,
                   distance bigint NOT NULL, last_state text COLLATE "C" NOT NULL, airport text COLLATE "C",
                   last_seen timestamptz NOT NULL);
               CREATE TABLE beside.carrier_daily (carrier text COLLATE "C", day date, scheduled bigint NOT NULL,
                   departed bigint NOT NULL, cancelled bigint NOT NULL, diverted bigint NOT NULL, arrived bigint NOT NULL,
                   on_time bigint NOT NULL, dep_delay bigint NOT NULL, arr_delay bigint NOT NULL, PRIMARY KEY (carrier, day));
               CREATE TABLE beside.route (origin text COLLATE "C", dest text COLLATE "C", scheduled bigint NOT NULL,
                   arrived bigint NOT NULL, air_time bigint NOT NULL, max_arr_delay bigint, PRIMARY KEY (origin, dest))"#,
        )
        .await?;
    Ok(())
}

/// Makes a copy of the accounts that queries read, with the indexes that they have.
pub(super) async fn copy_accounts(session: &mut PgConnection) -> anyhow::Result<()> {
    make_accounts(session).await?;
    session
        .execute(
            "INSERT INTO beside.accounts (account, owner, currency, balance, transactions)
                 SELECT account, owner, currency, balance, transactions FROM read_models.bank_accounts;
             CREATE INDEX ON beside.accounts (owner)",
        )
        .await?;
    Ok(())
}
