//! A valid projection that refuses many events: an event may need a row that an event of another stream writes, and some events are
//! always refused. Each row records the positions of the events that it was folded from, in order.

#![cfg(target_family = "wasm")]

use gnomon_sdk::prelude::*;
use serde::Deserialize;

#[derive(Events)]
enum LedgerEvent {
    #[event("Opened")]
    Opened(Opened),
    #[event("Deposited")]
    Deposited(Deposited),
    #[event("Poison")]
    Poison,
}

#[derive(Deserialize)]
struct Opened {
    account: String,
}

#[derive(Deserialize)]
struct Deposited {
    account: String,
    amount: i64,
}

/// An account, with events of any streams.
#[derive(Table)]
#[table("accounts")]
struct Account {
    #[key]
    account: String,
    balance: i64,
    /// The positions of the events that it was folded from, in order.
    trail: String,
}

struct Ledger;

impl Projection for Ledger {
    type Event = LedgerEvent;
    type Tables = Account;

    const CATEGORIES: &'static [&'static str] = &["ledger"];

    fn handle(event: &Event<LedgerEvent>, rows: &mut Rows) -> Result<(), Failure> {
        match &event.data {
            LedgerEvent::Opened(Opened { account }) => {
                if rows.get::<Account>(account.as_str()).is_some() {
                    fail!("account {account} is open already");
                }
                rows.put(Account { account: account.clone(), balance: 0, trail: event.position.to_string() });
            }
            LedgerEvent::Deposited(Deposited { account, amount }) => {
                let Some(row) = rows.get_mut::<Account>(account.as_str()) else {
                    fail!("account {account} is not open")
                };
                row.balance += amount;
                row.trail += &format!(" {}", event.position);
            }
            LedgerEvent::Poison => fail!("nobody can handle this"),
        }
        Ok(())
    }
}

gnomon_sdk::export!(Ledger);
