//! What each customer has ordered.
//!
//! Try it, with no server and no database:
//!
//! ```sh
//! cargo test
//! ```
//!
//! Give it to a host, which builds the table beside the one of the version before and swaps the two:
//!
//! ```sh
//! gnomon deploy .
//! gnomon append order-1 --type OrderPlaced --data '{"customer": "ada", "amount": 40}'
//! gnomon query my_projection customers
//! ```

use gnomon_sdk::prelude::*;
use serde::Deserialize;

/// What happens to an order. The stream is `order-…`; the texts in quotes are the event types in the log.
#[derive(Events)]
pub enum OrderEvent {
    /// A customer orders.
    #[event("OrderPlaced")]
    Placed(OrderPlaced),
    /// A customer takes an order back.
    #[event("OrderCancelled")]
    Cancelled(OrderCancelled),
}

/// A customer orders. Only the fields that the projection uses are needed here.
#[derive(Deserialize)]
pub struct OrderPlaced {
    customer: String,
    amount: i64,
}

/// An order is taken back.
#[derive(Deserialize)]
pub struct OrderCancelled {
    customer: String,
    amount: i64,
}

/// A row of the table `customers`.
#[derive(Table)]
#[table("customers")]
pub struct Customer {
    /// Who it is.
    #[key]
    pub customer: String,
    /// Orders that stand.
    pub orders: i64,
    /// Their total amount.
    pub amount: i64,
    /// When something was ordered last.
    pub last_order: Timestamp,
}

/// Keeps the table.
pub struct Customers;

impl Projection for Customers {
    type Event = OrderEvent;
    type Tables = Customer;

    const CATEGORIES: &'static [&'static str] = &["order"];

    fn handle(event: &Event<OrderEvent>, rows: &mut Rows) -> Result<(), Failure> {
        match &event.data {
            OrderEvent::Placed(placed) => {
                let customer = rows.get_or_insert_with(placed.customer.as_str(), || Customer {
                    customer: placed.customer.clone(),
                    orders: 0,
                    amount: 0,
                    last_order: event.time,
                });
                customer.orders += 1;
                customer.amount += placed.amount;
                customer.last_order = event.time;
            }
            OrderEvent::Cancelled(cancelled) => {
                // The operator of the host reads this message, with the event.
                let Some(customer) = rows.get_mut::<Customer>(cancelled.customer.as_str()) else {
                    fail!("{} never ordered anything", cancelled.customer);
                };
                customer.orders -= 1;
                customer.amount -= cancelled.amount;
            }
        }
        Ok(())
    }

    // Requests the rows that `handle` will read, so that they are fetched for many events at once.
    // Optional: without it, the projection is slower.
    fn prefetch(event: &Event<OrderEvent>, prefetch: &mut Prefetch) {
        match &event.data {
            OrderEvent::Placed(placed) => prefetch.want::<Customer>(placed.customer.as_str()),
            OrderEvent::Cancelled(cancelled) => {
                prefetch.want::<Customer>(cancelled.customer.as_str())
            }
        }
    }
}

gnomon_sdk::export!(Customers);
