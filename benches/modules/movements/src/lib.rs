//! The bank with a row for each event, so that queries have many rows to add up and to join.

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
    channel: String,
    reference: String,
}

/// Money comes in or goes out.
#[derive(Deserialize)]
pub struct MoneyMoved {
    amount: i64,
    channel: String,
    reference: String,
}

/// An account.
#[derive(Table)]
#[table("accounts")]
pub struct Account {
    /// The stream without `account-`.
    #[key]
    pub account: String,
    /// Who opened it.
    pub owner: String,
}

/// What happened to an account, one event a row.
#[derive(Table)]
#[table("movements")]
#[index("by_account", columns(account, amount))]
pub struct Movement {
    /// The account.
    #[key]
    #[references(Account)]
    pub account: String,
    /// The event's version in its stream.
    #[key]
    pub number: i64,
    /// Where the customer was.
    pub channel: String,
    /// What the customer wrote.
    pub reference: String,
    /// What came in; less than 0 is what went out.
    pub amount: i64,
}

/// Keeps both tables.
pub struct Movements;

impl Projection for Movements {
    type Event = AccountEvent;
    type Tables = (Account, Movement);

    const CATEGORIES: &'static [&'static str] = &["account"];
    const PARTITIONED_BY: Option<Partition> = Some(Partition::Stream);

    fn handle(event: &Event<AccountEvent>, rows: &mut Rows) -> Result<(), Failure> {
        let account = event.stream_id();
        let (amount, channel, reference) = match &event.data {
            AccountEvent::Opened(opened) => {
                rows.put(Account { account: account.to_owned(), owner: opened.owner.clone() });
                (0, &opened.channel, &opened.reference)
            }
            AccountEvent::Deposited(money) => (money.amount, &money.channel, &money.reference),
            AccountEvent::Withdrawn(money) => (-money.amount, &money.channel, &money.reference),
        };
        rows.put(Movement {
            account: account.to_owned(),
            number: i64::try_from(event.version).unwrap_or(i64::MAX),
            channel: channel.clone(),
            reference: reference.clone(),
            amount,
        });
        Ok(())
    }
}

gnomon_sdk::export!(Movements);
