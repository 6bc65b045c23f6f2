//! What each aircraft did, and where it was last.

use gnomon_sdk::prelude::*;
use serde::Deserialize;

/// What happens to a flight. The stream is `flight-…`, and its events name the aircraft, so a row depends on the events of many
/// streams.
#[derive(Events)]
pub enum FlightEvent {
    /// It leaves the gate.
    #[event("FlightDeparted")]
    Departed(Flight),
    /// It reaches the gate that it was announced for.
    #[event("FlightArrived")]
    Arrived(Arrival),
    /// It does not take place.
    #[event("FlightCancelled")]
    Cancelled(Flight),
    /// It lands elsewhere.
    #[event("FlightDiverted")]
    Diverted(Diversion),
}

/// A flight that leaves, or should have left.
#[derive(Deserialize)]
pub struct Flight {
    tailnum: Option<String>,
    origin: String,
}

/// An arrival.
#[derive(Deserialize)]
pub struct Arrival {
    tailnum: Option<String>,
    dest: String,
    air_time: i64,
    distance: i64,
}

/// A landing elsewhere. The event does not say where.
#[derive(Deserialize)]
pub struct Diversion {
    tailnum: Option<String>,
}

/// An aircraft as it is now.
#[derive(Table)]
#[table("aircraft")]
pub struct Aircraft {
    /// Its registration.
    #[key]
    pub tailnum: String,
    /// Flights that arrived.
    pub arrived: i64,
    /// Minutes in the air, on those.
    pub air_time: i64,
    /// Miles flown, on those.
    pub distance: i64,
    /// What happened last.
    pub last_state: State,
    /// Where that was, if it is known.
    pub airport: Option<String>,
    /// When that was.
    pub last_seen: Timestamp,
}

/// What can happen to an aircraft's flight.
#[derive(TextEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
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

/// Keeps the table of aircraft.
pub struct Fleet;

impl Projection for Fleet {
    type Event = FlightEvent;
    type Tables = Aircraft;

    const CATEGORIES: &'static [&'static str] = &["flight"];

    fn handle(event: &Event<FlightEvent>, rows: &mut Rows) -> Result<(), Failure> {
        let Some(tailnum) = event.data.tailnum() else { return Ok(()) };
        let (state, airport) = match &event.data {
            FlightEvent::Departed(flight) => (State::Departed, Some(&flight.origin)),
            FlightEvent::Arrived(arrival) => (State::Arrived, Some(&arrival.dest)),
            FlightEvent::Cancelled(flight) => (State::Cancelled, Some(&flight.origin)),
            FlightEvent::Diverted(_) => (State::Diverted, None),
        };
        let aircraft = rows.get_or_insert_with(tailnum, || Aircraft {
            tailnum: tailnum.to_owned(),
            arrived: 0,
            air_time: 0,
            distance: 0,
            last_state: state,
            airport: None,
            last_seen: event.time,
        });
        aircraft.last_state = state;
        aircraft.airport = airport.cloned();
        aircraft.last_seen = event.time;
        if let FlightEvent::Arrived(arrival) = &event.data {
            aircraft.arrived += 1;
            aircraft.air_time += arrival.air_time;
            aircraft.distance += arrival.distance;
        }
        Ok(())
    }

    fn prefetch(event: &Event<FlightEvent>, prefetch: &mut Prefetch) {
        if let Some(tailnum) = event.data.tailnum() {
            prefetch.want::<Aircraft>(tailnum);
        }
    }
}

impl FlightEvent {
    /// The aircraft, if it is assigned already.
    fn tailnum(&self) -> Option<&str> {
        match self {
            Self::Departed(Flight { tailnum, .. })
            | Self::Arrived(Arrival { tailnum, .. })
            | Self::Cancelled(Flight { tailnum, .. })
            | Self::Diverted(Diversion { tailnum }) => tailnum.as_deref(),
        }
    }
}

gnomon_sdk::export!(Fleet);
