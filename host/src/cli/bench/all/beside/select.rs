//! The queries of the host as prepared statements on the view that it offers for SQL.

use sqlx::{PgConnection, Row};

use crate::cli::bench::all::{bank::Bank, closed_loop::Asks};

const ONE: &str = "
    SELECT row_to_json(one)::text FROM (SELECT account, owner, currency, balance, transactions FROM read_models.bank_accounts
                                        WHERE account = $1) AS one";
const PAGE: &str = "
    SELECT json_agg(page)::text FROM (SELECT account, owner, currency, balance, transactions FROM read_models.bank_accounts
                                      WHERE owner >= $1 ORDER BY owner LIMIT 100) AS page";

/// A client that selects with one statement and one parameter.
struct Selects {
    session: PgConnection,
    bank: Bank,
    statement: &'static str,
    parameter: fn(Bank, u64) -> String,
}

/// Clients that select an account by its key, one for each session.
pub(in crate::cli::bench::all) fn point_queries(sessions: Vec<PgConnection>, bank: Bank) -> Vec<impl Asks> {
    selects(sessions, bank, ONE, Bank::key)
}

/// Clients that select 100 accounts from an owner on, one for each session.
pub(in crate::cli::bench::all) fn pages(sessions: Vec<PgConnection>, bank: Bank) -> Vec<impl Asks> {
    selects(sessions, bank, PAGE, Bank::owner)
}

fn selects(
    sessions: Vec<PgConnection>,
    bank: Bank,
    statement: &'static str,
    parameter: fn(Bank, u64) -> String,
) -> Vec<Selects> {
    sessions.into_iter().map(|session| Selects { session, bank, statement, parameter }).collect()
}

impl Asks for Selects {
    async fn ask(&mut self, number: u64) -> anyhow::Result<()> {
        let parameter = (self.parameter)(self.bank, number);
        let row = sqlx::query(self.statement).bind(parameter).fetch_one(&mut self.session).await?;
        let json: &str = row.try_get(0)?;
        anyhow::ensure!(!json.is_empty(), "Postgres answered with nothing");
        Ok(())
    }
}
