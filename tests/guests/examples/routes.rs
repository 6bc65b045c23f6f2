//! A valid projection of arrivals in the shape that they had first, which the sample upcaster `flight-arrivals` rewrites: it cannot
//! handle an arrival in the current shape.

#![cfg(target_family = "wasm")]

use gnomon_sdk::prelude::*;
use serde::Deserialize;

#[derive(Events)]
enum Flying {
    #[event("FlightArrived")]
    Arrived(Arrived),
}

#[derive(Deserialize)]
struct Arrived {
    route: String,
}

/// The arrivals of a route.
#[derive(Table)]
#[table("routes")]
struct Route {
    #[key]
    route: String,
    arrivals: i64,
}

struct Module;

impl Projection for Module {
    type Event = Flying;
    type Tables = Route;

    const CATEGORIES: &'static [&'static str] = &["flight"];

    fn handle(event: &Event<Flying>, rows: &mut Rows) -> Result<(), Failure> {
        let Flying::Arrived(Arrived { route }) = &event.data;
        rows.get_or_insert_with(route, || Route { route: route.clone(), arrivals: 0 }).arrivals += 1;
        Ok(())
    }
}

gnomon_sdk::export!(Module);
