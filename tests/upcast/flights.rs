//! The upcaster of the sample flights, on the shipped week of events.

use std::io::Read;

use gnomon::{
    event_log::{Position, SchemaVersion, StreamVersion},
    runtime::{Delivery, RuntimeLimits, UpcasterChain},
};
use gnomon_values::Instant;
use serde_json::{Value, json};

use test_support::component;

use crate::load_upcaster;

/// The shipped week as the log delivers it.
fn week() -> Vec<Delivery> {
    let packed = &include_bytes!("../../projections/flight-events/data/flights-2013-week1.jsonl.gz")[..];
    let mut lines = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut lines).unwrap();
    let delivery = |(position, line): (u64, &str)| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| line[field].as_str().unwrap().to_owned();
        Delivery {
            position: Position(position),
            part: 0,
            stream: text("stream").into(),
            version: StreamVersion(1),
            id: uuid::Uuid::from_u128(position.into()),
            event_type: text("type").into(),
            schema_version: SchemaVersion::try_from(line["schema_version"].as_u64().unwrap_or(1) as u32).unwrap(),
            data: line["data"].to_string().into(),
            metadata: None,
            time: Instant::parse(&text("time")).unwrap(),
            recorded_at: Instant(0),
            tags: vec![format!("flight:{position}").into()],
        }
    };
    (1..).zip(lines.lines()).map(delivery).collect()
}

fn chain() -> UpcasterChain {
    let limits = RuntimeLimits::default();
    UpcasterChain::new([load_upcaster("flight_arrivals", &component("flight-arrivals"), limits)], &limits).unwrap()
}

#[test]
fn every_arrival_is_rewritten_to_schema_version_2() {
    let before = week();
    let mut events = before.clone();
    chain().upcast(&mut events).unwrap();
    assert_eq!(events.len(), before.len());
    let mut rewritten = 0;
    for (event, original) in events.iter().zip(&before) {
        if original.event_type != "FlightArrived" || original.schema_version.get() == 2 {
            assert_eq!(event, original);
            continue;
        }
        rewritten += 1;
        let (data, old): (Value, Value) =
            (serde_json::from_str(&event.data).unwrap(), serde_json::from_str(&original.data).unwrap());
        let minutes = (data["air_time"].as_i64().unwrap() / 60, data["air_time"].as_i64().unwrap() % 60);
        assert_eq!(json!(format!("{}:{:02}", minutes.0, minutes.1)), old["air_time"]);
        assert_eq!((&data["distance"], &data["carrier"]), (&old["miles"], &old["carrier"]));
        let kept = Delivery { data: event.data.clone(), schema_version: event.schema_version, ..original.clone() };
        assert_eq!((event, event.schema_version.get()), (&kept, 2));
    }
    assert_eq!(rewritten, 2_318);
}

#[test]
fn arrivals_with_the_data_of_version_2_at_version_1_keep_it() {
    let today = week().into_iter().filter(|event| event.schema_version.get() == 2);
    let mut events: Vec<Delivery> =
        today.map(|event| Delivery { schema_version: SchemaVersion::FIRST, ..event }).collect();
    let before = events.clone();
    chain().upcast(&mut events).unwrap();
    for (event, original) in events.iter().zip(&before) {
        let [found, expected] = [event, original].map(|event| serde_json::from_str::<Value>(&event.data).unwrap());
        assert_eq!((found, event.schema_version.get()), (expected, 2));
    }
}

#[test]
fn an_event_that_is_not_an_arrival_is_named_by_its_position() {
    let mut events = week();
    let mut arrivals = events.iter_mut().filter(|event| event.event_type == "FlightArrived");
    let broken = arrivals.nth(100).unwrap();
    broken.data = json!({ "day": "2013-01-01" }).to_string().into();
    let position = broken.position;
    let error = chain().upcast(&mut events).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "upcaster `flight_arrivals` version 7: the module could not handle the event at position {position}: \
             FlightArrived version 1: its data does not fit ArrivalV1: an arrival has `scheduled_arrival` and \
             `actual_arrival`, or `arr_delay`"
        )
    );
}
