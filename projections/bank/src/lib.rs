//! Bank accounts: their owners and balances.

use gnomon_sdk::prelude::*;
use serde::Deserialize;

/// What happens to an account. The stream is `account-…`.
#[derive(Events)]
pub enum AccountEvent {
    /// The first event of every account.
    #[event("AccountOpened")]
    Opened(AccountOpened),
    /// Money comes in.
    #[event("MoneyDeposited")]
    Deposited(MoneyMoved),
    /// Money goes out.
    #[event("MoneyWithdrawn")]
    Withdrawn(MoneyMoved),
}

/// A customer opens an account.
#[derive(Deserialize)]
pub struct AccountOpened {
    owner: String,
    currency: String,
}

/// Money comes in or goes out. The events also have `reference` and `channel`, which this projection does not use.
#[derive(Deserialize)]
pub struct MoneyMoved {
    amount: i64,
    currency: String,
}

/// An account as it is now.
#[derive(Table)]
#[table("accounts")]
#[index("by_owner", columns(owner))]
pub struct Account {
    /// The stream without `account-`.
    #[key]
    pub account: String,
    /// Who opened it.
    pub owner: String,
    /// The currency of the balance.
    pub currency: String,
    /// Deposits less withdrawals.
    pub balance: i64,
    /// The number of deposits and withdrawals.
    pub transactions: i64,
}

/// Keeps the table of accounts.
pub struct Bank;

impl Projection for Bank {
    type Event = AccountEvent;
    type Tables = Account;

    const CATEGORIES: &'static [&'static str] = &["account"];
    const PARTITIONED_BY: Option<Partition> = Some(Partition::Stream);

    fn handle(event: &Event<AccountEvent>, rows: &mut Rows) -> Result<(), Failure> {
        let account = event.stream_id();
        match &event.data {
            AccountEvent::Opened(opened) => {
                if rows.get::<Account>(account).is_some() {
                    fail!("account {account} is open already");
                }
                rows.put(Account {
                    account: account.to_owned(),
                    owner: opened.owner.clone(),
                    currency: opened.currency.clone(),
                    balance: 0,
                    transactions: 0,
                });
                Ok(())
            }
            AccountEvent::Deposited(money) => book(rows, account, money, money.amount),
            AccountEvent::Withdrawn(money) => book(rows, account, money, -money.amount),
        }
    }

    fn prefetch(event: &Event<AccountEvent>, prefetch: &mut Prefetch) {
        prefetch.want::<Account>(event.stream_id());
    }
}

/// Books money on an account. Whether there was enough money was decided before the event was written.
fn book(rows: &mut Rows, account: &str, money: &MoneyMoved, change: i64) -> Result<(), Failure> {
    let Some(row) = rows.get_mut::<Account>(account) else {
        fail!("account {account} was never opened");
    };
    if row.currency != money.currency {
        fail!("{} cannot be booked on account {account}, which is in {}", money.currency, row.currency);
    }
    row.balance += change;
    row.transactions += 1;
    Ok(())
}

gnomon_sdk::export!(Bank);
