//! `import`: plain and compressed files, repeated imports, and bad lines.

use std::{fs, io::Write};

use flate2::{Compression, write::GzEncoder};
use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::{Uuid, uuid};

use super::{refused, run};
use crate::support::Host;

/// The namespace of the UUIDs that replace other ids, as in `gnomon import --help`.
const NAMESPACE: Uuid = uuid!("cf216ed5-b6b2-586d-b112-6f46516075d1");

const LINES: &str = r#"{"stream":"order-1","id":17,"type":"OrderPlaced","time":"2026-01-02T03:04:05Z","data":{"amount": 1.10}}
{"stream":"order-1","id":"second","type":"OrderPaid","data":{}}

{"stream":"order-2","id":"0190f3c2-0000-7000-8000-000000000001","type":"OrderPlaced","data":{}}
"#;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a file; returns its path.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_once_however_it_is_compressed() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let files = Files::new();
    let plain = files.write("orders.jsonl", LINES);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(LINES.as_bytes()).unwrap();
    // The bytes tell the compression, and not the name.
    let gzip = files.write("orders", packed.finish().unwrap());
    let zstd = files.write("orders.packed", zstd::encode_all(LINES.as_bytes(), 1).unwrap());

    let first = run(&host, &["import", &gzip]).await;
    assert!(first.out.is_empty() && first.err.starts_with("imported 3 events in "), "{}", first.err);
    for file in [&gzip, &zstd, &plain] {
        let again = run(&host, &["import", file]).await.err;
        assert!(again.starts_with("imported 0 events in "), "{again}");
        assert!(again.ends_with("; 3 were in the log already\n"), "{again}");
    }
    let more =
        files.write("more.jsonl", format!("{LINES}{}", LINES.replace("order-", "item-").replace("-8000-", "-9000-")));
    let summary: Value = serde_json::from_str(&run(&host, &["import", &more, "--json"]).await.out).unwrap();
    let numbers = ["imported", "repeated", "first_position", "last_position"].map(|name| &summary[name]);
    assert_eq!(numbers, [&json!(3), &json!(3), &json!(4), &json!(6)]);

    let events = run(&host, &["events"]).await.out;
    let ids: Vec<Value> =
        events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
    assert_eq!(ids[0], json!(Uuid::new_v5(&NAMESPACE, b"order-1\n17")));
    assert_eq!(ids[1], json!(Uuid::new_v5(&NAMESPACE, b"order-1\nsecond")));
    assert_eq!(ids[2], "0190f3c2-0000-7000-8000-000000000001");
    assert_eq!(ids[3], json!(Uuid::new_v5(&NAMESPACE, b"item-1\n17")), "the same id in another stream is another");
    assert!(events.contains(r#""data":{"amount": 1.10}"#), "the author's own text: {events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_may_leave_out_the_stream_where_they_have_tags() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let files = Files::new();
    let lines = "{\"tags\":[\"course:c1\",\"student:s1\"],\"id\":17,\"type\":\"StudentSubscribed\",\"data\":{}}\n";
    let file = files.write("subscriptions.jsonl", lines);
    run(&host, &["import", &file]).await;
    let again = run(&host, &["import", &file]).await.err;
    assert!(again.ends_with("; 1 were in the log already\n"), "{again}");
    let event: Value = serde_json::from_str(&run(&host, &["events", "course-c1"]).await.out).unwrap();
    assert_eq!(event["id"], json!(Uuid::new_v5(&NAMESPACE, b"course-c1\n17")));
    assert_eq!(event["tags"], json!(["course:c1", "student:s1"]));
    let neither = files.write("neither.jsonl", "{\"id\":17,\"type\":\"StudentSubscribed\",\"data\":{}}\n");
    insta::assert_snapshot!(refused(&host, &["import", &neither]).await, @r"
    error: line 1: the event has neither `stream` nor `tags`; without a stream, it goes into that of its first tag
    nothing was imported
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_line_is_named_by_its_number_and_nothing_of_its_file_is_imported() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let files = Files::new();
    let no_json = files.write("no-json.jsonl", format!("{LINES}stream,id,type\n"));
    insta::assert_snapshot!(refused(&host, &["import", &no_json]).await, @r"
    error: line 5: a line is a JSON object; it begins with `stream,id,type`
    nothing was imported
    ");
    let no_type = files.write("no-type.jsonl", format!("{LINES}{{\"stream\":\"order-1\",\"id\":4,\"data\":{{}}}}\n"));
    let error = refused(&host, &["import", &no_type]).await;
    assert!(error.starts_with("error: line 5: missing field `type`"), "{error}");
    assert!(error.ends_with("\n  see <host>/errors/invalid_body\nnothing was imported\n"), "{error}");
    let taken = files.write("taken.jsonl", LINES.replace("\"second\"", "17"));
    insta::assert_snapshot!(refused(&host, &["import", &taken]).await, @r"
    error: lines 1 and 2: two lines have the event id 17, and the event of the first has another type
      see <host>/errors/duplicate_event_id
    nothing was imported
    ");
    let array = files.write("array.json", "[\n{\"stream\":\"order-1\"}\n]\n");
    insta::assert_snapshot!(refused(&host, &["import", &array]).await, @r"
    error: line 1: this is a JSON array; a line is a JSON object. Write each event in a line of its own, without brackets and commas around it; `jq -c '.[]'` does
    nothing was imported
    ");
    let empty = files.write("empty.jsonl", LINES.replace("17", "\"\""));
    insta::assert_snapshot!(refused(&host, &["import", &empty]).await, @r"
    error: line 1: `id` is empty; leave it out, or give each event of the stream one of its own
    nothing was imported
    ");
    let missing = format!("{}.not", files.0.path().display());
    let error = refused(&host, &["import", &missing]).await;
    assert_eq!(error, format!("error: cannot read {missing}: No such file or directory (os error 2)\n"));
    assert_eq!(host.head().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_events_prints_can_be_imported_here_and_elsewhere() {
    let (one, other) = (TestDatabase::create().await, TestDatabase::create().await);
    let (host, elsewhere) = (Host::start(&one).await, Host::start(&other).await);
    let files = Files::new();
    let marked = files.write("marked.jsonl", format!("\u{feff}{LINES}"));
    run(&host, &["import", &marked]).await;
    let exported = run(&host, &["events"]).await.out;
    let file = files.write("exported.jsonl", &exported);
    let here = run(&host, &["import", &file]).await.err;
    assert!(here.starts_with("imported 0 events in ") && here.ends_with("; 3 were in the log already\n"), "{here}");
    let there = run(&elsewhere, &["import", &file]).await.err;
    assert!(there.starts_with("imported 3 events in "), "{there}");
    let without_stamp = |events: &str| -> Vec<Value> {
        let event = |line: &str| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            event.as_object_mut().unwrap().remove("recorded_at");
            event
        };
        events.lines().map(event).collect()
    };
    assert_eq!(without_stamp(&run(&elsewhere, &["events"]).await.out), without_stamp(&exported));
}

/// The event that has the id is in the log, under the UUID that was made of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_taken_is_named_as_the_file_has_it() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let files = Files::new();
    run(&host, &["import", &files.write("first.jsonl", LINES)]).await;
    let other = files.write("other.jsonl", LINES.replace("1.10", "2.20"));
    insta::assert_snapshot!(refused(&host, &["import", &other]).await, @r"
    error: line 1: event id 17 (cdc592a2-6e9f-55c7-88a0-510a4f545895) is taken: version 1 of stream `order-1` (position 1) has it and has other data
      see <host>/errors/event_id_taken
    nothing was imported
    ");
}
