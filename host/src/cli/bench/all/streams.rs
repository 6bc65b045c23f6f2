//! Logs of a few streams, each of an account of the bank.

use super::{bank::BankEvent, row::OfStream};

/// How many events a stream has in a log of so many.
pub(super) fn length(of: OfStream, events: u64) -> u64 {
    match of {
        OfStream::Ten => 10,
        OfStream::Thousandth => (events / 1000).max(10),
        OfStream::Tenth => (events / 10).max(10),
        OfStream::All => events.max(10),
    }
}

/// The streams of a log, each of an account of its own: all of one length each.
pub(super) const STREAMS: [OfStream; 3] = [OfStream::Ten, OfStream::Thousandth, OfStream::Tenth];

/// The lines of a log with streams of these lengths, one after the other.
pub(super) fn lines(streams: &'static [OfStream], events: u64) -> impl Iterator<Item = String> + Send {
    let versions = streams
        .iter()
        .zip(0..)
        .flat_map(move |(of, account)| (0..length(*of, events)).map(move |version| (account, version)));
    versions.zip(0..).map(|((account, version), number)| BankEvent::of_account(account, version == 0, number).to_line())
}

/// The name of the stream of an account.
pub(super) fn stream(account: u64) -> String {
    BankEvent::of_account(account, true, 0).stream()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_stream_has_its_length_and_begins_with_an_account() {
        let lines: Vec<Value> = lines(&STREAMS, 20_000).map(|line| serde_json::from_str(&line).unwrap()).collect();
        for (account, length) in [10, 20, 2000].into_iter().enumerate() {
            let name = stream(account as u64);
            let types: Vec<&Value> =
                lines.iter().filter(|line| line["stream"] == name.as_str()).map(|line| &line["type"]).collect();
            assert_eq!((types.len(), types[0]), (length, &Value::from("AccountOpened")));
            assert!(types[1..].iter().all(|event_type| event_type.as_str().unwrap().starts_with("Money")));
        }
        let ids: std::collections::HashSet<String> = lines.iter().map(|line| line["id"].to_string()).collect();
        assert_eq!(ids.len(), lines.len());
    }
}
