//! The first week of 2013, compared with what other programs computed from the raw tables and from the events.

use fleet::{Aircraft, Fleet};
use flight_events::{fingerprint, first_week, or_nothing};
use gnomon_sdk::{prelude::TextEnum, testing::given};

#[test]
fn the_table_equals_that_of_other_programs() {
    let aircraft = given::<Fleet>(first_week()).then_all_prefetched().rows::<Aircraft>();
    assert_eq!(aircraft.len(), 2_048);
    let cells = aircraft.into_iter().map(|row| {
        let [arrived, air_time, distance] = [row.arrived, row.air_time, row.distance].map(|n| n.to_string());
        let state = row.last_state.as_text().to_owned();
        let last_seen = row.last_seen.format("%FT%TZ").to_string();
        vec![row.tailnum, arrived, air_time, distance, state, or_nothing(row.airport), last_seen]
    });
    assert_eq!(fingerprint(cells), "6cc28d6a2e6c755d11231324208b32d7");
}
