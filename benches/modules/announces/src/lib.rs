//! A reactor without a memory that sends a message of each movement of the bank, so that it can be measured how long a message takes until it is
//! delivered.

use gnomon_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// What happens to an account. The stream is `account-…`.
#[derive(Events)]
pub enum AccountEvent {
    /// Money comes in.
    #[event("MoneyDeposited")]
    Deposited(MoneyMoved),
    /// Money goes out.
    #[event("MoneyWithdrawn")]
    Withdrawn(MoneyMoved),
}

/// Money comes in or goes out.
#[derive(Deserialize)]
pub struct MoneyMoved {
    amount: i64,
    reference: String,
}

/// What a message says.
#[derive(Serialize)]
pub struct Announcement<'a> {
    /// Deposits are more than 0, withdrawals are less.
    pub amount: i64,
    /// The reference of the movement.
    pub reference: &'a str,
}

/// Sends a message of each movement.
pub struct Announces;

impl Reactor for Announces {
    type Event = AccountEvent;
    type Tables = ();

    const CATEGORIES: &'static [&'static str] = &["account"];
    const SINKS: &'static [&'static str] = &["announcements"];

    fn react(event: &Event<AccountEvent>, _: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
        let announcement = match &event.data {
            AccountEvent::Deposited(MoneyMoved { amount, reference }) => Announcement { amount: *amount, reference },
            AccountEvent::Withdrawn(MoneyMoved { amount, reference }) => Announcement { amount: -amount, reference },
        };
        let message = Message::new("money.moved", &announcement).about(event.stream.as_str());
        effects.publish("announcements", message);
        Ok(())
    }
}

gnomon_sdk::export_reactor!(Announces);
