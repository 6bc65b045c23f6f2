//! The queries of the host as prepared statements on the view that it offers for SQL.

use sqlx::{PgConnection, Row, ValueRef};

use crate::cli::bench::all::{bank::Bank, closed_loop::Asks, row::OfMovements};

const ONE: &str = "
    SELECT row_to_json(one)::text FROM (SELECT account, owner, currency, balance, transactions FROM read_models.bank_accounts
                                        WHERE account = $1) AS one";
const PAGE: &str = "
    SELECT json_agg(page)::text FROM (SELECT account, owner, currency, balance, transactions FROM read_models.bank_accounts
                                      WHERE owner >= $1 ORDER BY owner LIMIT 100) AS page";
const STATISTICS: &str = "
    SELECT channel, count(*), sum(amount), avg(amount), min(amount), max(amount) FROM read_models.movements_movements
    GROUP BY channel ORDER BY channel";
const STATISTICS_OF_SOME: &str = "
    SELECT count(*), sum(amount), max(amount) FROM read_models.movements_movements WHERE account >= $1 AND account < $2";
const PAGE_WITH_OWNERS: &str = "
    SELECT json_agg(page)::text FROM (SELECT number, amount, json_build_object('owner', owner) AS accounts
                                      FROM read_models.movements_movements
                                      JOIN read_models.movements_accounts USING (account)
                                      WHERE account >= $1 ORDER BY account, number LIMIT 100) AS page";

/// A client that selects with one statement.
struct Selects {
    session: PgConnection,
    bank: Bank,
    statement: &'static str,
    parameters: fn(Bank, u64) -> Vec<String>,
}

/// Clients that select an account by its key, one for each session.
pub(in crate::cli::bench::all) fn point_queries(sessions: Vec<PgConnection>, bank: Bank) -> Vec<impl Asks> {
    selects(sessions, bank, ONE, |bank, number| vec![bank.key(number)])
}

/// Clients that select 100 accounts from an owner on, one for each session.
pub(in crate::cli::bench::all) fn pages(sessions: Vec<PgConnection>, bank: Bank) -> Vec<impl Asks> {
    selects(sessions, bank, PAGE, |bank, number| vec![bank.owner(number)])
}

/// Clients that select movements of accounts, one for each session.
pub(in crate::cli::bench::all) fn selects_of_movements(
    sessions: Vec<PgConnection>,
    bank: Bank,
    query: OfMovements,
) -> Vec<impl Asks> {
    match query {
        OfMovements::Statistics => selects(sessions, bank, STATISTICS, |_, _| Vec::new()),
        OfMovements::StatisticsCovered => selects(sessions, bank, STATISTICS_OF_SOME, |bank, number| {
            let (first, end) = bank.some_keys(number);
            vec![first, end]
        }),
        OfMovements::Embedding => {
            selects(sessions, bank, PAGE_WITH_OWNERS, |bank, number| vec![bank.some_keys(number).0])
        }
    }
}

fn selects(
    sessions: Vec<PgConnection>,
    bank: Bank,
    statement: &'static str,
    parameters: fn(Bank, u64) -> Vec<String>,
) -> Vec<Selects> {
    sessions.into_iter().map(|session| Selects { session, bank, statement, parameters }).collect()
}

impl Asks for Selects {
    async fn ask(&mut self, number: u64) -> anyhow::Result<()> {
        let parameters = (self.parameters)(self.bank, number);
        let statement =
            parameters.into_iter().fold(sqlx::query(self.statement), |statement, value| statement.bind(value));
        let rows = statement.fetch_all(&mut self.session).await?;
        let found = rows.first().map(|row| row.try_get_raw(0).map(|value| !value.is_null())).transpose()?;
        anyhow::ensure!(found == Some(true), "Postgres answered with nothing");
        Ok(())
    }
}
