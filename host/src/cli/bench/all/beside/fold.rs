//! The bank as a program that an expert would write for it: no module, no host, one thread, all accounts in memory.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde::Deserialize;
use sqlx::{Executor, PgConnection};

use super::{log::read_log, tables::make_accounts};
use crate::postgres::BinaryCopy;

const ACCOUNTS: &str = "COPY beside.accounts FROM STDIN (FORMAT binary)";

/// An account, as in `projections/bank`.
struct Account {
    owner: String,
    currency: String,
    balance: i64,
    transactions: i64,
}

#[derive(Deserialize)]
struct Opened {
    owner: String,
    currency: String,
}

#[derive(Deserialize)]
struct Moved<'e> {
    amount: i64,
    currency: &'e str,
}

/// What was folded.
pub(in crate::cli::bench::all) struct Folded {
    /// The events of the log.
    pub(in crate::cli::bench::all) events: u64,
    pub(in crate::cli::bench::all) took: Duration,
}

/// Folds all events of the log into a table of accounts, with its index.
pub(in crate::cli::bench::all) async fn fold_all(
    from: &mut PgConnection,
    to: &mut PgConnection,
) -> anyhow::Result<Folded> {
    let began = Instant::now();
    make_accounts(to).await?;
    let mut accounts = HashMap::new();
    let apply = |[event_type, stream, data]: [&[u8]; 3]| apply(&mut accounts, event_type, stream, data);
    let events = read_log(from, ["type", "stream", "data"], apply).await?;
    write(to, &accounts).await?;
    to.execute("CREATE INDEX ON beside.accounts (owner)").await?;
    Ok(Folded { events, took: began.elapsed() })
}

fn apply(accounts: &mut HashMap<String, Account>, event_type: &[u8], stream: &[u8], data: &[u8]) -> anyhow::Result<()> {
    let Some(key) = std::str::from_utf8(stream)?.strip_prefix("account-") else { return Ok(()) };
    let sign = match event_type {
        b"AccountOpened" => {
            let Opened { owner, currency } = serde_json::from_slice(data)?;
            accounts.insert(key.to_owned(), Account { owner, currency, balance: 0, transactions: 0 });
            return Ok(());
        }
        b"MoneyDeposited" => 1,
        b"MoneyWithdrawn" => -1,
        _ => return Ok(()),
    };
    let moved: Moved<'_> = serde_json::from_slice(data)?;
    let account = accounts.get_mut(key).with_context(|| format!("account {key} was never opened"))?;
    anyhow::ensure!(account.currency == moved.currency, "account {key} is in {}", account.currency);
    account.balance += sign * moved.amount;
    account.transactions += 1;
    Ok(())
}

async fn write(session: &mut PgConnection, accounts: &HashMap<String, Account>) -> anyhow::Result<()> {
    let mut rows = BinaryCopy::with_capacity(accounts.len() * 96);
    for (key, account) in accounts {
        rows.row(5);
        rows.bytes(key.as_bytes());
        rows.bytes(account.owner.as_bytes());
        rows.bytes(account.currency.as_bytes());
        rows.i64(account.balance);
        rows.i64(account.transactions);
    }
    let mut copy = session.copy_in_raw(ACCOUNTS).await?;
    copy.send(rows.finish()).await?;
    copy.finish().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_folded_as_the_projection_folds_them() {
        let mut accounts = HashMap::new();
        for (event_type, data) in [
            ("AccountOpened", r#"{"owner":"Ada","currency":"EUR","channel":"web"}"#),
            ("MoneyDeposited", r#"{"amount":700,"currency":"EUR"}"#),
            ("MoneyWithdrawn", r#"{"amount":200,"currency":"EUR"}"#),
            ("AccountClosed", "{}"),
        ] {
            apply(&mut accounts, event_type.as_bytes(), b"account-7", data.as_bytes()).unwrap();
        }
        let account = &accounts["7"];
        assert_eq!((account.balance, account.transactions, account.owner.as_str()), (500, 2, "Ada"));
    }
}
