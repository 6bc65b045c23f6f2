//! The state of each flight.

use gnomon_sdk::prelude::*;
use serde::Deserialize;

/// What happens to a flight. The stream is `flight-…`.
#[derive(Events)]
pub enum FlightEvent {
    /// It is announced.
    #[event("FlightScheduled")]
    Scheduled,
    /// It leaves the gate.
    #[event("FlightDeparted")]
    Departed(Departure),
    /// It reaches the gate that it was announced for.
    #[event("FlightArrived")]
    Arrived(Arrival),
    /// It does not take place.
    #[event("FlightCancelled")]
    Cancelled,
    /// It lands elsewhere.
    #[event("FlightDiverted")]
    Diverted,
}

/// A departure.
#[derive(Deserialize)]
pub struct Departure {
    dep_delay: i64,
}

/// An arrival.
#[derive(Deserialize)]
pub struct Arrival {
    arr_delay: i64,
}

/// A flight as it is now.
#[derive(Table)]
#[table("flight_state")]
pub struct FlightState {
    /// The stream without `flight-`: day, carrier and number, airport.
    #[key]
    pub flight: String,
    /// The last thing that happened to it.
    pub last_state: State,
    /// Minutes by which it left late.
    pub dep_delay: Option<i64>,
    /// Minutes by which it arrived late.
    pub arr_delay: Option<i64>,
}

/// What can happen to a flight.
#[derive(TextEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was announced.
    #[text("scheduled")]
    Scheduled,
    /// It is in the air.
    #[text("departed")]
    Departed,
    /// It has arrived.
    #[text("arrived")]
    Arrived,
    /// It did not take place.
    #[text("cancelled")]
    Cancelled,
    /// It landed elsewhere.
    #[text("diverted")]
    Diverted,
}

/// Keeps the table of flights.
pub struct Flights;

impl Projection for Flights {
    type Event = FlightEvent;
    type Tables = FlightState;

    const CATEGORIES: &'static [&'static str] = &["flight"];
    const PARTITIONED_BY: Option<Partition> = Some(Partition::Stream);

    fn handle(event: &Event<FlightEvent>, rows: &mut Rows) -> Result<(), Failure> {
        let flight = rows.get_or_insert_with(event.stream_id(), || FlightState {
            flight: event.stream_id().to_owned(),
            last_state: State::Scheduled,
            dep_delay: None,
            arr_delay: None,
        });
        match &event.data {
            FlightEvent::Scheduled => flight.last_state = State::Scheduled,
            FlightEvent::Departed(departure) => {
                flight.last_state = State::Departed;
                flight.dep_delay = Some(departure.dep_delay);
            }
            FlightEvent::Arrived(arrival) => {
                flight.last_state = State::Arrived;
                flight.arr_delay = Some(arrival.arr_delay);
            }
            FlightEvent::Cancelled => flight.last_state = State::Cancelled,
            FlightEvent::Diverted => flight.last_state = State::Diverted,
        }
        Ok(())
    }

    fn prefetch(event: &Event<FlightEvent>, prefetch: &mut Prefetch) {
        prefetch.want::<FlightState>(event.stream_id());
    }
}

gnomon_sdk::export!(Flights);
