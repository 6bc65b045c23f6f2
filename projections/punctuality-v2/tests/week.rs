//! Compares both versions on the week of flights.

use flight_events::first_week;
use gnomon_sdk::testing::given;

#[test]
fn only_the_rule_for_being_on_time_has_changed() {
    let old = given::<punctuality::Punctuality>(first_week()).then_all_prefetched();
    let new = given::<punctuality_v2::PunctualityV2>(first_week()).then_all_prefetched();
    let old = old.rows::<punctuality::CarrierDaily>();
    let new = new.rows::<punctuality_v2::CarrierDaily>();
    assert_eq!(old.len(), new.len());
    for (old, new) in old.iter().zip(&new) {
        assert_eq!(
            (&old.carrier, old.day, old.arrived, old.arr_delay),
            (&new.carrier, new.day, new.arrived, new.arr_delay)
        );
        assert!(new.on_time <= old.on_time && new.on_time + new.very_late <= new.arrived);
    }
    assert!(new.iter().map(|row| row.on_time).sum::<i64>() < old.iter().map(|row| row.on_time).sum::<i64>());
    assert!(new.iter().any(|row| row.very_late > 0));
}
