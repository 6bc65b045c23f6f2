//! Rewrites events of older schema versions as they are read; the log keeps the originals.
//!
//! Try it, with no server and no database:
//!
//! ```sh
//! cargo test
//! ```
//!
//! Give it to a host together with the projections that read what it makes of the events, as one change:
//!
//! ```sh
//! gnomon deploy . ../orders
//! ```

use gnomon_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// The data of schema version 1: an amount is a number of whole euros.
#[derive(Deserialize)]
pub struct OrderPlacedV1 {
    customer: String,
    amount: i64,
}

/// The data of schema version 2: an amount is a number of cents. Only what is written here remains for later steps and projections.
#[derive(Serialize)]
pub struct OrderPlacedV2 {
    customer: String,
    cents: i64,
}

/// The step from euros to cents.
pub struct EurosToCents;

impl Upcast for EurosToCents {
    const EVENT_TYPE: &'static str = "OrderPlaced";
    const FROM: u32 = 1;
    const TO: u32 = 2;
    // A step that makes events of other types names all that come out:
    // const PRODUCES: &'static [&'static str] = &["OrderPlaced", "ShippingChosen"];

    type Old = OrderPlacedV1;
    type New = OrderPlacedV2;

    fn upcast(event: Event<OrderPlacedV1>) -> Result<Upcasted<OrderPlacedV2>, Failure> {
        let OrderPlacedV1 { customer, amount } = event.data;
        // Fail rather than guess: a failure names the event, and a guess is a wrong row in every read model.
        let Some(cents) = amount.checked_mul(100) else {
            fail!("its amount {amount} is too large");
        };
        Ok(OrderPlacedV2 { customer, cents }.into())
    }
}

gnomon_sdk::export_upcaster!(EurosToCents);
