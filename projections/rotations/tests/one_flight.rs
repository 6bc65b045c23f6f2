//! The effects of single events.

use gnomon_sdk::{
    prelude::Timestamp,
    testing::{TestEvent, event, given, json},
};
use rotations::{Aircraft, Flight, Rotations, State};

/// 2013-01-01T10:15:00Z
const DEPARTURE: Timestamp = Timestamp::from_timestamp_secs(1_357_035_300).unwrap();

fn scheduled(tailnum: Option<&str>) -> TestEvent {
    let data = json!({
        "carrier": "UA", "tailnum": tailnum, "origin": "EWR", "dest": "IAH", "scheduled_departure": DEPARTURE,
    });
    event("flight-1", "FlightScheduled", data)
}

fn departed(tailnum: &str) -> TestEvent {
    event("flight-1", "FlightDeparted", json!({ "carrier": "UA", "tailnum": tailnum, "dep_delay": 2 }))
}

fn arrived(tailnum: &str) -> TestEvent {
    let data = json!({ "carrier": "UA", "tailnum": tailnum, "arr_delay": -9, "air_time": 200 });
    event("flight-1", "FlightArrived", data)
}

fn ended(event_type: &str, tailnum: Option<&str>) -> TestEvent {
    event("flight-1", event_type, json!({ "carrier": "UA", "tailnum": tailnum }))
}

fn flight(tailnum: Option<&str>) -> Flight {
    Flight {
        flight: "1".into(),
        tailnum: tailnum.map(str::to_owned),
        origin: "EWR".into(),
        dest: "IAH".into(),
        scheduled_departure: DEPARTURE,
        last_state: State::Scheduled,
        dep_delay: None,
        arr_delay: None,
    }
}

fn aircraft(tailnum: &str) -> Aircraft {
    Aircraft { tailnum: tailnum.into(), carrier: "UA".into(), departed: 0, arrived: 0, air_time: 0 }
}

#[test]
fn an_aircraft_flies_a_flight() {
    given::<Rotations>([scheduled(Some("N1"))])
        .when([departed("N1"), arrived("N1")])
        .then_rows([Aircraft { departed: 1, arrived: 1, air_time: 200, ..aircraft("N1") }])
        .then_rows([Flight {
            last_state: State::Arrived,
            dep_delay: Some(2),
            arr_delay: Some(-9),
            ..flight(Some("N1"))
        }])
        .then_all_prefetched();
}

#[test]
fn a_flight_without_an_aircraft_references_none() {
    given::<Rotations>([scheduled(None)])
        .when([ended("FlightCancelled", None)])
        .then_no_rows::<Aircraft>()
        .then_rows([Flight { last_state: State::Cancelled, ..flight(None) }]);
}

#[test]
fn an_aircraft_that_is_announced_has_a_row() {
    given::<Rotations>([])
        .when([scheduled(Some("N1")), ended("FlightCancelled", Some("N1"))])
        .then_rows([aircraft("N1")])
        .then_rows([Flight { last_state: State::Cancelled, ..flight(Some("N1")) }]);
}

#[test]
fn another_aircraft_may_take_the_flight() {
    given::<Rotations>([scheduled(Some("N1"))])
        .when([departed("N2")])
        .then_rows([aircraft("N1"), Aircraft { departed: 1, ..aircraft("N2") }])
        .then_rows([Flight { last_state: State::Departed, dep_delay: Some(2), ..flight(Some("N2")) }]);
}

#[test]
fn a_diverted_flight_departed_but_did_not_arrive() {
    given::<Rotations>([scheduled(Some("N1")), departed("N1")])
        .when([ended("FlightDiverted", Some("N1"))])
        .then_rows([Aircraft { departed: 1, ..aircraft("N1") }])
        .then_rows([Flight { last_state: State::Diverted, dep_delay: Some(2), ..flight(Some("N1")) }]);
}

#[test]
fn only_what_was_announced_departs() {
    given::<Rotations>([]).when([departed("N1")]).then_fails(1, "flight 1 was never announced");
}
