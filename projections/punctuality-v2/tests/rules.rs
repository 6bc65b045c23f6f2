//! The limits of the rules of this version.

use gnomon_sdk::{
    prelude::Date,
    testing::{TestEvent, event, given, json},
};
use punctuality_v2::{CarrierDaily, PunctualityV2};

const DAY: Date = Date::from_ymd_opt(2013, 1, 1).unwrap();

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
        very_late: 0,
    }
}

#[test]
fn a_minute_late_is_not_on_time() {
    given::<PunctualityV2>([]).when([arrived(0), arrived(1)]).then_rows([CarrierDaily {
        arrived: 2,
        on_time: 1,
        arr_delay: 1,
        ..daily()
    }]);
}

#[test]
fn an_hour_late_is_not_very_late_and_a_minute_more_is() {
    given::<PunctualityV2>([]).when([arrived(60), arrived(61)]).then_rows([CarrierDaily {
        arrived: 2,
        arr_delay: 121,
        very_late: 1,
        ..daily()
    }]);
}
