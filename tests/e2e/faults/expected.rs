//! What the read models must hold, computed from the log in a few lines of plain Rust.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use super::writers::Written;
use crate::support::Host;

/// A projection of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Projection {
    /// `tally`, which sets poison aside, and its next version, which handles it.
    Tally,
    /// `tally` again, which parks the streams of poison.
    Parking,
    /// `bank`.
    Bank,
}

impl Projection {
    pub(super) const ALL: [Self; 3] = [Self::Tally, Self::Parking, Self::Bank];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tally => "tally",
            Self::Parking => "parking",
            Self::Bank => "bank",
        }
    }

    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Tally => "tally/tallies",
            Self::Parking => "parking/tallies",
            Self::Bank => "bank/accounts",
        }
    }

    /// The column of its table that adds up; every version has it.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Tally | Self::Parking => "sum",
            Self::Bank => "balance",
        }
    }

    /// The columns that identify and add up a row.
    pub(super) fn columns(self) -> &'static str {
        match self {
            Self::Tally | Self::Parking => "stream,sum,events",
            Self::Bank => "account,balance,transactions",
        }
    }
}

/// The whole log, which must hold what the writers were answered, each event once, and nothing else.
pub(super) async fn read_log(host: &Host, written: &[Written]) -> Vec<Value> {
    let mut log: Vec<Value> = Vec::new();
    loop {
        let page = host.get(&format!("/v1/events?after={}&limit=1000", log.len())).await.body;
        let events = page["events"].as_array().unwrap();
        if events.is_empty() {
            assert_eq!(page["head"], json!(log.len()));
            break;
        }
        log.extend_from_slice(events);
    }
    for (event, position) in log.iter().zip(1..) {
        assert_eq!(event["position"], json!(position), "positions have no gaps");
    }
    let mut answered: HashMap<&str, &Written> = written.iter().map(|written| (written.id.as_str(), written)).collect();
    assert_eq!(answered.len(), written.len());
    for event in &log {
        let Some(written) = answered.remove(event["id"].as_str().unwrap()) else {
            panic!("no writer wrote this, or the log has it twice: {event}");
        };
        let found = json!([event["stream"], event["version"], event["position"], event["type"], event["data"]]);
        let Written { stream, version, position, event_type, data, .. } = written;
        assert_eq!(found, json!([stream, version, position, event_type, data]), "the writer's answer is right");
    }
    assert_eq!(answered.keys().collect::<Vec<_>>(), [&""; 0], "every event that was answered is there");
    log
}

/// What a projection's table must hold.
pub(super) struct Expected {
    /// The total of its column at each position, from 0 on.
    totals: Vec<i64>,
    /// Its column, and how many events there were, by stream without category.
    rows: BTreeMap<String, (i64, i64)>,
}

impl Expected {
    pub(super) fn of(projection: Projection, version: u64, log: &[Value]) -> Self {
        let (mut totals, mut total) = (vec![0], 0);
        let mut rows: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        let mut parked = HashSet::new();
        for event in log {
            let (category, stream) = event["stream"].as_str().unwrap().split_once('-').unwrap();
            let (n, amount) = (event["data"]["n"].as_i64(), event["data"]["amount"].as_i64());
            let poison = event["data"]["poison"] == json!(true);
            let change = match (projection, category) {
                (Projection::Tally, "count") if version == 1 => n.filter(|_| !poison).map(|n| (n, 1)),
                (Projection::Tally, "count") => n.map(|n| (if poison { 0 } else { n }, 1)),
                (Projection::Parking, "count") => {
                    if poison {
                        parked.insert(stream);
                    }
                    n.filter(|_| !parked.contains(stream)).map(|n| (n, 1))
                }
                (Projection::Bank, "account") => Some(match event["type"].as_str().unwrap() {
                    "AccountOpened" => (0, 0),
                    "MoneyDeposited" => (amount.unwrap(), 1),
                    _ => (-amount.unwrap(), 1),
                }),
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
