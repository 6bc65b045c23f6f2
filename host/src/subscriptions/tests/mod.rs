//! Reading the log, on a real Postgres.

mod feed;

use crate::event_log::{
    Line,
    tests::{TestLog, event, stream},
};

/// Events of the log.
pub(super) const EVENTS: u64 = 30_000;

/// The type of the event at a position: each second has the first, each fourth the second, and one of a thousand is rare.
pub(super) fn type_at(position: u64) -> &'static str {
    match position {
        rare if rare.is_multiple_of(1000) => "Rare",
        even if even.is_multiple_of(2) => "Even",
        other if other % 4 == 1 => "Fourth",
        _ => "Other",
    }
}

pub(super) fn category_at(position: u64) -> &'static str {
    if position.is_multiple_of(3) { "a" } else { "b" }
}

pub(super) fn line(position: u64) -> Line {
    (stream(&format!("{}-{}", category_at(position), position % 7)), event(type_at(position)))
}

/// A log whose events are functions of their positions.
pub(super) async fn log() -> TestLog {
    let test = TestLog::open().await;
    test.log.import((1..=EVENTS).map(line).collect(), 1).await.unwrap();
    test
}
