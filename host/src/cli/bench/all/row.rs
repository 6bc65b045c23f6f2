//! The rows of the table: what is measured, where, and what stands beside it.

use std::fmt;

use serde::Serialize;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Its name, by which `--only` and the JSON know it.
    pub(super) name: &'static str,
    pub(super) place: PlaceOfRow,
    pub(super) measurement: Measurement,
    pub(super) ours: &'static str,
    pub(super) beside: &'static str,
    pub(super) unit: Unit,
}

/// Where a row is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlaceOfRow {
    /// A log that is empty in the beginning, without modules.
    Empty,
    /// Another log for each round, which is empty.
    EmptyEachRound,
    /// The log of the bank, and its projection.
    Bank,
    /// A log in which each event opens another account, and the projection of the bank.
    ManyAccounts,
}

impl PlaceOfRow {
    /// Whether its log has events, and the projection of the bank.
    pub(super) fn has_projection(self) -> bool {
        matches!(self, Self::Bank | Self::ManyAccounts)
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(super) enum Measurement {
    Append { clients: usize },
    AppendOfMany,
    Import,
    Rebuild,
    TenRebuilds,
    OwnWrite,
    PointQuery { connections: usize },
    Page,
    Swap,
}

/// The unit of a row's figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Unit {
    #[serde(rename = "events/s")]
    EventsPerSecond,
    #[serde(rename = "requests/s")]
    RequestsPerSecond,
    /// The median time of a request.
    #[serde(rename = "ms, p50")]
    MedianMilliseconds,
    /// The longest time of a request. It is the figure of one request among thousands, and no measure of speed.
    #[serde(rename = "ms, longest")]
    LongestMilliseconds,
}

impl Unit {
    /// How fast the host is where what stands beside it is 1.
    pub(super) fn ratio(self, ours: f64, beside: f64) -> f64 {
        let (part, whole) = if self.is_time() { (beside, ours) } else { (ours, beside) };
        if whole > 0.0 { part / whole } else { 0.0 }
    }

    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::MedianMilliseconds | Self::LongestMilliseconds)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::EventsPerSecond => "events/s",
            Self::RequestsPerSecond => "requests/s",
            Self::MedianMilliseconds => "ms, p50",
            Self::LongestMilliseconds => "ms, longest",
        })
    }
}

/// All rows. Those of one place stand together.
pub(super) const ROWS: [Row; 14] = [
    append("append-1", 1, "appends of one event, 1 client"),
    append("append-16", 16, "appends of one event, 16 clients"),
    append("append-64", 64, "appends of one event, 64 clients"),
    append("append-256", 256, "appends of one event, 256 clients"),
    Row {
        name: "append-of-100",
        place: PlaceOfRow::Empty,
        measurement: Measurement::AppendOfMany,
        ours: "appends of 100 events, 16 clients",
        beside: "COPY of 100 rows in a transaction, 16 sessions",
        unit: Unit::EventsPerSecond,
    },
    Row {
        name: "import",
        place: PlaceOfRow::EmptyEachRound,
        measurement: Measurement::Import,
        ours: "import of --events events",
        beside: "COPY of them in one transaction",
        unit: Unit::EventsPerSecond,
    },
    Row {
        name: "rebuild",
        place: PlaceOfRow::Bank,
        measurement: Measurement::Rebuild,
        ours: "rebuild of the bank from --events events",
        beside: "a Rust program without Wasm, one thread",
        unit: Unit::EventsPerSecond,
    },
    Row {
        name: "ten-rebuilds",
        place: PlaceOfRow::Bank,
        measurement: Measurement::TenRebuilds,
        ours: "ten rebuilds at once, in sum",
        beside: "one rebuild alone",
        unit: Unit::EventsPerSecond,
    },
    Row {
        name: "own-write",
        place: PlaceOfRow::Bank,
        measurement: Measurement::OwnWrite,
        ours: "append until the row is answered, 1 client",
        beside: "two commits, one after the other",
        unit: Unit::MedianMilliseconds,
    },
    point_query("point-query-1", 1, "query by key, 1 connection"),
    point_query("point-query-32", 32, "query by key, 32 connections"),
    Row {
        name: "page-32",
        place: PlaceOfRow::Bank,
        measurement: Measurement::Page,
        ours: "page of 100 rows by an index, 32 connections",
        beside: "the same SELECT with json_agg, 32 sessions",
        unit: Unit::RequestsPerSecond,
    },
    Row {
        name: "swap",
        place: PlaceOfRow::Bank,
        measurement: Measurement::Swap,
        ours: "1,000 queries and 1,000 appends a second during a rebuild and its activation",
        beside: "the same load without them",
        unit: Unit::LongestMilliseconds,
    },
    Row {
        name: "rebuild-many-accounts",
        place: PlaceOfRow::ManyAccounts,
        measurement: Measurement::Rebuild,
        ours: "rebuild from --events events, each of another account",
        beside: "a Rust program without Wasm, one thread",
        unit: Unit::EventsPerSecond,
    },
];

const fn append(name: &'static str, clients: usize, ours: &'static str) -> Row {
    Row {
        name,
        place: PlaceOfRow::Empty,
        measurement: Measurement::Append { clients },
        ours,
        beside: "prepared INSERT, a transaction each, as many sessions (64 where Postgres allows no more)",
        unit: Unit::EventsPerSecond,
    }
}

const fn point_query(name: &'static str, connections: usize, ours: &'static str) -> Row {
    Row {
        name,
        place: PlaceOfRow::Bank,
        measurement: Measurement::PointQuery { connections },
        ours,
        beside: "the same SELECT, prepared, as many sessions",
        unit: Unit::RequestsPerSecond,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_rows_of_a_place_stand_together() {
        let mut places: Vec<PlaceOfRow> = ROWS.iter().map(|row| row.place).collect();
        places.dedup();
        assert_eq!(places, [PlaceOfRow::Empty, PlaceOfRow::EmptyEachRound, PlaceOfRow::Bank, PlaceOfRow::ManyAccounts]);
        assert_eq!(ROWS.map(|row| row.name).iter().collect::<HashSet<_>>().len(), ROWS.len());
    }

    #[test]
    fn a_larger_ratio_is_always_faster() {
        assert_eq!(Unit::EventsPerSecond.ratio(50.0, 100.0), 0.5);
        assert_eq!(Unit::MedianMilliseconds.ratio(4.0, 1.0), 0.25);
        assert_eq!(Unit::EventsPerSecond.ratio(50.0, 0.0), 0.0);
    }
}
