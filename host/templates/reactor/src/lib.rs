//! Reminds of orders that are not paid within a day.
//!
//! Try it, with no server and no database:
//!
//! ```sh
//! cargo test
//! ```

use gnomon_sdk::{chrono::TimeDelta, prelude::*};
use serde::{Deserialize, Serialize};

/// What happens to an order. The stream is `order-…`; the texts in quotes are the event types in the log.
#[derive(Events)]
pub enum OrderEvent {
    /// A customer orders.
    #[event("OrderPlaced")]
    Placed(OrderPlaced),
    /// The customer pays.
    #[event("OrderPaid")]
    Paid,
    /// An event of the reactor's own: the time of a schedule has come.
    #[event("ScheduleDue")]
    Due(ScheduleDue),
}

/// A customer orders. Only the fields that the reactor uses are needed here.
#[derive(Deserialize)]
pub struct OrderPlaced {
    customer: String,
    amount: i64,
}

/// The data of the message.
#[derive(Serialize)]
pub struct Reminder {
    customer: String,
    amount: i64,
}

/// An order that is not paid. The rows of a reactor are its memory; nobody else reads them.
#[derive(Table)]
#[table("open_orders")]
pub struct OpenOrder {
    /// The stream without `order-`.
    #[key]
    pub order_id: String,
    /// Who ordered.
    pub customer: String,
    /// What is to be paid.
    pub amount: i64,
}

/// Reminds customers.
pub struct Reminders;

impl Reactor for Reminders {
    type Event = OrderEvent;
    type Tables = OpenOrder;

    const CATEGORIES: &'static [&'static str] = &["order"];
    // Where messages to `mail` go is said to the host.
    const SINKS: &'static [&'static str] = &["mail"];

    // What is added to `effects` is carried out once the host has committed it together with the rows.
    fn react(event: &Event<OrderEvent>, rows: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
        let order = event.stream_id();
        match &event.data {
            OrderEvent::Placed(placed) => {
                effects.schedule(order, event.recorded_at + TimeDelta::days(1), &());
                rows.put(OpenOrder {
                    order_id: order.to_owned(),
                    customer: placed.customer.clone(),
                    amount: placed.amount,
                });
            }
            OrderEvent::Paid => {
                effects.cancel(order);
                rows.delete::<OpenOrder>(order);
            }
            OrderEvent::Due(due) => {
                if let Some(open) = rows.get::<OpenOrder>(&due.name) {
                    let reminder = Reminder {
                        customer: open.customer.clone(),
                        amount: open.amount,
                    };
                    effects.publish("mail", Message::new("order.unpaid", &reminder).about(&due.name));
                }
            }
        }
        Ok(())
    }

    // Requests the rows that `react` will read, so that they are fetched for many events at once.
    // Optional: without it, the reactor is slower.
    fn prefetch(event: &Event<OrderEvent>, prefetch: &mut Prefetch) {
        if let OrderEvent::Due(due) = &event.data {
            prefetch.want::<OpenOrder>(&due.name);
        }
    }
}

gnomon_sdk::export_reactor!(Reminders);
