//! The first week of 2013, compared with what other programs computed from the raw tables and from the events.

use flight_events::{fingerprint, first_week, or_nothing};
use flights::{FlightState, Flights};
use gnomon_sdk::{prelude::TextEnum, testing::given};

#[test]
fn the_table_equals_that_of_other_programs() {
    let flights = given::<Flights>(first_week()).then_all_prefetched().rows::<FlightState>();
    assert_eq!(flights.len(), 6_099);
    let cells = flights.into_iter().map(|row| {
        let state = row.last_state.as_text().to_owned();
        vec![row.flight, state, or_nothing(row.dep_delay), or_nothing(row.arr_delay)]
    });
    assert_eq!(fingerprint(cells), "ece2194ba053e4350de1abf836289108");
}
