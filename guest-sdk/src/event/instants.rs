//! The instants of events as chrono has them.

use std::cell::Cell;

use gnomon_values::Instant;

use crate::Timestamp;

/// The last instant that was converted. Events that were appended together have the same, and to convert one costs as much as to find a row.
struct Last(Cell<(i64, Timestamp)>);

thread_local! {
    static TIME: Last = const { Last::new() };
    static RECORDED_AT: Last = const { Last::new() };
}

impl Last {
    const fn new() -> Self {
        Self(Cell::new((0, Timestamp::UNIX_EPOCH)))
    }

    #[inline]
    fn convert(&self, micros: i64) -> Timestamp {
        let (last, converted) = self.0.get();
        if micros == last {
            return converted;
        }
        let converted = Instant(micros).to_utc();
        self.0.set((micros, converted));
        converted
    }
}

/// When an event happened and when it was appended, both in microseconds since 1970.
#[inline]
pub(super) fn converted(time: i64, recorded_at: i64) -> (Timestamp, Timestamp) {
    (TIME.with(|last| last.convert(time)), RECORDED_AT.with(|last| last.convert(recorded_at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_itself_whatever_was_converted_before() {
        for (time, recorded_at) in [(0, 0), (5, 7), (5, 5), (0, 7), (7, 0), (i64::MIN, i64::MAX)] {
            assert_eq!(converted(time, recorded_at), (Instant(time).to_utc(), Instant(recorded_at).to_utc()));
        }
    }
}
