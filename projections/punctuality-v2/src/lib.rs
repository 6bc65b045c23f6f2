//! The next version of `punctuality`: a flight is on time only if it is not late at all, and very late flights are counted. The
//! rest is unchanged.

use gnomon_sdk::prelude::*;
use serde::Deserialize;

/// A flight that arrives so many minutes late is still on time: the passengers' measure.
const ON_TIME_MINUTES: i64 = 0;
/// One that arrives later than this is very late.
const VERY_LATE_MINUTES: i64 = 60;

/// What happens to a flight. The stream is `flight-…`.
#[derive(Events)]
pub enum FlightEvent {
    /// It is announced.
    #[event("FlightScheduled")]
    Scheduled(Flight),
    /// It leaves the gate.
    #[event("FlightDeparted")]
    Departed(Departure),
    /// It reaches the gate that it was announced for.
    #[event("FlightArrived")]
    Arrived(Arrival),
    /// It does not take place.
    #[event("FlightCancelled")]
    Cancelled(Flight),
    /// It lands elsewhere.
    #[event("FlightDiverted")]
    Diverted(Flight),
}

/// The data that these events have in common.
#[derive(Deserialize)]
pub struct Flight {
    day: Date,
    carrier: String,
    origin: String,
    dest: String,
}

/// A departure.
#[derive(Deserialize)]
pub struct Departure {
    day: Date,
    carrier: String,
    dep_delay: i64,
}

/// An arrival.
#[derive(Deserialize)]
pub struct Arrival {
    day: Date,
    carrier: String,
    origin: String,
    dest: String,
    arr_delay: i64,
    air_time: i64,
}

/// Totals of a carrier's flights of a day.
#[derive(Table)]
#[table("carrier_daily")]
pub struct CarrierDaily {
    /// The carrier's IATA code.
    #[key]
    pub carrier: String,
    /// The day of the scheduled departure, local time.
    #[key]
    pub day: Date,
    /// Flights announced.
    pub scheduled: i64,
    /// Flights that left.
    pub departed: i64,
    /// Flights that did not take place.
    pub cancelled: i64,
    /// Flights that landed elsewhere.
    pub diverted: i64,
    /// Flights that arrived.
    pub arrived: i64,
    /// Flights that did not arrive late.
    pub on_time: i64,
    /// Minutes by which flights left late, less those by which they left early.
    pub dep_delay: i64,
    /// Minutes by which flights arrived late, less those by which they arrived early.
    pub arr_delay: i64,
    /// Flights that arrived more than an hour late.
    pub very_late: i64,
}

/// Totals of the flights between two airports.
#[derive(Table)]
#[table("route")]
pub struct Route {
    /// The airport of departure.
    #[key]
    pub origin: String,
    /// The airport of arrival.
    #[key]
    pub dest: String,
    /// Flights announced.
    pub scheduled: i64,
    /// Flights that arrived.
    pub arrived: i64,
    /// Minutes in the air.
    pub air_time: i64,
    /// The latest arrival, in minutes; null before the first.
    pub max_arr_delay: Option<i64>,
}

/// Keeps both tables.
pub struct PunctualityV2;

impl Projection for PunctualityV2 {
    type Event = FlightEvent;
    type Tables = (CarrierDaily, Route);

    const CATEGORIES: &'static [&'static str] = &["flight"];

    fn handle(event: &Event<FlightEvent>, rows: &mut Rows) -> Result<(), Failure> {
        match &event.data {
            FlightEvent::Scheduled(flight) => {
                daily(rows, &flight.carrier, flight.day).scheduled += 1;
                route(rows, &flight.origin, &flight.dest).scheduled += 1;
            }
            FlightEvent::Departed(departure) => {
                let daily = daily(rows, &departure.carrier, departure.day);
                daily.departed += 1;
                daily.dep_delay += departure.dep_delay;
            }
            FlightEvent::Arrived(arrival) => {
                let daily = daily(rows, &arrival.carrier, arrival.day);
                daily.arrived += 1;
                daily.on_time += i64::from(arrival.arr_delay <= ON_TIME_MINUTES);
                daily.arr_delay += arrival.arr_delay;
                daily.very_late += i64::from(arrival.arr_delay > VERY_LATE_MINUTES);
                let route = route(rows, &arrival.origin, &arrival.dest);
                route.arrived += 1;
                route.air_time += arrival.air_time;
                route.max_arr_delay = route.max_arr_delay.max(Some(arrival.arr_delay));
            }
            FlightEvent::Cancelled(flight) => daily(rows, &flight.carrier, flight.day).cancelled += 1,
            FlightEvent::Diverted(flight) => daily(rows, &flight.carrier, flight.day).diverted += 1,
        }
        Ok(())
    }

    fn prefetch(event: &Event<FlightEvent>, prefetch: &mut Prefetch) {
        match &event.data {
            FlightEvent::Scheduled(flight) => {
                prefetch.want::<CarrierDaily>((&flight.carrier, flight.day));
                prefetch.want::<Route>((&flight.origin, &flight.dest));
            }
            FlightEvent::Departed(departure) => prefetch.want::<CarrierDaily>((&departure.carrier, departure.day)),
            FlightEvent::Arrived(arrival) => {
                prefetch.want::<CarrierDaily>((&arrival.carrier, arrival.day));
                prefetch.want::<Route>((&arrival.origin, &arrival.dest));
            }
            FlightEvent::Cancelled(flight) | FlightEvent::Diverted(flight) => {
                prefetch.want::<CarrierDaily>((&flight.carrier, flight.day));
            }
        }
    }
}

fn daily<'r>(rows: &'r mut Rows, carrier: &str, day: Date) -> &'r mut CarrierDaily {
    rows.get_or_insert_with((carrier, day), || CarrierDaily {
        carrier: carrier.to_owned(),
        day,
        scheduled: 0,
        departed: 0,
        cancelled: 0,
        diverted: 0,
        arrived: 0,
        on_time: 0,
        dep_delay: 0,
        arr_delay: 0,
        very_late: 0,
    })
}

fn route<'r>(rows: &'r mut Rows, origin: &str, dest: &str) -> &'r mut Route {
    rows.get_or_insert_with((origin, dest), || Route {
        origin: origin.to_owned(),
        dest: dest.to_owned(),
        scheduled: 0,
        arrived: 0,
        air_time: 0,
        max_arr_delay: None,
    })
}

gnomon_sdk::export!(PunctualityV2);
