//! An event and the row that shows it, without a host: two transactions, one after the other.

use sqlx::{Executor, PgConnection};

use super::{
    insert::insert,
    tables::{make_events, newest},
};
use crate::cli::bench::all::{bank::Bank, closed_loop::Asks};

const UPDATE: &str = "
    INSERT INTO beside.shown (account, transactions) VALUES ($1, 1)
    ON CONFLICT (account) DO UPDATE SET transactions = shown.transactions + 1";

/// A client that commits an event and then its row.
struct Commits {
    session: PgConnection,
    bank: Bank,
    first: u64,
}

/// A client that commits an event and then its row.
pub(in crate::cli::bench::all) async fn commits_one_after_the_other(
    mut session: PgConnection,
    bank: Bank,
) -> anyhow::Result<impl Asks> {
    make_events(&mut session).await?;
    session
        .execute("CREATE TABLE IF NOT EXISTS beside.shown (account text PRIMARY KEY, transactions bigint NOT NULL)")
        .await?;
    let first = newest(&mut session).await? + 1;
    Ok(Commits { session, bank, first })
}

impl Asks for Commits {
    async fn ask(&mut self, number: u64) -> anyhow::Result<()> {
        let event = self.bank.movement(number);
        insert(&mut self.session, self.first + number, &event).await?;
        sqlx::query(UPDATE).bind(event.stream()).execute(&mut self.session).await?;
        Ok(())
    }
}
