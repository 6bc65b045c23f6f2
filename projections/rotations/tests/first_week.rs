//! The first week of 2013, compared with what other programs computed from the raw tables and from the events.

use std::collections::BTreeSet;

use flight_events::{fingerprint, first_week, or_nothing};
use gnomon_sdk::{prelude::TextEnum, testing::given};
use rotations::{Aircraft, Flight, Rotations};

#[test]
fn both_tables_equal_those_of_other_programs() {
    let week = given::<Rotations>(first_week()).then_all_prefetched();

    let flights = week.rows::<Flight>();
    assert_eq!(flights.len(), 6_099);
    let flown_by: BTreeSet<String> = flights.iter().filter_map(|flight| flight.tailnum.clone()).collect();
    let cells = flights.into_iter().map(|row| {
        let state = row.last_state.as_text().to_owned();
        vec![row.flight, state, or_nothing(row.dep_delay), or_nothing(row.arr_delay)]
    });
    assert_eq!(fingerprint(cells), "ece2194ba053e4350de1abf836289108");

    // Each aircraft has flights, and each flight that has an aircraft finds it.
    let aircraft = week.rows::<Aircraft>();
    assert_eq!(aircraft.len(), 2_048);
    assert_eq!(aircraft.into_iter().map(|row| row.tailnum).collect::<BTreeSet<_>>(), flown_by);
}
