//! The state of an aircraft.

use fleet::{Aircraft, Fleet, State};
use gnomon_sdk::testing::{TestEvent, event, given, json};

fn departed(tailnum: Option<&str>) -> TestEvent {
    event("flight-1", "FlightDeparted", json!({ "tailnum": tailnum, "origin": "EWR" })).at("2013-01-01T10:17:00Z")
}

fn arrived(flight: &str) -> TestEvent {
    let data = json!({ "tailnum": "N14228", "dest": "IAH", "air_time": 227, "distance": 1400 });
    event(flight, "FlightArrived", data).at("2013-01-01T14:30:00Z")
}

fn aircraft(last_state: State, airport: Option<&str>, last_seen: &str) -> Aircraft {
    Aircraft {
        tailnum: "N14228".into(),
        arrived: 0,
        air_time: 0,
        distance: 0,
        last_state,
        airport: airport.map(str::to_owned),
        // A text that is not an instant becomes 1970, which equals no row.
        last_seen: last_seen.parse().unwrap_or_default(),
    }
}

#[test]
fn it_leaves_from_the_origin() {
    given::<Fleet>([]).when([departed(Some("N14228"))]).then_rows([aircraft(
        State::Departed,
        Some("EWR"),
        "2013-01-01T10:17:00Z",
    )]);
}

#[test]
fn its_flights_add_up_over_streams() {
    given::<Fleet>([departed(Some("N14228"))]).when([arrived("flight-1"), arrived("flight-2")]).then_rows([Aircraft {
        arrived: 2,
        air_time: 454,
        distance: 2_800,
        ..aircraft(State::Arrived, Some("IAH"), "2013-01-01T14:30:00Z")
    }]);
}

#[test]
fn a_diverted_aircraft_has_no_airport() {
    given::<Fleet>([departed(Some("N14228"))])
        .when([event("flight-1", "FlightDiverted", json!({ "tailnum": "N14228" })).at("2013-01-01T11:17:00Z")])
        .then_rows([aircraft(State::Diverted, None, "2013-01-01T11:17:00Z")]);
}

#[test]
fn it_stays_where_its_cancelled_flight_would_have_left() {
    given::<Fleet>([])
        .when([event("flight-1", "FlightCancelled", json!({ "tailnum": "N14228", "origin": "EWR" }))
            .at("2013-01-01T11:00:00Z")])
        .then_rows([aircraft(State::Cancelled, Some("EWR"), "2013-01-01T11:00:00Z")]);
}

#[test]
fn a_flight_without_an_aircraft_is_ignored() {
    given::<Fleet>([]).when([departed(None)]).then_no_rows::<Aircraft>();
}
