//! Given events, when more happen, then rows. Each test is run again with other batches of the same events.

use gnomon_sdk::testing::{TestEvent, event, given, json};
use my_projection::{Customer, Customers};

const MONDAY: &str = "2026-01-05T08:00:00Z";
const TUESDAY: &str = "2026-01-06T08:00:00Z";

fn placed(amount: i64, time: &str) -> TestEvent {
    event(
        "order-1",
        "OrderPlaced",
        json!({ "customer": "ada", "amount": amount }),
    )
    .at(time)
}

fn cancelled(amount: i64) -> TestEvent {
    event(
        "order-1",
        "OrderCancelled",
        json!({ "customer": "ada", "amount": amount }),
    )
}

#[test]
fn orders_add_up() {
    given::<Customers>([placed(40, MONDAY)])
        .when([placed(2, TUESDAY)])
        .then_rows([Customer {
            customer: "ada".into(),
            orders: 2,
            amount: 42,
            last_order: TUESDAY.parse().unwrap(),
        }]);
}

#[test]
fn a_cancelled_order_does_not_count() {
    given::<Customers>([placed(40, MONDAY), placed(2, TUESDAY)])
        .when([cancelled(40)])
        .then_rows([Customer {
            customer: "ada".into(),
            orders: 1,
            amount: 2,
            last_order: TUESDAY.parse().unwrap(),
        }]);
}

#[test]
fn only_who_ordered_can_cancel() {
    given::<Customers>([])
        .when([cancelled(40)])
        .then_fails(1, "ada never ordered anything");
}
