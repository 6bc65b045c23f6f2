//! A reactor with all that it can have, and one with nothing.

use gnomon_sdk::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Events)]
enum OrderEvent {
    #[event("OrderPlaced", schema_version = 2)]
    Placed(OrderPlaced),
    #[event("ScheduleDue")]
    Due(ScheduleDue<Reminder>),
    #[event("CallSucceeded")]
    Paid(CallSucceeded<Receipt>),
    #[event("CallFailed")]
    NotPaid(CallFailed),
    #[event("AppendRefused")]
    Refused(AppendRefused),
}

#[derive(Deserialize)]
struct OrderPlaced {
    total: i64,
}

#[derive(Serialize, Deserialize)]
struct Reminder {
    number: u32,
}

#[derive(Deserialize)]
struct Receipt {
    receipt: String,
}

#[derive(Table)]
#[table("orders")]
struct Order {
    #[key]
    order_id: String,
    state: String,
}

struct Payments;

impl Reactor for Payments {
    type Event = OrderEvent;
    type Tables = Order;

    const CATEGORIES: &'static [&'static str] = &["order"];
    const TAGS: &'static [&'static str] = &["shop:1"];
    const SINKS: &'static [&'static str] = &["payments", "mail"];

    fn react(event: &Event<OrderEvent>, rows: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
        match &event.data {
            OrderEvent::Placed(placed) => {
                effects.call("payments", event.stream_id(), &placed.total);
                effects.schedule(event.stream_id(), event.time, &Reminder { number: 1 });
                rows.put(Order { order_id: event.stream_id().to_owned(), state: "placed".to_owned() });
            }
            OrderEvent::Due(due) => effects.publish("mail", Message::new("order.unpaid", &due.data.number).about(&due.name)),
            OrderEvent::Paid(paid) => {
                effects.cancel(&paid.name);
                let paid_event = NewEvent::new("OrderPaid", &paid.data.receipt).tagged("shop:1").metadata(&paid.status);
                effects.append_expecting(format!("order-{}", paid.name), ExpectedVersion::Exact(1), [paid_event]);
            }
            OrderEvent::NotPaid(failed) => fail!("{}: {} after {} tries", failed.name, failed.reason, failed.tries),
            OrderEvent::Refused(refused) => log::warn!("{} has version {:?}", refused.stream, refused.current),
        }
        Ok(())
    }

    fn prefetch(event: &Event<OrderEvent>, prefetch: &mut Prefetch) {
        prefetch.want::<Order>(event.stream_id());
    }
}

gnomon_sdk::export_reactor! {
    /// Takes the money for orders.
    Payments
}

struct Nothing;

impl Reactor for Nothing {
    type Event = OrderEvent;
    type Tables = ();

    fn react(_: &Event<OrderEvent>, _: &mut Rows, _: &mut Effects) -> Result<(), Failure> {
        Ok(())
    }
}

gnomon_sdk::export_reactor!(Nothing);

fn main() {}
