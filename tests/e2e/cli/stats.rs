//! `gnomon stats`.

use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};

use super::{refused, run};
use crate::support::{Host, until};

async fn stats(host: &Host, arguments: &[&str]) -> Value {
    serde_json::from_str(&run(host, &[&["stats", "--json"], arguments].concat()).await.out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_consists_of_is_shown_with_bars() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let empty = run(&host, &["stats"]).await.out;
    assert!(
        empty.starts_with("0 events of 0 types in 0 streams of 0 categories, 0 B of data and metadata\n"),
        "{empty}"
    );
    for (stream, event_type) in
        [("order-1", "Placed"), ("order-1", "Paid"), ("order-2", "Placed"), ("account-1", "Opened")]
    {
        run(&host, &["append", stream, "--type", event_type, "--data", r#"{"n": 1.10}"#]).await;
    }

    let text = run(&host, &["stats", "--limit", "2"]).await.out;
    let parts: Vec<&str> = text.trim_end().split("\n\n").collect();
    insta::assert_snapshot!(parts[1..4].join("\n\n"), @r"
    TYPE            EVENTS  BYTES
    Placed               2   22 B  ####################
    Opened               1   11 B  ##########
    (1 other type)       1   11 B

    CATEGORY  STREAMS  EVENTS  BYTES
    order           2       3   33 B  ####################
    account         1       1   11 B  ######

    STREAM     EVENTS  LAST POSITION
    order-1         2              2  ####################
    account-1       1              4  ##########
    ");
    assert!(
        parts[0].starts_with("4 events of 3 types in 3 streams of 2 categories, 44 B of data and metadata\n"),
        "{text}"
    );
    assert!(parts[0].contains("\nappended: ") && parts[0].contains("\nthe log takes "), "{text}");
    let (day, bar) = (parts[4].lines().nth(1).unwrap(), "#".repeat(20));
    assert!(parts[4].starts_with("DAY ") && day.ends_with(&format!(" 4   44 B  {bar}")), "{text}");

    let all = stats(&host, &[]).await;
    assert_eq!(all["types"]["most"][0], json!({"type": "Placed", "events": 2, "bytes": 22}));
    let one = stats(&host, &["--limit", "1", "--days", "1"]).await;
    assert_eq!(one["types"]["others"], json!({"count": 2, "events": 2, "bytes": 22}));
    assert_eq!((&one["position"], &one["head"]), (&json!(4), &json!(4)));
    let problem = refused(&host, &["stats", "--limit", "0"]).await;
    assert!(problem.starts_with("error: `limit` must be 1 to 1000; it is 0\n"), "{problem}");
}

/// Two hosts share the work, and one of them dies.
#[tokio::test(flavor = "multi_thread")]
async fn each_host_answers_the_same_and_the_summary_follows_whoever_lives() {
    let database = TestDatabase::create().await;
    let (one, mut two) = (Host::start(&database).await, Host::start(&database).await);
    let pool = database.pool().await;
    let append = async |host: &Host| {
        run(host, &["append", "order-1", "--type", "Placed"]).await;
    };
    let summarised = async || -> i64 {
        sqlx::query_scalar("SELECT position FROM gnomon.log_summary").fetch_one(&pool).await.unwrap()
    };
    for _ in 0..3 {
        append(&one).await;
        append(&two).await;
    }
    for host in [&one, &two] {
        assert_eq!(stats(host, &[]).await["events"], json!(6));
    }
    until("what was appended is summarised", async || summarised().await == 6).await;
    two.kill();
    append(&one).await;
    until("the host that lives goes on", async || summarised().await == 7).await;
    assert_eq!(stats(&one, &[]).await["streams"]["longest"][0]["version"], json!(7));
}
