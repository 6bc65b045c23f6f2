//! Given events, when more happen, then effects and rows. Each test is run again with other batches of the same events.

use gnomon_sdk::{
    prelude::Message,
    testing::{
        TestEvent, event, json,
        reactor::{given, schedule_due},
    },
};
use my_reactor::{OpenOrder, Reminders};

const MONDAY: &str = "2026-01-05T08:00:00Z";
const TUESDAY: &str = "2026-01-06T08:00:00Z";

fn placed() -> TestEvent {
    event(
        "order-1",
        "OrderPlaced",
        json!({ "customer": "ada", "amount": 40 }),
    )
    .at(MONDAY)
}

fn paid() -> TestEvent {
    event("order-1", "OrderPaid", json!({}))
}

#[test]
fn an_order_is_looked_at_again_after_a_day() {
    given::<Reminders>([])
        .when([placed()])
        .then_effects(|effects| effects.schedule("1", TUESDAY.parse().unwrap(), &()))
        .then_rows([OpenOrder {
            order_id: "1".into(),
            customer: "ada".into(),
            amount: 40,
        }]);
}

#[test]
fn who_has_not_paid_is_reminded() {
    given::<Reminders>([placed()])
        .when([schedule_due("1", TUESDAY, ())])
        .then_effects(|effects| {
            let reminder = json!({ "customer": "ada", "amount": 40 });
            effects.publish("mail", Message::new("order.unpaid", &reminder).about("1"));
        });
}

#[test]
fn who_has_paid_is_not() {
    given::<Reminders>([placed()])
        .when([paid()])
        .then_effects(|effects| effects.cancel("1"))
        .then_no_rows::<OpenOrder>()
        .when([schedule_due("1", TUESDAY, ())])
        .then_no_effects();
}
