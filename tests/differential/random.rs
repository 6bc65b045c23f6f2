//! Random values of each type.

use gnomon_sdk::{prelude::*, serde_json::json};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;

/// Numbers of JSON: floats that are written with an exponent and without, with more digits than a float has, and integers
/// around and beyond 64 bits.
const NUMBERS: [&str; 22] = [
    "-0",
    "-0.0",
    "0e99",
    "1.50",
    "10e-1",
    "1e16",
    "1E+22",
    "-1e300",
    "1e400",
    "1e-7",
    "-1e-400",
    "5e-324",
    "1.7976931348623157e308",
    "0.09090909090909091",
    "12345678901234567.89",
    "0.12345678901234567890123456789012345678901234567890",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "-100000000000000000000000000000000000000000000000000",
];

/// JSON with numbers as they are written.
pub(crate) fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Random values, of which most are where types end.
pub(crate) struct Random(StdRng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    pub(crate) fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (!self.one_in(3)).then(|| value(self))
    }

    pub(crate) fn id(&mut self) -> i64 {
        self.of(&[i64::MIN, -1, 0, 1, 2, 3, 4, 5, 6, 7, i64::MAX])
    }

    pub(crate) fn small(&mut self) -> i64 {
        self.of(&[-1, 0, 1, 2, 10_000])
    }

    pub(crate) fn i64(&mut self) -> i64 {
        self.of(&[i64::MIN, -1, 0, 1, 2, 1 << 53, (1 << 53) + 1, i64::MAX])
    }

    pub(crate) fn text(&mut self) -> String {
        self.of(&["", "a", "b", "B", "Straße", "'; DROP", "\\x\"%_", "\u{1f600}", "\u{1}\n\t", " a", "a "]).to_owned()
    }

    pub(crate) fn float(&mut self) -> f64 {
        if self.one_in(3) {
            return f64::from_bits(self.0.random());
        }
        self.of(&[
            0.0,
            -0.0,
            1.0 / 11.0,
            1e16,
            -1e300,
            f64::MIN_POSITIVE / 3.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ])
    }

    pub(crate) fn decimal(&mut self) -> Decimal {
        let text = self.of(&[
            "0",
            "-0.00",
            "1.50",
            "1.5",
            "-12",
            "100",
            "79228162514264337593543950335",
            "-79228162514264337593543950335",
            "0.0000000000000000000000000001",
            "7.9228162514264337593543950335",
        ]);
        text.parse().unwrap()
    }

    /// The ends of what is kept stand in `guest-sdk/values/src/time.rs`.
    pub(crate) fn instant(&mut self) -> Timestamp {
        let text = self.of(&[
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999999Z",
            "1969-12-31T23:59:59.999999999Z",
            "1970-01-01T00:00:00Z",
            "2013-01-01T10:17:00.000001999Z",
            "9999-12-31T23:59:59.999999Z",
            "9999-12-31T23:59:59.999999999Z",
        ]);
        text.parse().unwrap()
    }

    /// An instant beyond the ends, or within a leap second.
    pub(crate) fn never_instant(&mut self) -> Timestamp {
        let text = self.of(&[
            "0000-12-31T23:59:59.999999999Z",
            "+10000-01-01T00:00:00Z",
            "2016-12-31T23:59:60Z",
            "1990-12-31T23:59:60.999999999Z",
        ]);
        let near = text.parse().unwrap();
        self.of(&[near, near, near, Timestamp::MIN_UTC, Timestamp::MAX_UTC])
    }

    pub(crate) fn day(&mut self) -> Date {
        self.of(&["0001-01-01", "1969-12-31", "1970-01-01", "2000-02-29", "9999-12-31"]).parse().unwrap()
    }

    /// A day beyond the ends.
    pub(crate) fn never_day(&mut self) -> Date {
        let near = self.of(&["0000-12-31", "+10000-01-01"]).parse().unwrap();
        self.of(&[near, near, Date::MIN, Date::MAX])
    }

    pub(crate) fn local(&mut self) -> LocalTimestamp {
        let text = self.of(&[
            "0001-01-01T00:00:00",
            "1969-12-31T23:59:59.999999",
            "1969-12-31T23:59:59.999999999",
            "1970-01-01T00:00:00",
            "2013-01-01T10:17:00.000001999",
            "9999-12-31T23:59:59.999999",
            "9999-12-31T23:59:59.999999999",
        ]);
        text.parse().unwrap()
    }

    /// A local timestamp beyond the ends, or within a leap second.
    pub(crate) fn never_local(&mut self) -> LocalTimestamp {
        let text = self.of(&[
            "0000-12-31T23:59:59.999999999",
            "+10000-01-01T00:00:00",
            "2016-12-31T23:59:60",
            "1990-12-31T23:59:60.999999999",
        ]);
        let near = text.parse().unwrap();
        self.of(&[near, near, near, LocalTimestamp::MIN, LocalTimestamp::MAX])
    }

    pub(crate) fn time(&mut self) -> TimeOfDay {
        let text = self.of(&["00:00:00", "00:00:00.000001", "10:17:00.5", "12:34:56.000001999", "23:59:59.999999999"]);
        text.parse().unwrap()
    }

    /// A time of day within a leap second.
    pub(crate) fn leap_time(&mut self) -> TimeOfDay {
        self.of(&["23:59:60", "23:59:60.999999999"]).parse().unwrap()
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        self.of(&[Uuid::nil(), Uuid::max(), Uuid::from_u128(1 << 127), Uuid::from_u128(42)])
    }

    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        self.of(&[vec![], vec![0], vec![0, 255], b"bytes".to_vec()])
    }

    pub(crate) fn json(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.one_in(2)),
            2 => json!(self.i64()),
            3 => json!(self.float()),
            4 => json!(self.text()),
            5 => number(self.of(&NUMBERS)),
            6 => (0..self.below(4)).map(|_| self.json(depth - 1)).collect(),
            _ => (0..self.below(4))
                .map(|_| (self.text(), self.json(depth - 1)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// Bytes that make a row long: most are not, some are large, and some grow and shrink within a batch.
    pub(crate) fn list(&mut self) -> usize {
        if self.one_in(30) { 60_000 + self.below(20_000) } else { 0 }
    }
}
