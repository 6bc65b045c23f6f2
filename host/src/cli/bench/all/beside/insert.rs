//! One prepared INSERT in a transaction of its own.

use sqlx::PgConnection;
use uuid::Uuid;

use super::tables::{make_events, newest};
use crate::cli::bench::all::{
    bank::{Bank, BankEvent},
    closed_loop::Asks,
};

const INSERT: &str = "
    INSERT INTO beside.events (position, version, time, recorded_at, id, schema_version, stream, type, data)
    VALUES ($1, $1, now(), now(), $2, 1, $3, $4, $5::json)";

/// A client that inserts one event after the other.
struct Inserts {
    session: PgConnection,
    bank: Bank,
    first: u64,
}

/// Clients that insert one event after the other, one for each session.
pub(in crate::cli::bench::all) async fn inserts(
    mut sessions: Vec<PgConnection>,
    bank: Bank,
) -> anyhow::Result<Vec<impl Asks>> {
    let mut first = 0;
    if let Some(session) = sessions.first_mut() {
        make_events(session).await?;
        first = newest(session).await? + 1;
    }
    Ok(sessions.into_iter().map(|session| Inserts { session, bank, first }).collect())
}

impl Asks for Inserts {
    async fn ask(&mut self, number: u64) -> anyhow::Result<()> {
        insert(&mut self.session, self.first + number, &self.bank.movement(number)).await
    }
}

/// Inserts an event in a transaction of its own.
pub(super) async fn insert(session: &mut PgConnection, position: u64, event: &BankEvent) -> anyhow::Result<()> {
    sqlx::query(INSERT)
        .bind(i64::try_from(position)?)
        .bind(Uuid::now_v7())
        .bind(event.stream())
        .bind(event.event_type)
        .bind(event.data())
        .execute(session)
        .await?;
    Ok(())
}
