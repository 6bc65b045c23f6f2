//! The aircraft that flew, and the flights of each: two tables, of which one references the other.

use gnomon_sdk::prelude::*;
use serde::Deserialize;

/// What happens to a flight. The stream is `flight-…`.
#[derive(Events)]
pub enum FlightEvent {
    /// It is announced.
    #[event("FlightScheduled")]
    Scheduled(Announcement),
    /// It leaves the gate.
    #[event("FlightDeparted")]
    Departed(Departure),
    /// It reaches the gate that it was announced for.
    #[event("FlightArrived")]
    Arrived(Arrival),
    /// It does not take place.
    #[event("FlightCancelled")]
    Cancelled(Assignment),
    /// It lands elsewhere.
    #[event("FlightDiverted")]
    Diverted(Assignment),
}

/// An announcement.
#[derive(Deserialize)]
pub struct Announcement {
    carrier: String,
    tailnum: Option<String>,
    origin: String,
    dest: String,
    scheduled_departure: Timestamp,
}

/// A departure.
#[derive(Deserialize)]
pub struct Departure {
    carrier: String,
    tailnum: Option<String>,
    dep_delay: i64,
}

/// An arrival.
#[derive(Deserialize)]
pub struct Arrival {
    carrier: String,
    tailnum: Option<String>,
    arr_delay: i64,
    air_time: i64,
}

/// Which aircraft a flight has, or would have had.
#[derive(Deserialize)]
pub struct Assignment {
    carrier: String,
    tailnum: Option<String>,
}

/// An aircraft, with totals of its flights.
#[derive(Table)]
#[table("aircraft")]
pub struct Aircraft {
    /// Its registration.
    #[key]
    pub tailnum: String,
    /// The IATA code of the carrier that announced its first flight.
    pub carrier: String,
    /// Flights that left.
    pub departed: i64,
    /// Flights that arrived where they were announced for.
    pub arrived: i64,
    /// Minutes in the air, on those.
    pub air_time: i64,
}

/// A flight as it is now.
#[derive(Table)]
#[table("flights")]
#[index("by_aircraft", columns(tailnum, scheduled_departure))]
pub struct Flight {
    /// The stream without `flight-`: day, carrier and number, airport.
    #[key]
    pub flight: String,
    /// The aircraft; null until there is one.
    #[references(Aircraft)]
    pub tailnum: Option<String>,
    /// The airport of departure.
    pub origin: String,
    /// The airport of arrival.
    pub dest: String,
    /// When it should leave.
    pub scheduled_departure: Timestamp,
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

/// Keeps both tables.
pub struct Rotations;

impl Projection for Rotations {
    type Event = FlightEvent;
    type Tables = (Aircraft, Flight);

    const CATEGORIES: &'static [&'static str] = &["flight"];

    fn handle(event: &Event<FlightEvent>, rows: &mut Rows) -> Result<(), Failure> {
        match &event.data {
            FlightEvent::Scheduled(announced) => rows.put(Flight {
                flight: event.stream_id().to_owned(),
                tailnum: announced.tailnum.clone(),
                origin: announced.origin.clone(),
                dest: announced.dest.clone(),
                scheduled_departure: announced.scheduled_departure,
                last_state: State::Scheduled,
                dep_delay: None,
                arr_delay: None,
            }),
            FlightEvent::Departed(left) => announced(rows, event, State::Departed)?.dep_delay = Some(left.dep_delay),
            FlightEvent::Arrived(arrival) => {
                announced(rows, event, State::Arrived)?.arr_delay = Some(arrival.arr_delay)
            }
            FlightEvent::Cancelled(_) => {
                announced(rows, event, State::Cancelled)?;
            }
            FlightEvent::Diverted(_) => {
                announced(rows, event, State::Diverted)?;
            }
        }
        let (carrier, Some(tailnum)) = event.data.assignment() else { return Ok(()) };
        // Whatever happened: a flight never references an aircraft that has no row.
        let aircraft = rows.get_or_insert_with(tailnum, || Aircraft {
            tailnum: tailnum.to_owned(),
            carrier: carrier.to_owned(),
            departed: 0,
            arrived: 0,
            air_time: 0,
        });
        match &event.data {
            FlightEvent::Departed(_) => aircraft.departed += 1,
            FlightEvent::Arrived(arrival) => {
                aircraft.arrived += 1;
                aircraft.air_time += arrival.air_time;
            }
            FlightEvent::Scheduled(_) | FlightEvent::Cancelled(_) | FlightEvent::Diverted(_) => {}
        }
        Ok(())
    }

    fn prefetch(event: &Event<FlightEvent>, prefetch: &mut Prefetch) {
        prefetch.want::<Flight>(event.stream_id());
        if let (_, Some(tailnum)) = event.data.assignment() {
            prefetch.want::<Aircraft>(tailnum);
        }
    }
}

impl FlightEvent {
    /// The carrier, and the aircraft if there is one already.
    fn assignment(&self) -> (&str, Option<&str>) {
        let (carrier, tailnum) = match self {
            Self::Scheduled(Announcement { carrier, tailnum, .. })
            | Self::Departed(Departure { carrier, tailnum, .. })
            | Self::Arrived(Arrival { carrier, tailnum, .. })
            | Self::Cancelled(Assignment { carrier, tailnum })
            | Self::Diverted(Assignment { carrier, tailnum }) => (carrier, tailnum),
        };
        (carrier, tailnum.as_deref())
    }
}

/// The flight that was announced, in its new state. Its aircraft may change until it has left, and each event names it.
fn announced<'r>(rows: &'r mut Rows, event: &Event<FlightEvent>, state: State) -> Result<&'r mut Flight, Failure> {
    let Some(flight) = rows.get_mut::<Flight>(event.stream_id()) else {
        fail!("flight {} was never announced", event.stream_id());
    };
    let (_, tailnum) = event.data.assignment();
    flight.tailnum = tailnum.map(str::to_owned);
    flight.last_state = state;
    Ok(flight)
}

gnomon_sdk::export!(Rotations);
