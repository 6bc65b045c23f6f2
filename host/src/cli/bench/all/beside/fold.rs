//! The bank as a program that an expert would write for it: no module, no host, one thread, all accounts in memory.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::Context;
use futures_util::TryStreamExt;
use serde::Deserialize;
use sqlx::{Executor, PgConnection};

use super::tables::make_accounts;
use crate::postgres::BinaryCopy;

const EVENTS: &str = "COPY (SELECT type, stream, data FROM gnomon.events ORDER BY position) TO STDOUT (FORMAT binary)";
const ACCOUNTS: &str = "COPY beside.accounts FROM STDIN (FORMAT binary)";
/// The signature, the flags and the length of the extension, which is empty: <https://www.postgresql.org/docs/current/sql-copy.html>.
const HEADER: usize = 11 + 4 + 4;
const FIELDS: usize = 3;
/// Bytes that are received before rows are read from them.
const PIECE: usize = 256 * 1024;

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
    let events = read(from, &mut accounts).await?;
    write(to, &accounts).await?;
    to.execute("CREATE INDEX ON beside.accounts (owner)").await?;
    Ok(Folded { events, took: began.elapsed() })
}

/// Compares the table with the one that queries read.
///
/// # Errors
/// Their rows differ: then one of the two does not do the work that is measured.
pub(in crate::cli::bench::all) async fn check_accounts(session: &mut PgConnection) -> anyhow::Result<()> {
    let differ: i64 = sqlx::query_scalar(
        "WITH ours AS (SELECT account, owner, currency, balance, transactions FROM read_models.bank_accounts),
              beside AS (SELECT account, owner, currency, balance, transactions FROM beside.accounts)
         SELECT (SELECT count(*) FROM (TABLE ours EXCEPT ALL TABLE beside) AS only_ours)
              + (SELECT count(*) FROM (TABLE beside EXCEPT ALL TABLE ours) AS only_beside)",
    )
    .fetch_one(session)
    .await?;
    anyhow::ensure!(differ == 0, "the host and the program beside it made other accounts: {differ} rows differ");
    Ok(())
}

async fn read(session: &mut PgConnection, accounts: &mut HashMap<String, Account>) -> anyhow::Result<u64> {
    let mut pieces = session.copy_out_raw(EVENTS).await?;
    let (mut events, mut received, mut has_header) = (0, Vec::with_capacity(2 * PIECE), false);
    loop {
        let piece = pieces.try_next().await?;
        let is_last = piece.is_none();
        received.extend_from_slice(&piece.unwrap_or_default());
        if received.len() < PIECE && !is_last {
            continue;
        }
        let mut rest = received.as_slice();
        if !has_header {
            rest = rest.get(HEADER..).context("Postgres sent a COPY without a header")?;
            has_header = true;
        }
        while let Some(([event_type, stream, data], after)) = row(rest) {
            apply(accounts, event_type, stream, data)?;
            events += 1;
            rest = after;
        }
        if is_last {
            return Ok(events);
        }
        let read = received.len() - rest.len();
        received.drain(..read);
    }
}

/// The next row, and what comes after it; `None` at the end, or if not all of it is there.
fn row(bytes: &[u8]) -> Option<([&[u8]; FIELDS], &[u8])> {
    let (count, mut rest) = bytes.split_first_chunk()?;
    if i16::from_be_bytes(*count) < 0 {
        return None;
    }
    let mut fields = [&[][..]; FIELDS];
    for field in &mut fields {
        let (length, after) = rest.split_first_chunk()?;
        (*field, rest) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    }
    Some((fields, rest))
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

    fn rows() -> Vec<u8> {
        let mut rows = BinaryCopy::with_capacity(0);
        for (event_type, data) in [
            ("AccountOpened", r#"{"owner":"Ada","currency":"EUR","channel":"web"}"#),
            ("MoneyDeposited", r#"{"amount":700,"currency":"EUR"}"#),
            ("MoneyWithdrawn", r#"{"amount":200,"currency":"EUR"}"#),
        ] {
            rows.row(3);
            [event_type, "account-7", data].iter().for_each(|text| rows.bytes(text.as_bytes()));
        }
        rows.finish()
    }

    #[test]
    fn rows_are_read_however_they_are_cut() {
        let rows = rows();
        let (mut rest, mut accounts, mut found) = (&rows[HEADER..], HashMap::new(), 0);
        while let Some(([event_type, stream, data], after)) = row(rest) {
            for cut in 0..rest.len() - after.len() {
                assert!(row(&rest[..cut]).is_none(), "{cut}");
            }
            apply(&mut accounts, event_type, stream, data).unwrap();
            (rest, found) = (after, found + 1);
        }
        let account = &accounts["7"];
        assert_eq!((found, account.balance, account.transactions, account.owner.as_str()), (3, 500, 2, "Ada"));
        assert_eq!(rest, (-1_i16).to_be_bytes());
    }
}
