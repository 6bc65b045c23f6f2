//! An event in, the expected events out.

use gnomon_sdk::testing::{TestEvent, event, json, upcast};
use my_upcaster::EurosToCents;

fn placed(data: gnomon_sdk::serde_json::Value) -> TestEvent {
    event("order-1", "OrderPlaced", data)
}

#[test]
fn euros_become_cents() {
    let euros = |amount: i64| placed(json!({ "customer": "ada", "amount": amount }));
    let cents = |cents: i64| placed(json!({ "customer": "ada", "cents": cents })).schema_version(2);
    upcast::<EurosToCents>(euros(40)).becomes([cents(4000)]);
    upcast::<EurosToCents>(euros(0)).becomes([cents(0)]);
    upcast::<EurosToCents>(euros(-2)).becomes([cents(-200)]);
}

#[test]
fn an_amount_that_is_not_clear_is_refused() {
    upcast::<EurosToCents>(placed(json!({ "customer": "ada", "amount": i64::MAX })))
        .fails("its amount 9223372036854775807 is too large");
    upcast::<EurosToCents>(placed(json!({ "customer": "ada", "amount": "12.505" })))
        .fails("its data does not fit OrderPlacedV1");
    upcast::<EurosToCents>(placed(json!({ "customer": "ada" }))).fails("missing field `amount`");
}

#[test]
fn other_events_stay_as_they_are() {
    let newer = || placed(json!({ "customer": "ada", "cents": 1250 })).schema_version(2);
    upcast::<EurosToCents>(newer()).becomes([newer()]);
    let cancelled = || {
        event(
            "order-1",
            "OrderCancelled",
            json!({ "customer": "ada", "amount": 40 }),
        )
    };
    upcast::<EurosToCents>(cancelled()).becomes([cancelled()]);
}
