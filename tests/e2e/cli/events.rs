//! `append`, `events` and `streams`.

use std::process::Stdio;

use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{Said, refused, run};
use crate::support::{Host, gnomon};

async fn append(host: &Host, stream: &str, event_type: &str) -> String {
    run(host, &["append", stream, "--type", event_type, "--data", r#"{"n": 1.10}"#]).await.out
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_appended_and_printed_as_they_were_written() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    assert_eq!(append(&host, "order-1", "OrderPlaced").await, "order-1 version 1, position 1\n");
    let id = "0190f3c2-0000-7000-8000-000000000001";
    let again = ["append", "order-1", "--type", "OrderCancelled", "--id", id, "--time", "2013-01-01T10:17:00Z"];
    assert_eq!(run(&host, &again).await.out, "order-1 version 2, position 2\n");
    assert_eq!(run(&host, &again).await.out, "order-1 version 2, position 2 (already in the log)\n");
    assert_eq!(append(&host, "account-1", "Opened").await, "account-1 version 1, position 3\n");
    let answer = run(&host, &["append", "order-2", "--type", "OrderPlaced", "--json"]).await.out;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&answer["last_version"], &answer["last_position"]), (&json!(1), &json!(4)));

    let all = run(&host, &["events"]).await.out;
    assert_eq!(all.lines().count(), 4);
    assert!(all.lines().next().unwrap().contains(r#""data":{"n": 1.10}"#), "the author's own text: {all}");
    let positions = async |arguments: &[&str]| {
        let out = run(&host, &[&["events"], arguments].concat()).await.out;
        let events = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.map(|event| event["position"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(positions(&["order-1"]).await, [1, 2]);
    assert_eq!(positions(&["order-1", "--after", "1"]).await, [2]);
    assert_eq!(positions(&["--category", "order", "--limit", "2"]).await, [1, 2]);
    assert_eq!(positions(&["--types", "OrderPlaced,Opened"]).await, [1, 3, 4]);
    assert_eq!(positions(&["--direction", "backward", "--limit", "3"]).await, [4, 3, 2]);

    insta::assert_snapshot!(run(&host, &["streams"]).await.out, @r"
    STREAM     VERSION  LAST POSITION
    account-1        1              3
    order-1          2              2
    order-2          1              4
    ");
    let page = run(&host, &["streams", "--category", "order", "--limit", "1"]).await;
    insta::assert_snapshot!(page.out, @r"
    STREAM   VERSION  LAST POSITION
    order-1        2              2
    ");
    assert_eq!(page.err, "there may be more: --after 'order-1'\n");
    let streams: Value = serde_json::from_str(&run(&host, &["streams", "--json"]).await.out).unwrap();
    assert_eq!(streams["streams"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_cut_off_says_so() {
    let database = TestDatabase::create().await;
    let host = Host::start_with(&database, &["--max-page", "100"]).await;
    let lines: String = (1..=250)
        .map(|n| {
            format!(
                "{{\"stream\":\"a-{n:03}\",\"type\":\"{}\",\"data\":{n}}}\n",
                if n % 2 == 0 { "Even" } else { "Odd" }
            )
        })
        .collect();
    host.import(lines).await;
    let events = async |arguments: &[&str]| {
        let said = run(&host, &[&["events"], arguments].concat()).await;
        (said.out.lines().count(), said.err)
    };
    let more = |after: u64| format!("there may be more: --after {after}\n");
    assert_eq!(events(&[]).await, (100, more(100)));
    assert_eq!(events(&["--after", "100"]).await, (100, more(200)));
    assert_eq!(events(&["--after", "200"]).await, (50, String::new()));
    assert_eq!(events(&["--limit", "250"]).await, (250, String::new()));
    assert_eq!(events(&["--limit", "249"]).await, (249, more(249)));
    assert_eq!(events(&["--types", "Even", "--limit", "3"]).await, (3, more(6)));
    assert_eq!(events(&["--direction", "backward"]).await, (100, more(151)));
    assert_eq!(events(&["--direction", "backward", "--limit", "250"]).await, (250, String::new()));
    let streams = run(&host, &["streams", "--limit", "2", "--json"]).await;
    assert_eq!(streams.err, "there may be more: --after 'a-002'\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_name_of_a_stream_or_a_type_is_escaped() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let streams =
        ["a/b", "a?b=c", "a#b", "100%", "%2e%2e", "a b", "a+b", "a\\b", "é", "a;b", "...", "./..", "a&b", "-1"];
    for stream in streams {
        let said = run(&host, &["append", "--type", "Moved, twice", "--", stream]).await.out;
        assert!(said.starts_with(&format!("{stream} version 1, ")), "{said}");
        let events = run(&host, &["events", "--", stream]).await.out;
        let event: Value = serde_json::from_str(&events).unwrap();
        assert_eq!((&event["stream"], &event["version"]), (&json!(stream), &json!(1)));
    }
    let page = host.get("/v1/streams").await.body;
    assert_eq!(page["streams"].as_array().unwrap().len(), streams.len());
    let all = streams.len();
    assert_eq!(run(&host, &["events", "--types", "\"Moved, twice\",Other"]).await.out.lines().count(), all);
    assert_eq!(run(&host, &["events", "--types", "Moved, twice"]).await.out, "");

    for stream in [".", ".."] {
        for command in
            [vec!["append", stream, "--type", "A"], vec!["events", stream], vec!["events", stream, "--follow"]]
        {
            let said = Said::from(host.try_run(&command).await);
            assert_eq!(said.code, Some(2), "{command:?}: {}", said.err);
            let message = format!("the stream name `{stream}` cannot stand in a URL");
            assert!(said.err.contains(&message), "{command:?}: {}", said.err);
        }
        // A request's body can have such a name, and the host refuses it.
        let appends = json!({"appends": [{"stream": stream, "events": [{"type": "A", "data": {}}]}]});
        let answer = host.send(host.request(reqwest::Method::POST, "/v1/events").json(&appends)).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (422, &json!("invalid_body")));
        // In a URL, clients turn it into another path, where nothing is appended.
        let answer = host.append(stream, &json!({"events": [{"type": "A", "data": {}}]})).await;
        assert!(answer.status.is_client_error(), "{answer:?}");
    }
    assert_eq!(host.head().await, all as u64);
    insta::assert_snapshot!(refused(&host, &["streams", "--category", "user-v1"]).await, @r"
    error: `category`: the category `user-v1` has a `-`; a category is what stands before the first `-` of a stream's name
      see <host>/errors/invalid_category
    ");
    insta::assert_snapshot!(refused(&host, &["events", "--follow", "--after", "99"]).await, @r"
    error: the reader is at position 99, but the log ends at 14: it is not the log that the reader knows. It may have been restored from a backup. Begin at a position that it has
      see <host>/errors/position_beyond_head
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_found_by_their_tags_and_an_append_may_have_a_condition() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let subscribe = async |student: &str, more: &[&str]| {
        let arguments = ["append", "--type", "StudentSubscribed", "--tag", "course:c1", "--tag", student];
        Said::from(host.try_run(&[&arguments[..], more].concat()).await)
    };
    assert_eq!(subscribe("student:s1", &[]).await.out, "course-c1 version 1, position 1\n");
    assert_eq!(subscribe("student:s2", &["--", "enrolment-1"]).await.out, "enrolment-1 version 1, position 2\n");
    append(&host, "order-1", "OrderPlaced").await;

    let positions = async |arguments: &[&str]| {
        let out = run(&host, &[&["events"], arguments].concat()).await.out;
        let events = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.map(|event| event["position"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(positions(&["--tags", "course:c1"]).await, [1, 2]);
    assert_eq!(positions(&["--tags", "course:c1,student:s2"]).await, [2]);
    assert_eq!(positions(&["--tags", "course:c1", "--tags", "student:s1", "--types", "OrderPlaced"]).await, [0; 0]);
    let query = r#"{"items": [{"tags": ["student:s2"]}, {"types": ["OrderPlaced"]}]}"#;
    assert_eq!(positions(&["--query", query]).await, [2, 3]);
    assert_eq!(positions(&["--query", query, "--direction", "backward", "--limit", "1"]).await, [3]);
    for (direction, left) in [("forward", "2"), ("backward", "1")] {
        let args = ["events", "--query", query, "--direction", direction, "--limit", left];
        let said = run(&host, &args).await.err;
        assert!(said.contains("read up to position 3, the \"after\" of a condition"), "{said}");
    }
    assert_eq!(positions(&["--query", query, "--follow", "--after", "1", "--limit", "2"]).await, [2, 3]);
    let first = run(&host, &["events", "--limit", "1"]).await.out;
    assert!(first.contains(r#""tags":["course:c1","student:s1"]"#), "{first}");

    let condition = |after: u64| {
        format!(r#"{{"fail_if_events_match": {{"items": [{{"tags": ["course:c1"]}}]}}, "after": {after}}}"#)
    };
    let known = condition(1);
    let with_known = ["append", "--type", "StudentSubscribed", "--tag", "course:c1", "--condition", &known];
    insta::assert_snapshot!(refused(&host, &with_known).await, @r#"
    error: an event that the append's condition rules out is in the log: the `StudentSubscribed` of stream `enrolment-1` at position 2 is the first that matches its query
      see <host>/errors/append_condition_failed
    nothing was appended: read what the query finds (`gnomon events --query … --after 1`), decide again, and append with the position up to which you have read as "after"
    "#);
    assert_eq!(subscribe("student:s3", &["--condition", &condition(2)]).await.out, "course-c1 version 2, position 4\n");
    assert_eq!(host.head().await, 4);

    let bad = |option: &'static str, value: &'static str| {
        let host = &host;
        async move { Said::from(host.try_run(&["append", "order-1", "--type", "A", option, value]).await).err }
    };
    let condition = bad("--condition", r#"{"after": 1}"#).await;
    assert!(condition.starts_with("error: --condition: missing field `fail_if_events_match`"), "{condition}");
    let tag = bad("--tag", "").await;
    assert!(tag.contains("the tag must not be empty"), "{tag}");
    for arguments in
        [&["append", "--type", "A"][..], &["append", "--type", "A", "--tag", "x", "--expected-version", "0"]]
    {
        let said = Said::from(host.try_run(arguments).await);
        assert!(said.code == Some(2) && said.err.contains("<STREAM>"), "{arguments:?}: {}", said.err);
    }
    assert_eq!(host.head().await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_is_refused_says_why_and_appends_nothing() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    append(&host, "order-1", "OrderPlaced").await;
    let conflict = ["append", "order-1", "--type", "OrderPlaced", "--expected-version", "no_stream"];
    insta::assert_snapshot!(refused(&host, &conflict).await, @r"
    error: stream `order-1` is at version 1, not at the expected no_stream
      see <host>/errors/wrong_expected_version
    ");
    let data = ["append", "order-1", "--type", "OrderPlaced", "--data", "{n: 1}"];
    insta::assert_snapshot!(refused(&host, &data).await, @"error: --data is not JSON: the name of a field, in double quotes, is expected at line 1 column 2");
    let time = ["append", "order-1", "--type", "OrderPlaced", "--time", "2016-12-31T23:59:60Z"];
    let said = Said::from(host.try_run(&time).await);
    let words =
        "error: invalid value '2016-12-31T23:59:60Z' for '--time <TIME>': 2016-12-31T23:59:60Z is within a leap second";
    assert!(said.code == Some(2) && said.err.starts_with(words), "{}", said.err);
    assert_eq!(host.head().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_followed_as_they_are_appended() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    append(&host, "order-1", "OrderPlaced").await;
    let mut following = tokio::process::Command::from(gnomon());
    following.args(["events", "--follow", "--limit", "3"]).env("GNOMON_URL", host.url());
    following.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut following = following.spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line = lines.next_line().await.unwrap().expect("the command goes on");
        serde_json::from_str::<Value>(&line).unwrap()["type"].clone()
    };
    assert_eq!(next().await, "OrderPlaced");
    append(&host, "order-1", "OrderPaid").await;
    assert_eq!(next().await, "OrderPaid");
    append(&host, "order-1", "OrderSent").await;
    assert_eq!(next().await, "OrderSent");
    let status = following.wait().await.unwrap();
    assert!(status.success(), "it has printed as many as were wanted");
}
