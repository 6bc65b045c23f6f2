//! `query`: rows as a table, and as JSON.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::Response};
use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    task::JoinHandle,
};

use super::{refused, run};
use crate::support::{Host, gnomon};

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_shown_as_a_table_or_as_the_host_gives_them() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    for n in [1, 20, 300] {
        host.append_one(&format!("count-{n}"), "Counted", json!({"n": n})).await;
    }
    let at_end = ["--min-position", "3", "--wait", "60"];
    let query = async |arguments: &[&str]| {
        run(&host, &[&["query", "tally", "tallies"], arguments, at_end.as_slice()].concat()).await
    };

    let all = query(&[]).await;
    insta::assert_snapshot!(all.out, @r"
    stream  sum  events  last_version
    1         1       1             1
    20       20       1             1
    300     300       1             1
    ");
    assert_eq!(all.err, "3 rows at position 3\n");
    let some = query(&["sum=gte.20", "--select", "stream,sum", "--order", "sum.desc", "--limit", "1", "--count"]).await;
    insta::assert_snapshot!(some.out, @r"
    stream  sum
    300     300
    ");
    assert_eq!(some.err, "1 row of 2 at position 3\n");
    let rows: Value = serde_json::from_str(&query(&["--select", "sum", "--offset", "1", "--json"]).await.out).unwrap();
    assert_eq!(rows, json!([{"sum": 20}, {"sum": 300}]));
    let none = query(&["sum=lt.0"]).await;
    assert_eq!((none.out.as_str(), none.err.as_str()), ("", "0 rows at position 3\n"));

    assert_eq!(query(&["--json", "sum=lt.0"]).await.out, "[]\n");
    assert_eq!(query(&["--limit", "0"]).await.err, "0 rows at position 3\n");

    insta::assert_snapshot!(refused(&host, &["query", "tally", "talleys"]).await, @r"
    error: projection `tally` has no table `talleys`; it has tallies
      see <host>/errors/table_not_found
    ");
    insta::assert_snapshot!(refused(&host, &["query", "tally", "tallies", "summ=eq.1"]).await, @r#"
    error: column tallies.summ does not exist
      hint: Perhaps you meant to reference the column "tallies.sum".
    "#);
    insta::assert_snapshot!(refused(&host, &["query", "nobody", "tallies"]).await, @r"
    error: there is no projection `nobody`
      see <host>/errors/projection_not_found
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_rows_are_read_however_short_the_pages_are() {
    let database = TestDatabase::create().await;
    let host = Host::start_with(&database, &["--max-rows", "7"]).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    for n in 1..=30 {
        // Few different values: the key decides in which order they come.
        host.append_one(&format!("count-{n}"), "Counted", json!({"n": n % 3})).await;
    }
    host.rows_at("tally/tallies", 30).await;
    let query = async |arguments: &[&str]| run(&host, &[&["query", "tally", "tallies"], arguments].concat()).await;
    let streams = |out: &str| {
        let rows: Vec<Value> = serde_json::from_str(out).unwrap();
        rows.iter().map(|row| row["stream"].as_str().unwrap().parse::<u32>().unwrap()).collect::<Vec<_>>()
    };
    for order in ["sum", "sum.desc", "sum.desc.nullsfirst,events", "stream.desc"] {
        let all = query(&["--order", order, "--json"]).await;
        let mut found = streams(&all.out);
        found.sort_unstable();
        assert_eq!(found, (1..=30).collect::<Vec<_>>(), "{order}");
        assert_eq!(all.err, "30 rows at position 30\n");
    }
    // The last page is full, or the limit is one row more or less than full pages.
    for (limit, offset, rows) in [("14", "0", 14), ("15", "0", 15), ("13", "1", 13), ("7", "0", 7), ("99", "16", 14)] {
        let some = query(&["--limit", limit, "--offset", offset, "--json", "--count"]).await;
        assert_eq!(streams(&some.out).len(), rows);
        assert_eq!(some.err, format!("{rows} rows of 30 at position 30\n"));
    }
    // One header, and aligned columns.
    let table = query(&["--select", "stream,sum", "--order", "sum", "--limit", "9"]).await.out;
    assert_eq!(table.lines().count(), 10, "{table}");
    assert!(table.starts_with("stream  sum\n"), "{table}");
    assert!(table.lines().skip(1).all(|line| line.find(char::is_whitespace).is_some() && line.len() == 11), "{table}");
}

/// A number for a stream.
type Change = (&'static str, u64);

/// Stands before a host, and has a change appended and folded before it passes on the request for the second page.
struct Between {
    url: String,
    task: JoinHandle<()>,
}

impl Between {
    async fn start(host: Arc<Host>, change: Change) -> Self {
        type Passing = (Arc<Host>, Arc<AtomicUsize>, Change);
        async fn pass(
            State((host, pages, (stream, n))): State<Passing>,
            request: axum::extract::Request,
        ) -> Response<axum::body::Body> {
            let path = request.uri().path_and_query().unwrap().as_str().to_owned();
            if path.starts_with("/v1/read-models/tally/tallies?") && pages.fetch_add(1, Ordering::SeqCst) == 1 {
                let position = host.append_one(stream, "Counted", json!({"n": n})).await;
                host.rows_at("tally/tallies", position).await;
            }
            let headers: HeaderMap = request
                .headers()
                .iter()
                .filter(|(name, _)| *name != "host")
                .map(|(a, b)| (a.clone(), b.clone()))
                .collect();
            let answer = host.request(request.method().clone(), &path).headers(headers).send().await.unwrap();
            let mut passed = Response::builder().status(answer.status());
            *passed.headers_mut().unwrap() = answer.headers().clone();
            let body: Bytes = answer.bytes().await.unwrap();
            passed.body(body.into()).unwrap()
        }
        let router = Router::new().fallback(pass).with_state((host, Arc::new(AtomicUsize::new(0)), change));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, task }
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_is_missing_or_appears_twice_because_others_change_between_pages() {
    let (added, raised) = (("count-00", 1), ("count-01", 5_000));
    for (change, arguments, expected) in [
        // It is before the first page, which was read.
        (added, &["sum=lt.1000"][..], ["01", "02", "03", "04", "05"].as_slice()),
        // The filter does not want the first row of the first page any more.
        (raised, &["sum=lt.1000"], &["01", "02", "03", "04", "05"]),
        (raised, &["--limit", "4", "--order", "stream.desc"], &["05", "04", "03", "02"]),
        // Pages are found by the number of rows before them: there is one more now.
        (added, &["--offset", "1"], &["02", "03", "03", "04", "05"]),
    ] {
        let database = TestDatabase::create().await;
        let host = Arc::new(Host::start_with(&database, &["--max-rows", "2"]).await);
        let build = host.deploy("tally", test_support::guest("tally"), "").await;
        host.until_state("tally", build, "active").await;
        for n in 1..=5 {
            host.append_one(&format!("count-0{n}"), "Counted", json!({"n": n})).await;
        }
        host.rows_at("tally/tallies", 5).await;
        let between = Between::start(Arc::clone(&host), change).await;
        let query = ["query", "tally", "tallies", "--json", "--no-wait", "--url", &between.url];
        let said = run(&host, &[&query[..], arguments].concat()).await;
        let rows: Vec<Value> = serde_json::from_str(&said.out).unwrap();
        let streams: Vec<&str> = rows.iter().map(|row| row["stream"].as_str().unwrap()).collect();
        assert_eq!(streams, expected, "{arguments:?}: {}", said.err);
        let warning = "warning: the read model was at position 5 when the first page was read.";
        assert!(said.err.contains(&format!("rows at position 6\n{warning}")), "{}", said.err);
        let by_number = arguments.contains(&"--offset");
        let words = if by_number { "can make others be missing" } else { "no other row is missing or appears twice" };
        assert!(said.err.contains(words), "{}", said.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_the_past_are_shown_as_a_version_makes_them() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    for n in [1, 20, 300] {
        host.append_one("count-1", "Counted", json!({"n": n})).await;
    }
    let build = host.deploy("tally", test_support::guest("tally_next"), "").await;
    host.until_state("tally", build, "active").await;
    let query = async |arguments: &[&str]| run(&host, &[&["query", "tally", "tallies"], arguments].concat()).await;
    let now = query(&["--as-of", "2"]).await;
    insta::assert_snapshot!(now.out, @r"
    stream  sum  events  poison
    1        21       2       0
    ");
    assert_eq!(now.err, "1 row at position 2, as version 2 makes them\n");
    let first = query(&["--as-of", "2", "--version", "1", "sum=gt.1"]).await;
    insta::assert_snapshot!(first.out, @r"
    stream  sum  events  last_version
    1        21       2             2
    ");
    assert_eq!(first.err, "1 row at position 2, as version 1 makes them\n");
    let before = query(&["--as-of", "2001-01-01T00:00:00Z"]).await;
    assert_eq!((before.out.as_str(), before.err.as_str()), ("", "0 rows at position 0, as version 2 makes them\n"));
    insta::assert_snapshot!(refused(&host, &["query", "tally", "tallies", "--as-of", "9"]).await, @r"
    error: position 9 is asked for, and the log ends at 3; ask for a position that it has
      see <host>/errors/position_beyond_head
    ");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("past.parquet");
    let export = ["export", "tally", "tallies", "--as-of", "2", "--json", "--output", file.to_str().unwrap()];
    let written: Value = serde_json::from_str(&run(&host, &export).await.out).unwrap();
    assert_eq!((&written["position"], &written["build"]), (&json!(2), &Value::Null));
    let listed = run(&host, &["projections", "tally"]).await.out;
    let number = written["past_build"].to_string();
    let line = format!("past build {number}: position 2 as version 2 shows it, finished, ");
    assert!(listed.contains(&line), "{listed}");
    let retired = run(&host, &["retire", "tally", "--past", &number]).await.err;
    assert_eq!(retired, format!("past build {number} of `tally` is retired: its tables are dropped\n"));
    assert!(!run(&host, &["projections", "tally"]).await.out.contains(&line));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_followed_as_they_change_also_on_another_host() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let other = Host::start(&database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    host.append_one("count-1", "Counted", json!({"n": 1})).await;
    host.rows_at("tally/tallies", 1).await;
    for (host, json) in [(&host, false), (&other, true)] {
        let mut command = tokio::process::Command::from(gnomon());
        command.args(["query", "tally", "tallies", "sum=gt.0", "--select", "sum", "--follow"]);
        command.args(json.then_some("--json")).env("GNOMON_URL", host.url());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut following = command.spawn().unwrap();
        let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
        let mut next = async || loop {
            let line = lines.next_line().await.unwrap().expect("the command goes on");
            // Behind each change.
            if !line.starts_with("{\"event\":\"position\"") {
                return line;
            }
        };
        let mut said = Vec::new();
        if json {
            said.push(next().await);
        }
        said.push(next().await);
        host.append_one("count-1", "Counted", json!({"n": 2})).await;
        said.push(next().await);
        host.append_one("count-1", "Counted", json!({"n": -3})).await;
        said.push(next().await);
        if json {
            insta::assert_snapshot!(said.join("\n"), @r#"
            {"event":"snapshot","reason":"begin","position":4,"build":1}
            {"event":"insert","position":4,"key":{"stream":"1"},"row":{"sum":1}}
            {"event":"update","position":5,"key":{"stream":"1"},"row":{"sum":3}}
            {"event":"delete","position":6,"key":{"stream":"1"}}
            "#);
        } else {
            insta::assert_snapshot!(said.join("\n"), @r#"
            1 + {"sum":1}
            2 ~ {"sum":3}
            3 - {"stream":"1"}
            "#);
            host.append_one("count-1", "Counted", json!({"n": 1})).await;
            host.rows_at("tally/tallies", 4).await;
        }
    }
    let refusal = refused(&host, &["query", "tally", "tallies", "--select", "summ", "--follow"]).await;
    assert!(refusal.starts_with("error: column tallies.summ does not exist"), "{refusal}");
}
