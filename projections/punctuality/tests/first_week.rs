//! The first week of 2013, compared with what other programs computed from the raw tables and from the events.

use flight_events::{fingerprint, first_week, or_nothing};
use gnomon_sdk::testing::given;
use punctuality::{CarrierDaily, Punctuality, Route};

#[test]
fn both_tables_equal_those_of_other_programs() {
    let week = given::<Punctuality>(first_week()).then_all_prefetched();

    let daily = week.rows::<CarrierDaily>();
    assert_eq!(daily.len(), 102);
    let cells = daily.into_iter().map(|row| {
        let counts = [row.scheduled, row.departed, row.cancelled, row.diverted, row.arrived, row.on_time];
        let sums = [row.dep_delay, row.arr_delay];
        let numbers = counts.into_iter().chain(sums).map(|number| number.to_string());
        [row.carrier, row.day.to_string()].into_iter().chain(numbers).collect()
    });
    assert_eq!(fingerprint(cells), "1a5912eee593d8debb386bd3590e6479");

    let routes = week.rows::<Route>();
    assert_eq!(routes.len(), 186);
    let cells = routes.into_iter().map(|row| {
        let [scheduled, arrived, air_time] = [row.scheduled, row.arrived, row.air_time].map(|n| n.to_string());
        vec![row.origin, row.dest, scheduled, arrived, air_time, or_nothing(row.max_arr_delay)]
    });
    assert_eq!(fingerprint(cells), "156ba9c5d000be02306196d5b973ef10");
}
