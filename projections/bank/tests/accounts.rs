//! Accounts and their events.

use bank::{Account, Bank};
use gnomon_sdk::testing::{TestEvent, event, given, json};

fn opened(account: &str, owner: &str) -> TestEvent {
    event(format!("account-{account}"), "AccountOpened", json!({ "owner": owner, "currency": "EUR" }))
}

fn moved(event_type: &str, account: &str, amount: i64, currency: &str) -> TestEvent {
    let data = json!({ "amount": amount, "currency": currency, "reference": "ref-1", "channel": "atm" });
    event(format!("account-{account}"), event_type, data)
}

fn deposited(account: &str, amount: i64) -> TestEvent {
    moved("MoneyDeposited", account, amount, "EUR")
}

fn withdrawn(account: &str, amount: i64) -> TestEvent {
    moved("MoneyWithdrawn", account, amount, "EUR")
}

fn account(account: &str, owner: &str, balance: i64, transactions: i64) -> Account {
    Account { account: account.into(), owner: owner.into(), currency: "EUR".into(), balance, transactions }
}

#[test]
fn an_open_account_is_empty() {
    given::<Bank>([]).when([opened("1", "ann")]).then_rows([account("1", "ann", 0, 0)]);
}

#[test]
fn deposits_and_withdrawals_add_up_on_their_own_account() {
    given::<Bank>([opened("1", "ann"), opened("2", "bob")])
        .when([deposited("1", 50), deposited("2", 7), withdrawn("1", 20), deposited("1", 5)])
        .then_rows([account("1", "ann", 35, 3), account("2", "bob", 7, 1)])
        .then_all_prefetched();
}

#[test]
fn an_account_may_be_overdrawn() {
    given::<Bank>([opened("1", "ann")]).when([withdrawn("1", 20)]).then_rows([account("1", "ann", -20, 1)]);
}

#[test]
fn streams_of_other_categories_are_not_read() {
    let teller = event("teller-1", "MoneyDeposited", json!({ "amount": 5, "currency": "EUR" }));
    given::<Bank>([opened("1", "ann")]).when([teller]).then_rows([account("1", "ann", 0, 0)]);
}

#[test]
fn money_needs_an_open_account() {
    given::<Bank>([opened("1", "ann")]).when([deposited("2", 5)]).then_fails(2, "account 2 was never opened");
}

#[test]
fn an_account_is_opened_once() {
    given::<Bank>([opened("1", "ann")]).when([opened("1", "bob")]).then_fails(2, "account 1 is open already");
}

#[test]
fn an_account_has_one_currency() {
    given::<Bank>([opened("1", "ann")])
        .when([moved("MoneyDeposited", "1", 5, "USD")])
        .then_fails(2, "USD cannot be booked on account 1, which is in EUR");
}

#[test]
fn an_amount_that_is_missing_is_named() {
    given::<Bank>([opened("1", "ann")])
        .when([event("account-1", "MoneyDeposited", json!({ "currency": "EUR" }))])
        .then_fails(2, "missing field `amount`");
}
