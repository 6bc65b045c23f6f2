//! A reactor without a memory that answers each event of the bank with one event, as large as the one that it reads: what it takes longer than
//! a projection over the same events is what appending costs.

use gnomon_sdk::prelude::*;
use serde::{Deserialize, Serialize};

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
    currency: String,
    reference: String,
    channel: String,
}

/// Money comes in or goes out.
#[derive(Deserialize)]
pub struct MoneyMoved {
    amount: i64,
    currency: String,
    reference: String,
    channel: String,
}

/// The data of an answer.
#[derive(Serialize)]
pub struct Noted<'a> {
    /// Deposits are more than 0, withdrawals are less.
    pub amount: i64,
    /// The currency of the amount.
    pub currency: &'a str,
    /// The reference of the event that is answered.
    pub reference: &'a str,
    /// By which way it came.
    pub channel: &'a str,
}

/// Answers each event in the stream `ledger-…` of its account.
pub struct Answers;

impl Reactor for Answers {
    type Event = AccountEvent;
    type Tables = ();

    const CATEGORIES: &'static [&'static str] = &["account"];

    fn react(event: &Event<AccountEvent>, _: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
        let noted = match &event.data {
            AccountEvent::Opened(AccountOpened { currency, reference, channel }) => {
                Noted { amount: 0, currency, reference, channel }
            }
            AccountEvent::Deposited(money) => noted(money, money.amount),
            AccountEvent::Withdrawn(money) => noted(money, -money.amount),
        };
        effects.append(format!("ledger-{}", event.stream_id()), [NewEvent::new("MovementNoted", &noted)]);
        Ok(())
    }
}

fn noted(MoneyMoved { currency, reference, channel, .. }: &MoneyMoved, amount: i64) -> Noted<'_> {
    Noted { amount, currency, reference, channel }
}

gnomon_sdk::export_reactor!(Answers);
