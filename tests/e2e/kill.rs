//! A host that is killed at any time loses no event and folds none twice.

use std::time::Duration;

use gnomon::postgres::test_database::TestDatabase;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{FLIGHT_TABLES, Host, deploy_flights, deploy_upcaster, fingerprint_of, until, week, week_ndjson};

/// Events that are replayed.
const EVENTS: i64 = 20_000;
/// How often the host is killed.
const KILLS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_random_instants_leave_the_tables_as_they_would_be() {
    let (seed, _) = Uuid::new_v4().as_u64_pair();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let database = TestDatabase::create().await;
    // Small batches make more commits that a kill can hit.
    let mut host = Host::start_with(&database, &["--batch-events", "100"]).await;
    deploy_upcaster(&host).await;
    deploy_flights(&host).await;

    let events = week();
    let chunks: Vec<&[Value]> = events.chunks(events.len() / KILLS + 1).collect();
    for chunk in chunks {
        // The host is killed while it imports and folds. An import that was answered is in the log; the others are sent again.
        let request = host.request(reqwest::Method::POST, "/v1/events").header("content-type", "application/x-ndjson");
        let import = tokio::spawn(request.body(week_ndjson(chunk)).send());
        tokio::time::sleep(Duration::from_millis(random.random_range(0..150))).await;
        host.kill();
        let answered = import.await.unwrap().is_ok_and(|response| response.status().is_success());
        host.restart().await;
        let again = host.import(week_ndjson(chunk)).await;
        assert!(again.status.is_success(), "{again:?}");
        if answered {
            assert_eq!(again.body["imported"], 0, "an import that was answered 201 is in the log");
        }
        // And once more while it only folds.
        tokio::time::sleep(Duration::from_millis(random.random_range(0..100))).await;
        host.kill();
        host.restart().await;
    }
    assert_eq!(host.head().await, 18262);
    for (projection, table, columns, rows, fingerprint) in FLIGHT_TABLES {
        let found = fingerprint_of(&host, projection, table, columns, 18262).await;
        assert_eq!(found, (rows, fingerprint.to_owned()), "{table}, seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_continues_at_its_checkpoint_and_not_at_the_start() {
    let database = TestDatabase::create().await;
    // Batches so small that the replay takes a while.
    let mut host = Host::start_with(&database, &["--batch-events", "10"]).await;
    let events = (0..EVENTS).map(|_| r#"{"stream":"count-1","type":"Counted","data":{"n":1}}"#.to_owned() + "\n");
    assert!(host.import(events.collect()).await.status.is_success());
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    until("the replay is under way", async || host.build("tally", build).await["checkpoint"].as_u64() > Some(100))
        .await;
    host.kill();
    let checkpoint = async || {
        sqlx::query_scalar::<_, i64>("SELECT checkpoint FROM gnomon.subscriptions")
            .fetch_one(&database.pool().await)
            .await
            .unwrap()
    };
    let at_the_kill = checkpoint().await;
    assert!((100..EVENTS).contains(&at_the_kill), "killed at {at_the_kill}, in the middle");

    host.restart().await;
    until("the replay has ended", async || {
        let found = host.build("tally", build).await;
        assert!(found["checkpoint"].as_i64() >= Some(at_the_kill), "a checkpoint never goes back: {found}");
        found["state"] == "active"
    })
    .await;
    // An event that was folded twice would count twice.
    let rows = host.rows_at("tally/tallies", EVENTS.unsigned_abs()).await;
    assert_eq!((&rows[0]["sum"], &rows[0]["events"]), (&EVENTS.into(), &EVENTS.into()));
}

/// Two hosts, of which one is killed while it makes what somebody asks of the past: the other one goes on where it was, and answers.
#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_made_by_another_host_when_the_one_that_made_it_is_killed() {
    let database = TestDatabase::create().await;
    let mut host = Host::start_with(&database, &["--batch-events", "10"]).await;
    let events = (0..EVENTS).map(|_| r#"{"stream":"count-1","type":"Counted","data":{"n":1}}"#.to_owned() + "\n");
    assert!(host.import(events.collect()).await.status.is_success());
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    let at = EVENTS - 1;
    let ask = format!("/v1/read-models/tally/tallies?as_of={at}");
    let past = async |host: &Host| host.json("/v1/projections/tally/past-builds").await["past_builds"][0].clone();
    let begun = host.request(reqwest::Method::GET, &ask).header("prefer", "wait=0").send().await.unwrap();
    assert_eq!(begun.status(), 202);
    until("the past build is under way", async || past(&host).await["checkpoint"].as_u64() > Some(100)).await;
    let other = host.beside().await;
    host.kill();
    let at_the_kill = past(&other).await;
    assert!(at_the_kill["state"] == "replaying" && at_the_kill["checkpoint"].as_i64() < Some(at), "{at_the_kill}");
    until("the other host has finished it", async || {
        let found = past(&other).await;
        assert!(found["checkpoint"].as_u64() >= at_the_kill["checkpoint"].as_u64(), "{found}");
        assert_eq!(found["past_build"], at_the_kill["past_build"]);
        found["state"] == "finished"
    })
    .await;
    let rows = other.json(&ask).await;
    assert_eq!(rows, serde_json::json!([{"stream": "1", "sum": at, "events": at, "last_version": at}]));
}
