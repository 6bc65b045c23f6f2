//! Rewrites single arrivals.

use flight_arrivals::TimesToDelay;
use gnomon_sdk::testing::{TestEvent, event, json, upcast};

/// An arrival in the first shape.
fn times(change: impl FnOnce(&mut gnomon_sdk::serde_json::Value)) -> TestEvent {
    let mut data = json!({
        "day": "2013-01-01", "carrier": "B6", "tailnum": "N708JB", "route": "JFK-BOS",
        "scheduled_arrival": "2013-01-01T12:06:00Z", "actual_arrival": "2013-01-01T12:02:00Z",
        "air_time": "1:07", "miles": 187,
    });
    change(&mut data);
    event("flight-1", "FlightArrived", data)
}

/// An arrival in the shape of version 2.
fn delay(arr_delay: i64, tailnum: Option<&str>) -> TestEvent {
    let data = json!({
        "day": "2013-01-01", "carrier": "B6", "tailnum": tailnum, "origin": "JFK", "dest": "BOS",
        "arr_delay": arr_delay, "air_time": 67, "distance": 187,
    });
    event("flight-1", "FlightArrived", data)
}

#[test]
fn times_become_a_delay() {
    upcast::<TimesToDelay>(times(|_| ())).becomes([delay(-4, Some("N708JB")).schema_version(2)]);
    upcast::<TimesToDelay>(times(|data| data["actual_arrival"] = json!("2013-01-02T00:07:00Z"))).becomes([delay(
        721,
        Some("N708JB"),
    )
    .schema_version(2)]);
    upcast::<TimesToDelay>(times(|data| data["tailnum"] = json!(null))).becomes([delay(-4, None).schema_version(2)]);
}

#[test]
fn the_shape_of_version_2_at_version_1_is_kept() {
    upcast::<TimesToDelay>(delay(15, Some("N708JB"))).becomes([delay(15, Some("N708JB")).schema_version(2)]);
}

#[test]
fn metadata_stays_as_it_is() {
    let by = json!({ "user": "ann" });
    upcast::<TimesToDelay>(delay(15, None).metadata(&by)).becomes([delay(15, None).schema_version(2).metadata(&by)]);
}

#[test]
fn other_events_are_not_touched() {
    upcast::<TimesToDelay>(delay(15, None).schema_version(2)).becomes([delay(15, None).schema_version(2)]);
    let departed = || event("flight-1", "FlightDeparted", json!({ "dep_delay": 2 }));
    upcast::<TimesToDelay>(departed()).becomes([departed()]);
}

#[test]
fn data_that_is_not_an_arrival_is_refused() {
    upcast::<TimesToDelay>(event("flight-1", "FlightArrived", json!({ "day": "2013-01-01" }))).fails(
        "FlightArrived version 1: its data does not fit ArrivalV1: an arrival has `scheduled_arrival` and \
         `actual_arrival`, or `arr_delay`",
    );
    upcast::<TimesToDelay>(times(|data| data["route"] = json!("JFK"))).fails("its route `JFK` is not two airports");
    upcast::<TimesToDelay>(times(|data| data["air_time"] = json!("67")))
        .fails("its air time `67` is not hours and minutes");
}

#[test]
fn what_no_event_has_is_not_guessed() {
    for route in ["JFK-BOS-LAX", "JFK-", "-", "jfk-bos", "JFK-BOST", "JFK - BOS", "JFK–BOS"] {
        upcast::<TimesToDelay>(times(|data| data["route"] = json!(route)))
            .fails(&format!("its route `{route}` is not two airports"));
    }
    for air_time in ["1:7", "1:60", "1:007", "-1:07", "+1:07", "1:+7", " 1:07", "1:07:30", ":07", "1:", "100:07", "1.5"]
    {
        upcast::<TimesToDelay>(times(|data| data["air_time"] = json!(air_time)))
            .fails(&format!("its air time `{air_time}` is not hours and minutes"));
    }
    upcast::<TimesToDelay>(times(|data| data["actual_arrival"] = json!("2013-01-01T12:06:59Z")))
        .fails("its delay of 59 seconds is not whole minutes");
    // Which of the two would be right?
    upcast::<TimesToDelay>(times(|data| data["arr_delay"] = json!(15))).fails("does not fit ArrivalV1");
}
