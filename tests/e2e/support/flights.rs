//! A week of real flights, and the tables that other programs computed from it.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;
use uuid::Uuid;

use super::Host;

/// Projection, table, columns, rows and fingerprint of the read models of the first week of 2013.
///
/// Source: computed from the raw tables and again from the events, by two other programs that agree.
pub(crate) const FLIGHT_TABLES: [(&str, &str, &str, usize, &str); 4] = [
    (
        "punctuality",
        "carrier_daily",
        "carrier,day,scheduled,departed,cancelled,diverted,arrived,on_time,dep_delay,arr_delay",
        102,
        "1a5912eee593d8debb386bd3590e6479",
    ),
    (
        "punctuality",
        "route",
        "origin,dest,scheduled,arrived,air_time,max_arr_delay",
        186,
        "156ba9c5d000be02306196d5b973ef10",
    ),
    ("flights", "flight_state", "flight,last_state,dep_delay,arr_delay", 6_099, "ece2194ba053e4350de1abf836289108"),
    (
        "fleet",
        "aircraft",
        "tailnum,arrived,air_time,distance,last_state,airport,last_seen",
        2_048,
        "6cc28d6a2e6c755d11231324208b32d7",
    ),
];

/// The events of the week, in order, with ids that are UUIDs.
pub(crate) fn week() -> Vec<Value> {
    let packed = include_bytes!("../../../projections/flight-events/data/flights-2013-week1.jsonl.gz");
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    let lines = text.lines().map(|line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        let name = format!("{} {}", event["stream"], event["id"]);
        event["id"] = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string().into();
        event
    });
    lines.collect()
}

/// Events as the body of an import.
pub(crate) fn week_ndjson(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

/// Uploads the upcaster of the older arrivals of the week.
pub(crate) async fn deploy_upcaster(host: &Host) {
    host.deploy("flight_arrivals", test_support::component("flight-arrivals"), "").await;
}

/// Uploads the projections of the flights.
pub(crate) async fn deploy_flights(host: &Host) {
    for name in ["punctuality", "flights", "fleet"] {
        host.deploy(name, test_support::component(name), "").await;
    }
}

/// Rows and fingerprint of a table: each row its columns joined by `|`, null as nothing; the lines sorted by their bytes and
/// joined by newlines; MD5 in hex.
pub(crate) async fn fingerprint_of(
    host: &Host,
    projection: &str,
    table: &str,
    columns: &str,
    at: u64,
) -> (usize, String) {
    let rows = host.rows_at(&format!("{projection}/{table}?select={columns}&limit=10000"), at).await;
    let mut lines: Vec<String> = rows.iter().map(|row| line(row, columns)).collect();
    lines.sort_unstable();
    (lines.len(), format!("{:x}", md5::compute(lines.join("\n"))))
}

fn line(row: &Value, columns: &str) -> String {
    let cells = columns.split(',').map(|column| match &row[column] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    cells.collect::<Vec<_>>().join("|")
}
