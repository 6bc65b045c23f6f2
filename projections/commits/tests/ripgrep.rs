//! The real commits, compared with the lines of their file.

use std::collections::BTreeMap;

use commits::{Commit, Commits};
use flate2::read::GzDecoder;
use gnomon_sdk::testing::{given, read_json_lines};
use serde_json::Value;

const PACKED: &[u8] = include_bytes!("../data/ripgrep.jsonl.gz");

#[test]
fn every_commit_becomes_a_row_that_has_its_message() {
    let events = read_json_lines(GzDecoder::new(PACKED));
    let rows = given::<Commits>(events).rows::<Commit>();
    assert_eq!(rows.len(), 2_119);

    let lines = std::io::read_to_string(GzDecoder::new(PACKED)).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["data"].take());
    let lines: BTreeMap<String, Value> = lines.map(|data| (data["hash"].to_string(), data)).collect();
    for row in rows {
        let data = &lines[&format!("\"{}\"", row.hash)];
        let spaceless = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(spaceless(&format!("{}{}", row.title, row.body)), spaceless(data["message"].as_str().unwrap()));
        // `2016-08-28T23:37:12-04:00`: what the clock showed, and the instant.
        let authored_at = data["authored_at"].as_str().unwrap();
        assert_eq!(format!("{:?}", row.local_time), authored_at[..19]);
        assert_eq!(row.made_at, gnomon_sdk::chrono::DateTime::parse_from_rfc3339(authored_at).unwrap());
        assert_eq!(Value::from(row.files), data["files"]);
    }
}

#[test]
fn no_address_is_in_the_file() {
    let lines = std::io::read_to_string(GzDecoder::new(PACKED)).unwrap();
    let mut words = lines.split(|of: char| of.is_whitespace() || "\"<>\\".contains(of));
    let address =
        words.find(|word| word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')));
    assert_eq!(address, None);
}
