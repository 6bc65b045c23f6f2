//! Numbers for people.

use std::{fmt, time::Duration};

/// A count with a comma for every three digits: `18,262`.
pub(super) fn count(number: u64) -> impl fmt::Display {
    indicatif::HumanCount(number)
}

/// A count and what is counted: `1 event`, `18,262 events`.
pub(super) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A rate, rounded: `91,034`.
pub(super) fn rate(per_second: f64) -> impl fmt::Display {
    count(per_second.round() as u64)
}

/// How many per second.
pub(super) fn per_second(number: u64, time: Duration) -> f64 {
    // A time that is shorter than the clock can measure is not 0.
    number as f64 / time.as_secs_f64().max(0.001)
}

/// An amount of bytes: `1.25 MiB`.
pub(super) fn bytes(number: u64) -> impl fmt::Display {
    indicatif::BinaryBytes(number)
}

/// A time that something took: `0.4 s`, `2 min 5 s`.
pub(super) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(count(18_262).to_string(), "18,262");
        assert_eq!(counted(1, "event"), "1 event");
        assert_eq!(counted(0, "event"), "0 events");
        assert_eq!(rate(per_second(1000, Duration::from_millis(500))).to_string(), "2,000");
        assert_eq!(time(Duration::from_millis(380)), "0.4 s");
        assert_eq!(time(Duration::from_secs(125)), "2 min 5 s");
        assert_eq!(time(Duration::from_secs(7384)), "2 h 3 min");
    }
}
