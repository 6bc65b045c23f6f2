//! The log in JetStream: each event once, in order.

use super::*;

/// Checks that a stream has each event of the log, in order and once.
async fn check(host: &HostProcess, nats: &Nats) {
    let head = host.head().await;
    until("all events have come", async || nats.last_sequence("EVENTS").await >= head).await;
    let stored = nats.stored("EVENTS").await;
    assert_eq!(stored.len() as u64, head);
    let mut after = 0;
    while after < head {
        let page = host.json(&format!("/v1/events?after={after}&limit=1000")).await;
        for event in page["events"].as_array().unwrap() {
            let stored = &stored[usize::try_from(after).unwrap()];
            assert_eq!(stored.header("Gnomon-Position"), event["position"].to_string());
            assert_eq!(json!(stored.header("Nats-Msg-Id")), event["id"]);
            after += 1;
        }
    }
}

fn lines(count: usize, round: usize) -> String {
    (0..count)
        .map(|number| {
            let stream = format!("account-{}", number % 50);
            json!({"stream": stream, "type": "MoneyDeposited", "data": {"round": round, "number": number}}).to_string()
                + "\n"
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_a_cloud_event_under_a_subject_of_its_category_and_type() {
    let (database, nats) = (TestDatabase::create().await, Nats::start(None).await);
    nats.make_stream("EVENTS", "events.>").await;
    let host = host(&database).await;
    let event = json!({"events": [{
        "type": "Account.Opened", "schema_version": 2, "tags": ["owner:ada"], "time": "2013-01-01T10:17:00Z",
        "data": {"owner": "Ada", "balance": 1.50}, "metadata": {"by": "teller"},
    }]});
    assert_eq!(host.append("account-7", &event).await.status, 201);
    host.append_one("-1", "Odd", json!(null)).await;
    put_sink(&host, "all", log_sink(&nats)).await;
    check(&host, &nats).await;
    let stored = nats.stored("EVENTS").await;
    assert_eq!(
        (stored[0].subject.as_str(), stored[1].subject.as_str()),
        ("events.account.Account%2EOpened", "events._.Odd")
    );
    let mut found: Value = serde_json::from_str(&stored[0].payload).unwrap();
    assert!(found.as_object_mut().unwrap().remove("id").is_some());
    let expected = json!({
        "specversion": "1.0", "source": "/streams/account-7", "type": "Account.Opened", "time": "2013-01-01T10:17:00Z",
        "datacontenttype": "application/json", "partitionkey": "account-7", "gnomonposition": "1", "gnomonversion": "1", "schemaversion": "2",
        "gnomontags": "[\"owner:ada\"]", "gnomonmetadata": "{\"by\":\"teller\"}", "data": {"owner": "Ada", "balance": 1.50},
    });
    assert_eq!(found, expected);
    assert!(stored[0].payload.contains("1.5"), "{}", stored[0].payload);
    until("it is noted how far it is", async || host.json("/v1/sinks/all").await["published"]["position"] == json!(2))
        .await;
}

/// The server, the host that publishes, and the other one are killed in turns while events are appended.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_whatever_is_killed() {
    let (database, mut nats) = (TestDatabase::create().await, Nats::start(None).await);
    nats.make_stream("EVENTS", "events.>").await;
    let (stays, mut dies) = (host(&database).await, host(&database).await);
    put_sink(&stays, "all", log_sink(&nats)).await;
    for round in 0..6 {
        let before = nats.last_sequence("EVENTS").await;
        let imported = stays.import(lines(3000, round)).await;
        assert_eq!(imported.status, 201, "{}", imported.body);
        until("some have come", async || nats.last_sequence("EVENTS").await > before).await;
        if round % 2 == 0 {
            nats.kill();
            nats.begin().await;
        } else {
            drop(dies);
            dies = host(&database).await;
        }
    }
    // What is left to the lease of a host that was killed comes when that has ended.
    check(&stays, &nats).await;
    drop(dies);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_killed_and_started_again_goes_on() {
    let (database, nats) = (TestDatabase::create().await, Nats::start(None).await);
    nats.make_stream("EVENTS", "events.>").await;
    let mut only = host(&database).await;
    put_sink(&only, "all", log_sink(&nats)).await;
    for round in 0..3 {
        let before = nats.last_sequence("EVENTS").await;
        assert_eq!(only.import(lines(2000, round)).await.status, 201);
        until("some have come", async || nats.last_sequence("EVENTS").await > before).await;
        drop(only);
        only = host(&database).await;
    }
    check(&only, &nats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_not_the_logs_own_is_left_alone() {
    let (database, nats) = (TestDatabase::create().await, Nats::start(None).await);
    let host = host(&database).await;
    host.append_one("account-1", "Opened", json!({})).await;
    put_sink(&host, "all", log_sink(&nats)).await;
    until_failing(&host, "all", "JetStream has no stream `EVENTS`").await;
    nats.make_stream("EVENTS", "events.>").await;
    check(&host, &nats).await;

    nats.context().await.publish("events.foreign", "x".into()).await.unwrap().await.unwrap();
    host.append_one("account-1", "Closed", json!({})).await;
    until_failing(&host, "all", "is not an event of this log; the log needs a stream of its own").await;
    assert_eq!(nats.last_sequence("EVENTS").await, 2);

    // A new stream gets all of it.
    nats.context().await.delete_stream("EVENTS").await.unwrap();
    nats.make_stream("EVENTS", "events.>").await;
    check(&host, &nats).await;
    until("it is well", async || host.json("/v1/sinks/all").await["published"]["error"].is_null()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_made_again_while_nothing_is_appended_gets_the_log_again() {
    let (database, nats) = (TestDatabase::create().await, Nats::start(None).await);
    nats.make_stream("EVENTS", "events.>").await;
    let host = host(&database).await;
    assert_eq!(host.import(lines(10, 0)).await.status, 201);
    put_sink(&host, "all", log_sink(&nats)).await;
    until("all are there", async || nats.last_sequence("EVENTS").await == 10).await;
    nats.context().await.delete_stream("EVENTS").await.unwrap();
    nats.make_stream("EVENTS", "events.>").await;
    until("all are there again", async || nats.last_sequence("EVENTS").await == 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_another_log_is_left_alone() {
    let (one, other) = (TestDatabase::create().await, TestDatabase::create().await);
    let nats = Nats::start(None).await;
    nats.make_stream("EVENTS", "events.>").await;
    let first = host(&one).await;
    first.append_one("account-1", "Opened", json!({})).await;
    put_sink(&first, "all", log_sink(&nats)).await;
    check(&first, &nats).await;
    let second = host(&other).await;
    second.append_one("account-1", "Opened", json!({})).await;
    put_sink(&second, "all", log_sink(&nats)).await;
    until_failing(&second, "all", "it is another log, or this one was restored from a backup").await;
    assert_eq!(nats.last_sequence("EVENTS").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_has_removed_its_messages_gets_the_next_ones() {
    let (database, nats) = (TestDatabase::create().await, Nats::start(None).await);
    nats.make_stream("EVENTS", "events.>").await;
    let host = host(&database).await;
    host.append_one("account-1", "Opened", json!({})).await;
    put_sink(&host, "all", log_sink(&nats)).await;
    until("it is noted", async || host.json("/v1/sinks/all").await["published"]["position"] == json!(1)).await;
    nats.context().await.get_stream("EVENTS").await.unwrap().purge().await.unwrap();
    // Another session begins with what was noted.
    let later = json!({"timeout_seconds": 11});
    let mut settings = log_sink(&nats);
    settings.as_object_mut().unwrap().extend(later.as_object().unwrap().clone());
    put_sink(&host, "all", settings).await;
    host.append_one("account-1", "Closed", json!({})).await;
    until("the next one has come", async || nats.last_sequence("EVENTS").await == 2).await;
    let stored = nats.stored("EVENTS").await;
    assert_eq!(stored[0].header("Gnomon-Position"), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_stream_begins_where_it_is_told() {
    let (database, nats) = (TestDatabase::create().await, Nats::start(None).await);
    nats.make_stream("EVENTS", "events.>").await;
    let host = host(&database).await;
    assert_eq!(host.import(lines(10, 0)).await.status, 201);
    let mut settings = log_sink(&nats);
    settings["after"] = json!(7);
    put_sink(&host, "all", settings).await;
    until("the rest has come", async || nats.last_sequence("EVENTS").await == 3).await;
    assert_eq!(nats.stored("EVENTS").await[0].header("Gnomon-Position"), "8");
}
