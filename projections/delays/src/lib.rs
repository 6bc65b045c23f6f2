//! Tells the passengers of a flight that leaves more than two hours late.
//!
//! It needs no memory: each message follows from one event.

use gnomon_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// What happens to a flight. The stream is `flight-…`.
#[derive(Events)]
pub enum FlightEvent {
    /// It leaves the gate.
    #[event("FlightDeparted")]
    Departed(Departure),
}

/// A departure.
#[derive(Deserialize)]
pub struct Departure {
    dep_delay: i64,
}

/// What the passengers are told.
#[derive(Serialize)]
pub struct Delay {
    /// The stream without `flight-`: day, carrier and number, airport.
    pub flight: String,
    /// Minutes by which it left late.
    pub minutes: i64,
}

/// Delays in minutes up to which nobody is told.
const TOLERATED: i64 = 120;

/// Makes a message of each long delay.
pub struct Delays;

impl Reactor for Delays {
    type Event = FlightEvent;
    type Tables = ();

    const CATEGORIES: &'static [&'static str] = &["flight"];
    const SINKS: &'static [&'static str] = &["passengers"];

    fn react(event: &Event<FlightEvent>, _: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
        let FlightEvent::Departed(departure) = &event.data;
        if departure.dep_delay > TOLERATED {
            let delay = Delay { flight: event.stream_id().to_owned(), minutes: departure.dep_delay };
            effects.publish("passengers", Message::new("flight.late", &delay).about(event.stream.as_str()));
        }
        Ok(())
    }
}

gnomon_sdk::export_reactor!(Delays);
