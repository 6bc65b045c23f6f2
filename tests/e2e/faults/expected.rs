//! What the read models must hold, computed from the log in a few lines of plain Rust.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

/// A projection of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Projection {
    /// `tally`, which sets poison aside, and its next version, which handles it.
    Tally,
    /// `tally` again, which parks the streams of poison.
    Parking,
    /// `bank`.
    Bank,
    /// The next version of `tally` again, which is deleted and deployed.
    Brief,
}

impl Projection {
    pub(super) const ALL: [Self; 4] = [Self::Tally, Self::Parking, Self::Bank, Self::Brief];
    /// Those that can be read all the time.
    pub(super) const READ: [Self; 3] = [Self::Tally, Self::Parking, Self::Bank];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tally => "tally",
            Self::Parking => "parking",
            Self::Bank => "bank",
            Self::Brief => "brief",
        }
    }

    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Tally => "tally/tallies",
            Self::Parking => "parking/tallies",
            Self::Bank => "bank/accounts",
            Self::Brief => "brief/tallies",
        }
    }

    /// The column of its table that adds up; every version has it.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Tally | Self::Parking | Self::Brief => "sum",
            Self::Bank => "balance",
        }
    }

    /// The columns that identify and add up a row.
    pub(super) fn columns(self) -> &'static str {
        match self {
            Self::Tally | Self::Parking | Self::Brief => "stream,sum,events",
            Self::Bank => "account,balance,transactions",
        }
    }

    /// How the module and the projection's policy handle poison.
    fn poison(self, version: u64) -> Poison {
        match self {
            Self::Tally if version == 1 => Poison::SetAside,
            Self::Parking => Poison::ParksItsStream,
            _ => Poison::CountsAsNothing,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Poison {
    SetAside,
    ParksItsStream,
    CountsAsNothing,
}

/// What a projection's table must hold.
pub(super) struct Expected {
    /// The total of its column at each position, from 0 on.
    totals: Vec<i64>,
    /// Its column, and how many events there were, by stream without category.
    rows: BTreeMap<String, (i64, i64)>,
}

impl Expected {
    /// Of a version, in a build with the upcaster of `Added` or without it.
    pub(super) fn of(projection: Projection, version: u64, upcasted: bool, log: &[Value]) -> Self {
        let (mut totals, mut total) = (vec![0], 0);
        let mut rows: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        let mut parked = HashSet::new();
        let on_poison = projection.poison(version);
        for event in log {
            let (category, stream) = event["stream"].as_str().unwrap().split_once('-').unwrap();
            let (n, amount) = (event["data"]["n"].as_i64(), event["data"]["amount"].as_i64());
            let poison = event["data"]["poison"] == json!(true);
            let event_type = event["type"].as_str().unwrap();
            let change = match (projection, category) {
                (Projection::Bank, "account") => Some(match event_type {
                    "AccountOpened" => (0, 0),
                    "MoneyDeposited" => (amount.unwrap(), 1),
                    _ => (-amount.unwrap(), 1),
                }),
                (Projection::Bank, _) => None,
                (_, "count") if event_type == "Counted" || upcasted => {
                    if poison && on_poison == Poison::ParksItsStream {
                        parked.insert(stream);
                    }
                    match on_poison {
                        Poison::CountsAsNothing => n.map(|n| (if poison { 0 } else { n }, 1)),
                        _ => n.filter(|_| !poison && !parked.contains(stream)).map(|n| (n, 1)),
                    }
                }
                _ => None,
            };
            if let Some((change, events)) = change {
                let row = rows.entry(stream.to_owned()).or_default();
                (row.0, row.1) = (row.0 + change, row.1 + events);
                total += change;
            }
            totals.push(total);
        }
        Self { totals, rows }
    }

    pub(super) fn total_at(&self, position: u64) -> i64 {
        self.totals[usize::try_from(position).unwrap()]
    }

    /// The rows as the API answers them, in the order of their keys.
    pub(super) fn rows(&self, projection: Projection) -> Vec<Value> {
        let columns: Vec<&str> = projection.columns().split(',').collect();
        let row = |(key, (sum, events)): (&String, &(i64, i64))| json!({columns[0]: key, columns[1]: sum, columns[2]: events});
        self.rows.iter().map(row).collect()
    }
}
