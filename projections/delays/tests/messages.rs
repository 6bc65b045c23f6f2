//! Which flights make a message.

use delays::{Delay, Delays};
use flight_events::first_week;
use gnomon_sdk::{
    prelude::*,
    testing::{TestEvent, event, json, reactor::given},
};

fn departed(flight: &str, minutes: i64) -> TestEvent {
    event(format!("flight-{flight}"), "FlightDeparted", json!({ "dep_delay": minutes }))
}

#[test]
fn a_flight_that_leaves_more_than_two_hours_late_makes_a_message() {
    given::<Delays>([departed("20130101-UA1545-EWR", 300)])
        .when([
            departed("20130102-UA1545-EWR", 120),
            departed("20130103-UA1545-EWR", 121),
            departed("20130104-UA1545-EWR", -5),
            departed("20130105-UA1545-EWR", 853),
        ])
        .then_effects(|effects| {
            for (flight, minutes) in [("20130103-UA1545-EWR", 121), ("20130105-UA1545-EWR", 853)] {
                let delay = Delay { flight: flight.to_owned(), minutes };
                let message = Message::new("flight.late", &delay).about(format!("flight-{flight}"));
                effects.publish("passengers", message);
            }
        });
}

#[test]
fn other_events_of_flights_make_none() {
    given::<Delays>([])
        .when([
            event("flight-20130101-UA1545-EWR", "FlightArrived", json!({ "arr_delay": 300 })),
            event("train-1", "FlightDeparted", json!({ "dep_delay": 300 })),
        ])
        .then_no_effects();
}

#[test]
fn every_departure_of_a_week_can_be_read() {
    let last = departed("20130108-UA1545-EWR", 0);
    given::<Delays>(first_week()).when([last]).then_no_effects();
}
