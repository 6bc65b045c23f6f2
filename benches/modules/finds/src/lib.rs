//! The projection of the bank, with a find by an index for each movement. The rows are as many as those of `projections/bank`, and as
//! large: what a rebuild takes longer than one of `bank` is what the finds cost.

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

/// Money comes in or goes out.
#[derive(Deserialize)]
pub struct MoneyMoved {
    amount: i64,
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
    /// How many accounts the owner had at the last movement, found by the index.
    pub accounts_of_owner: i64,
}

/// Keeps the table of accounts.
pub struct Finds;

impl Projection for Finds {
    type Event = AccountEvent;
    type Tables = Account;

    const CATEGORIES: &'static [&'static str] = &["account"];

    fn handle(event: &Event<AccountEvent>, rows: &mut Rows) -> Result<(), Failure> {
        let account = event.stream_id();
        match &event.data {
            AccountEvent::Opened(opened) => {
                rows.put(Account {
                    account: account.to_owned(),
                    owner: opened.owner.clone(),
                    currency: opened.currency.clone(),
                    balance: 0,
                    accounts_of_owner: 0,
                });
                Ok(())
            }
            AccountEvent::Deposited(money) => book(rows, account, money.amount),
            AccountEvent::Withdrawn(money) => book(rows, account, -money.amount),
        }
    }

    fn prefetch(event: &Event<AccountEvent>, prefetch: &mut Prefetch) {
        prefetch.want::<Account>(event.stream_id());
    }
}

fn book(rows: &mut Rows, account: &str, change: i64) -> Result<(), Failure> {
    let Some(owner) = rows.get::<Account>(account).map(|row| row.owner.clone()) else {
        fail!("account {account} was never opened");
    };
    let found = rows.find(Account::by_owner(&owner)).len();
    let Some(row) = rows.get_mut::<Account>(account) else {
        fail!("account {account} was never opened");
    };
    row.balance += change;
    row.accounts_of_owner = i64::try_from(found).unwrap_or(i64::MAX);
    Ok(())
}

gnomon_sdk::export!(Finds);
