//! A catch-up without a host: the upserts of a live build, a transaction for each batch.

use std::time::{Duration, Instant};

use sqlx::PgConnection;

use super::tables::copy_accounts;
use crate::{cli::bench::all::bank::BankEvent, subscriptions::BatchSize};

/// All columns of a row are written, as the host writes them. The rows are not read before.
const UPSERT: &str = "
    INSERT INTO beside.accounts AS old (account, owner, currency, balance, transactions)
    SELECT account, owner, 'EUR', change, 1 FROM UNNEST($1::text[], $2::text[], $3::bigint[]) AS new (account, owner, change)
    ON CONFLICT (account) DO UPDATE SET owner = excluded.owner, currency = excluded.currency,
        balance = old.balance + excluded.balance, transactions = old.transactions + excluded.transactions";

/// A copy of the accounts, and the movements that are to be booked there: at most one for each account.
pub(in crate::cli::bench::all) struct Upserts {
    session: PgConnection,
    movements: Vec<BankEvent>,
}

impl Upserts {
    /// Copies the accounts that queries read.
    pub(in crate::cli::bench::all) async fn prepare(
        mut session: PgConnection,
        movements: Vec<BankEvent>,
    ) -> anyhow::Result<Self> {
        copy_accounts(&mut session).await?;
        Ok(Self { session, movements })
    }

    /// Books the movements, as many at a time as a build gets; returns how long that took.
    pub(in crate::cli::bench::all) async fn run(&mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        for batch in self.movements.chunks(BatchSize::default().max_events) {
            let (mut accounts, mut owners, mut changes) = (Vec::new(), Vec::new(), Vec::new());
            for movement in batch {
                let (account, owner, change) = movement.to_change();
                accounts.push(account);
                owners.push(owner);
                changes.push(change);
            }
            sqlx::query(UPSERT).bind(accounts).bind(owners).bind(changes).execute(&mut self.session).await?;
        }
        Ok(began.elapsed())
    }
}
