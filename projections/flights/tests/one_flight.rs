//! The states of a flight.

use flights::{FlightState, Flights, State};
use gnomon_sdk::testing::{TestEvent, event, given, json};

fn scheduled() -> TestEvent {
    event("flight-20130101-UA1545-EWR", "FlightScheduled", json!({}))
}

fn departed() -> TestEvent {
    event("flight-20130101-UA1545-EWR", "FlightDeparted", json!({ "dep_delay": 2 }))
}

fn flight(last_state: State, dep_delay: Option<i64>, arr_delay: Option<i64>) -> FlightState {
    FlightState { flight: "20130101-UA1545-EWR".into(), last_state, dep_delay, arr_delay }
}

#[test]
fn it_is_announced_departs_and_arrives() {
    let announced = given::<Flights>([]).when([scheduled()]).then_rows([flight(State::Scheduled, None, None)]);
    let in_the_air = announced.when([departed()]).then_rows([flight(State::Departed, Some(2), None)]);
    let arrived = event("flight-20130101-UA1545-EWR", "FlightArrived", json!({ "arr_delay": -4 }));
    in_the_air.when([arrived]).then_rows([flight(State::Arrived, Some(2), Some(-4))]);
}

#[test]
fn it_is_cancelled() {
    given::<Flights>([scheduled()])
        .when([event("flight-20130101-UA1545-EWR", "FlightCancelled", json!({}))])
        .then_rows([flight(State::Cancelled, None, None)]);
}

#[test]
fn it_lands_elsewhere() {
    given::<Flights>([scheduled(), departed()])
        .when([event("flight-20130101-UA1545-EWR", "FlightDiverted", json!({}))])
        .then_rows([flight(State::Diverted, Some(2), None)]);
}
