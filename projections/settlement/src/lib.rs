//! Settles transfers between accounts of the sample `bank`: a process of several steps, with a time limit, and with compensation where a
//! step fails.
//!
//! ```text
//! TransferRequested ─► withdraw, ask for clearance, set a timer
//!                        │ CallSucceeded ─► deposit, TransferSettled
//!                        │ CallFailed    ─► give the money back, TransferFailed, revoke the clearance
//!                        └ ScheduleDue   ─► the same
//! ```
//!
//! What a step does is committed at once with what the reactor remembers of the transfer, so no step is lost or taken twice, whenever a
//! host stops. The clearing house hears of a transfer at least once, and always under the same idempotency key.

use gnomon_sdk::{chrono::TimeDelta, prelude::*};
use serde::{Deserialize, Serialize};

/// What happens to a transfer. The stream is `transfer-…`.
#[derive(Events)]
pub enum TransferEvent {
    /// A customer wants to send money. Whether there is enough was decided before.
    #[event("TransferRequested")]
    Requested(TransferRequested),
    /// The clearing house has answered.
    #[event("CallSucceeded")]
    Cleared(CallSucceeded),
    /// The clearing house has refused the transfer, or cannot be reached.
    #[event("CallFailed")]
    NotCleared(CallFailed),
    /// The clearing house has not answered in time.
    #[event("ScheduleDue")]
    TimedOut(ScheduleDue),
}

/// A customer wants to send money.
#[derive(Deserialize)]
pub struct TransferRequested {
    from: String,
    to: String,
    amount: i64,
    currency: String,
}

/// What the clearing house is asked.
#[derive(Serialize)]
pub struct Clearance<'a> {
    /// `clear` or `revoke`.
    pub action: &'a str,
    /// The transfer.
    pub transfer: &'a str,
    /// The account that pays.
    pub from: &'a str,
    /// The account that gets the money.
    pub to: &'a str,
    /// How much.
    pub amount: i64,
    /// The currency of the amount.
    pub currency: &'a str,
}

/// Money that comes in or goes out: the data of `MoneyDeposited` and `MoneyWithdrawn`.
#[derive(Serialize)]
pub struct MoneyMoved<'a> {
    /// How much.
    pub amount: i64,
    /// The currency of the amount.
    pub currency: &'a str,
    /// Why: `transfer-…`.
    pub reference: String,
    /// By which way.
    pub channel: &'a str,
}

/// The data of `TransferFailed`.
#[derive(Serialize)]
pub struct TransferFailed<'a> {
    /// Why, in words.
    pub reason: &'a str,
}

/// A transfer, and how far it has come.
#[derive(Table, Clone)]
#[table("transfers")]
pub struct Transfer {
    /// The stream without `transfer-`.
    #[key]
    pub transfer: String,
    /// The account that pays.
    pub from: String,
    /// The account that gets the money.
    pub to: String,
    /// How much.
    pub amount: i64,
    /// The currency of the amount.
    pub currency: String,
    /// How far it has come.
    pub state: State,
}

/// How far a transfer has come.
#[derive(TextEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The money is withdrawn, and the clearing house is asked.
    #[text("waiting")]
    Waiting,
    /// The money is deposited.
    #[text("settled")]
    Settled,
    /// The money was given back.
    #[text("failed")]
    Failed,
}

/// Minutes that the clearing house has to answer.
const TIME_LIMIT: i64 = 15;

/// Settles transfers.
pub struct Settlement;

impl Reactor for Settlement {
    type Event = TransferEvent;
    type Tables = Transfer;

    const CATEGORIES: &'static [&'static str] = &["transfer"];
    const SINKS: &'static [&'static str] = &["clearing"];

    fn react(event: &Event<TransferEvent>, rows: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
        match &event.data {
            TransferEvent::Requested(requested) => begin(event, requested, rows, effects),
            // The calls that revoke a clearance have names that are not those of transfers.
            TransferEvent::Cleared(cleared) => settle(&cleared.name, rows, effects),
            TransferEvent::NotCleared(failed) => give_back(&failed.name, &failed.reason, rows, effects),
            TransferEvent::TimedOut(due) => {
                give_back(&due.name, "the clearing house did not answer in time", rows, effects)
            }
        }
        Ok(())
    }
}

/// Withdraws the money, and asks the clearing house.
fn begin(event: &Event<TransferEvent>, requested: &TransferRequested, rows: &mut Rows, effects: &mut Effects) {
    let id = event.stream_id();
    if rows.get::<Transfer>(id).is_some() {
        log::warn!("transfer {id} was requested before");
        return;
    }
    let transfer = Transfer {
        transfer: id.to_owned(),
        from: requested.from.clone(),
        to: requested.to.clone(),
        amount: requested.amount,
        currency: requested.currency.clone(),
        state: State::Waiting,
    };
    effects.append(format!("account-{}", transfer.from), [NewEvent::new("MoneyWithdrawn", &transfer.money())]);
    effects.call("clearing", id, &transfer.clearance("clear"));
    // The time of the log, not that of the writer, who may have been slow.
    effects.schedule(id, event.recorded_at + TimeDelta::minutes(TIME_LIMIT), &());
    rows.put(transfer);
}

/// Deposits the money of a transfer that is cleared.
fn settle(id: &str, rows: &mut Rows, effects: &mut Effects) {
    let Some(transfer) = rows.get_mut::<Transfer>(id) else { return };
    match transfer.state {
        State::Waiting => {
            transfer.state = State::Settled;
            effects.cancel(id);
            effects.append(format!("account-{}", transfer.to), [NewEvent::new("MoneyDeposited", &transfer.money())]);
            effects.append(format!("transfer-{id}"), [NewEvent::new("TransferSettled", &())]);
        }
        // The answer came too late: the money was given back.
        State::Failed => revoke(transfer, effects),
        State::Settled => {}
    }
}

/// Undoes what was done for a transfer that is not cleared.
fn give_back(id: &str, reason: &str, rows: &mut Rows, effects: &mut Effects) {
    let Some(transfer) = rows.get_mut::<Transfer>(id).filter(|transfer| transfer.state == State::Waiting) else {
        return;
    };
    transfer.state = State::Failed;
    effects.cancel(id);
    effects.append(format!("account-{}", transfer.from), [NewEvent::new("MoneyDeposited", &transfer.money())]);
    effects.append(format!("transfer-{id}"), [NewEvent::new("TransferFailed", &TransferFailed { reason })]);
    // A call that failed may have been carried out all the same.
    revoke(transfer, effects);
}

fn revoke(transfer: &Transfer, effects: &mut Effects) {
    effects.call("clearing", format!("revoke {}", transfer.transfer), &transfer.clearance("revoke"));
}

impl Transfer {
    fn money(&self) -> MoneyMoved<'_> {
        MoneyMoved {
            amount: self.amount,
            currency: &self.currency,
            reference: format!("transfer-{}", self.transfer),
            channel: "transfer",
        }
    }

    fn clearance<'a>(&'a self, action: &'a str) -> Clearance<'a> {
        Clearance {
            action,
            transfer: &self.transfer,
            from: &self.from,
            to: &self.to,
            amount: self.amount,
            currency: &self.currency,
        }
    }
}

gnomon_sdk::export_reactor!(Settlement);
