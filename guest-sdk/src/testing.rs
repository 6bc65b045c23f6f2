//! Tests for projections, [upcasters](upcast) and [reactors](reactor), without a host, a database or WebAssembly: given events, when more happen, then
//! rows.
//!
//! ```
//! # use gnomon_sdk::prelude::*;
//! # use serde::Deserialize;
//! # #[derive(Events)]
//! # enum AccountEvent {
//! #     #[event("AccountOpened")] Opened(AccountOpened),
//! #     #[event("MoneyDeposited")] Deposited(MoneyDeposited),
//! # }
//! # #[derive(Deserialize)] struct AccountOpened { owner: String }
//! # #[derive(Deserialize)] struct MoneyDeposited { amount: i64 }
//! # #[derive(Table)]
//! # #[table("accounts")]
//! # struct Account { #[key] account: String, owner: String, balance: i64 }
//! # struct Accounts;
//! # impl Projection for Accounts {
//! #     type Event = AccountEvent;
//! #     type Tables = Account;
//! #     fn handle(event: &Event<AccountEvent>, rows: &mut Rows) -> Result<(), Failure> {
//! #         let account = event.stream_id();
//! #         match &event.data {
//! #             AccountEvent::Opened(opened) => {
//! #                 rows.put(Account { account: account.to_owned(), owner: opened.owner.clone(), balance: 0 });
//! #             }
//! #             AccountEvent::Deposited(deposited) => match rows.get_mut::<Account>(account) {
//! #                 Some(row) => row.balance += deposited.amount,
//! #                 None => fail!("no account {account}"),
//! #             },
//! #         }
//! #         Ok(())
//! #     }
//! # }
//! use gnomon_sdk::testing::{event, given, json};
//!
//! // #[test]
//! fn deposits_add_up() {
//!     given::<Accounts>([event("account-1", "AccountOpened", json!({ "owner": "ann" }))])
//!         .when([
//!             event("account-1", "MoneyDeposited", json!({ "amount": 5 })),
//!             event("account-1", "MoneyDeposited", json!({ "amount": 7 })),
//!         ])
//!         .then_rows([Account { account: "1".into(), owner: "ann".into(), balance: 12 }]);
//! }
//!
//! // #[test]
//! fn only_an_open_account_takes_money() {
//!     given::<Accounts>([])
//!         .when([event("account-1", "MoneyDeposited", json!({ "amount": 5 }))])
//!         .then_fails(1, "no account 1");
//! }
//! # deposits_add_up();
//! # only_an_open_account_takes_money();
//! ```
//!
//! # What every test checks in addition
//!
//! A read model must depend on the events only, and so must the effects of a reactor. So each test runs several times: with all events in one batch, one by one, and in
//! other batches; with one instance for several batches, and with a new instance for each. If the rows differ, the test fails and
//! shows which batches made which difference. The usual cause is state outside of rows: a static, a `OnceLock`, a thread-local. A
//! projection that is [partitioned by stream](crate::Partition::Stream) is also run stream by stream.
//!
//! A test also fails if a host would refuse what the projection does: its declarations, which a host checks at upload; and keys,
//! indexed values and rows that are too large, at the event that writes them. The limits are the defaults of a host.
//!
//! On Unix, each instance runs in a process of its own, forked from that of the test, so its memory is fresh. On other systems it
//! runs in a thread of its own, which detects thread-locals but not statics. Two things follow:
//!
//! - Do not call [`Projection::handle`](crate::Projection::handle) directly in a test: the forked processes would inherit what it
//!   leaves in memory.
//! - `cargo test -- --nocapture` shows what `handle` prints with `println!` or `dbg!`, once for each run. Lines that it
//!   [logs](crate::log) are printed once, if the test fails.

mod batches;
mod declared;
mod difference;
mod event;
mod fold;
mod instance;
mod log;
mod memory;
mod process;
pub mod reactor;
mod results;
mod run;
mod scenario;
mod shown_effects;
mod tables;
mod tested;
mod upcast;

pub use serde_json::json;

#[doc(hidden)]
pub use self::fold::{Folded, fold};
pub(crate) use self::log::write as log;
pub use self::{
    event::{TestEvent, event, read_json_lines},
    scenario::{Scenario, given},
    upcast::{Upcasting, upcast, upcast_all},
};
