//! Every step of a transfer.

use gnomon_sdk::{
    prelude::*,
    testing::{
        TestEvent, event, json,
        reactor::{Scenario, call_failed, call_succeeded, given, schedule_due},
    },
};
use settlement::{Settlement, State, Transfer};

const REQUESTED: &str = "2026-01-05T08:00:00Z";
const TIME_LIMIT: &str = "2026-01-05T08:15:00Z";

fn requested() -> TestEvent {
    let data = json!({ "from": "1", "to": "2", "amount": 50, "currency": "EUR" });
    event("transfer-a", "TransferRequested", data).at(REQUESTED)
}

fn cleared() -> TestEvent {
    call_succeeded("a", 200, json!({ "clearance": "c-1" }))
}

fn timed_out() -> TestEvent {
    schedule_due("a", TIME_LIMIT, ())
}

fn transfer(state: State) -> Transfer {
    Transfer { transfer: "a".into(), from: "1".into(), to: "2".into(), amount: 50, currency: "EUR".into(), state }
}

fn moved(event_type: &str) -> NewEvent {
    let data = json!({ "amount": 50, "currency": "EUR", "reference": "transfer-a", "channel": "transfer" });
    NewEvent::new(event_type, &data)
}

fn ask(effects: &mut Effects, name: &str, action: &str) {
    let data = json!({ "action": action, "transfer": "a", "from": "1", "to": "2", "amount": 50, "currency": "EUR" });
    effects.call("clearing", name, &data);
}

fn given_back(effects: &mut Effects, reason: &str) {
    effects.cancel("a");
    effects.append("account-1", [moved("MoneyDeposited")]);
    effects.append("transfer-a", [NewEvent::new("TransferFailed", &json!({ "reason": reason }))]);
    ask(effects, "revoke a", "revoke");
}

fn waiting() -> Scenario<Settlement> {
    given::<Settlement>([requested()])
}

#[test]
fn a_request_withdraws_the_money_and_asks_for_clearance() {
    given::<Settlement>([])
        .when([requested()])
        .then_effects(|effects| {
            effects.append("account-1", [moved("MoneyWithdrawn")]);
            ask(effects, "a", "clear");
            effects.schedule("a", TIME_LIMIT.parse().unwrap(), &());
        })
        .then_rows([transfer(State::Waiting)]);
}

#[test]
fn a_transfer_that_is_cleared_is_settled() {
    waiting()
        .when([cleared()])
        .then_effects(|effects| {
            effects.cancel("a");
            effects.append("account-2", [moved("MoneyDeposited")]);
            effects.append("transfer-a", [NewEvent::new("TransferSettled", &())]);
        })
        .then_rows([transfer(State::Settled)]);
}

#[test]
fn a_transfer_that_is_refused_is_undone() {
    waiting()
        .when([call_failed("a", Some(422), "account 2 is closed")])
        .then_effects(|effects| given_back(effects, "account 2 is closed"))
        .then_rows([transfer(State::Failed)]);
}

#[test]
fn so_is_one_that_nobody_answers_in_time() {
    waiting()
        .when([timed_out()])
        .then_effects(|effects| given_back(effects, "the clearing house did not answer in time"))
        .then_rows([transfer(State::Failed)]);
}

#[test]
fn an_answer_that_comes_too_late_is_revoked() {
    waiting()
        .when([timed_out()])
        .when([cleared()])
        .then_effects(|effects| ask(effects, "revoke a", "revoke"))
        .then_rows([transfer(State::Failed)]);
}

#[test]
fn nothing_is_done_twice() {
    waiting()
        .when([requested()])
        .then_no_effects()
        .when([cleared()])
        .when([cleared(), timed_out(), call_failed("a", None, "no answer")])
        .then_no_effects()
        .then_rows([transfer(State::Settled)]);
}

#[test]
fn the_answer_to_a_revocation_ends_it() {
    waiting()
        .when([timed_out()])
        .when([call_succeeded("revoke a", 200, json!({})), call_failed("revoke a", None, "no answer")])
        .then_no_effects()
        .then_rows([transfer(State::Failed)]);
}
