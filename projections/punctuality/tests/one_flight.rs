//! The effects of single events.

use gnomon_sdk::{
    prelude::Date,
    testing::{TestEvent, event, given, json},
};
use punctuality::{CarrierDaily, Punctuality, Route};

const DAY: Date = Date::from_ymd_opt(2013, 1, 1).unwrap();

fn flight(event_type: &str) -> TestEvent {
    let data = json!({ "day": DAY, "carrier": "UA", "origin": "EWR", "dest": "IAH" });
    event("flight-1", event_type, data)
}

fn departed(dep_delay: i64) -> TestEvent {
    let data = json!({ "day": DAY, "carrier": "UA", "origin": "EWR", "dest": "IAH", "dep_delay": dep_delay });
    event("flight-1", "FlightDeparted", data)
}

fn arrived(arr_delay: i64) -> TestEvent {
    let data = json!({
        "day": DAY, "carrier": "UA", "origin": "EWR", "dest": "IAH", "arr_delay": arr_delay, "air_time": 200,
    });
    event("flight-1", "FlightArrived", data)
}

fn daily() -> CarrierDaily {
    CarrierDaily {
        carrier: "UA".into(),
        day: DAY,
        scheduled: 0,
        departed: 0,
        cancelled: 0,
        diverted: 0,
        arrived: 0,
        on_time: 0,
        dep_delay: 0,
        arr_delay: 0,
    }
}

fn route() -> Route {
    Route { origin: "EWR".into(), dest: "IAH".into(), scheduled: 0, arrived: 0, air_time: 0, max_arr_delay: None }
}

#[test]
fn fifteen_minutes_late_is_on_time_and_sixteen_is_not() {
    given::<Punctuality>([])
        .when([arrived(15), arrived(16)])
        .then_rows([CarrierDaily { arrived: 2, on_time: 1, arr_delay: 31, ..daily() }])
        .then_rows([Route { arrived: 2, air_time: 400, max_arr_delay: Some(16), ..route() }]);
}

#[test]
fn the_latest_arrival_may_be_early() {
    given::<Punctuality>([]).when([arrived(-9), arrived(-4), arrived(-7)]).then_rows([Route {
        arrived: 3,
        air_time: 600,
        max_arr_delay: Some(-4),
        ..route()
    }]);
}

#[test]
fn a_cancelled_flight_counts_on_its_day_and_was_scheduled_on_its_route() {
    given::<Punctuality>([flight("FlightScheduled")])
        .when([flight("FlightCancelled")])
        .then_rows([CarrierDaily { scheduled: 1, cancelled: 1, ..daily() }])
        .then_rows([Route { scheduled: 1, ..route() }]);
}

#[test]
fn a_diverted_flight_departed_but_did_not_arrive() {
    given::<Punctuality>([flight("FlightScheduled"), departed(-3)])
        .when([flight("FlightDiverted")])
        .then_rows([CarrierDaily { scheduled: 1, departed: 1, diverted: 1, dep_delay: -3, ..daily() }])
        .then_rows([Route { scheduled: 1, ..route() }]);
}
