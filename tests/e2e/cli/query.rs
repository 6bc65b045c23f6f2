//! `query`: rows as a table, and as JSON.

use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};

use super::{refused, run};
use crate::support::Host;

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
