//! Events that a module cannot handle: halt, skip, park and retry.

use gnomon::postgres::test_database::TestDatabase;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Host, until};

const TALLIES: &str = "tally/tallies?order=stream&select=stream,sum,events";

/// Appends numbers of several streams in one import, so that they are one batch; the 700th is poison.
async fn append_with_poison(host: &Host) -> u64 {
    let events = (1..=1000).map(|number| {
        let data = json!({"n": 1, "poison": number == 700});
        json!({"stream": format!("count-{}", number % 3), "type": "Counted", "data": data})
    });
    let answer = host.import(events.map(|event| format!("{event}\n")).collect()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.body["last_position"].as_u64().unwrap()
}

async fn tally(database: &TestDatabase, policy: &str) -> (Host, u64) {
    let host = Host::start(database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    host.set_on_failure("tally", policy).await;
    (host, build)
}

async fn dead_letters(host: &Host) -> Vec<Value> {
    let answer = host.get("/v1/projections/tally/dead-letters?limit=1000").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.body["total"].as_u64().unwrap(), answer.body["dead_letters"].as_array().unwrap().len() as u64);
    answer.body["dead_letters"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_halts_at_the_one_event_and_a_fixed_version_replaces_it() {
    let database = TestDatabase::create().await;
    let (host, build) = tally(&database, "halt").await;
    let last = append_with_poison(&host).await;
    host.until_state("tally", build, "halted").await;
    let halted = host.build("tally", build).await;
    assert_eq!(halted["checkpoint"], 699, "everything before it is kept");
    insta::assert_snapshot!(format!("{:#}", halted["error"]), @r#"
    {
      "event_type": "Counted",
      "kind": "refused",
      "message": "Counted: it is poison",
      "position": 700,
      "reason": "module",
      "stream": "count-1"
    }
    "#);

    // Trying again does not help: it halts at the same event.
    assert_eq!(host.post("/v1/projections/tally/retry").await.status, StatusCode::OK);
    host.until_state("tally", build, "halted").await;
    let fixed = host.deploy("tally", test_support::guest("tally_next"), "").await;
    host.until_state("tally", fixed, "active").await;
    let rows = host.rows_at("tally/tallies?order=stream&select=sum,events,poison", last).await;
    assert_eq!(rows[1], json!({"sum": 333, "events": 334, "poison": 1}));
}

#[tokio::test(flavor = "multi_thread")]
async fn skip_sets_the_event_aside_and_nothing_else() {
    let database = TestDatabase::create().await;
    let (host, build) = tally(&database, "skip").await;
    let last = append_with_poison(&host).await;
    let rows = host.rows_at(TALLIES, last).await;
    assert_eq!(rows[1], json!({"stream": "1", "sum": 333, "events": 333}));
    assert_eq!(rows[2], json!({"stream": "2", "sum": 333, "events": 333}));
    let letters = dead_letters(&host).await;
    assert_eq!(letters.len(), 1);
    assert_eq!((&letters[0]["position"], &letters[0]["parked"]), (&json!(700), &json!(false)));
    assert_eq!(letters[0]["error"]["message"], "Counted: it is poison");
    assert_eq!(host.build("tally", build).await["state"], "active");

    // Later events of its stream were folded, so it is retried only with `out_of_order`.
    let refused = host.post("/v1/projections/tally/retry").await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("retry_out_of_order")));
    assert_eq!(refused.body["dead_letters"], 1, "{refused:?}");
    // It fails again, and is set aside again.
    assert_eq!(host.post("/v1/projections/tally/retry?out_of_order=true").await.status, StatusCode::OK);
    let later = host.append_one("count-1", "Counted", json!({"n": 1})).await;
    assert_eq!(host.rows_at(TALLIES, later).await[1]["sum"], 334);
    assert_eq!(dead_letters(&host).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn park_keeps_later_events_of_the_stream_waiting_across_restarts() {
    let database = TestDatabase::create().await;
    let (mut host, _) = tally(&database, "park").await;
    let last = append_with_poison(&host).await;
    let rows = host.rows_at(TALLIES, last).await;
    assert_eq!(rows[0], json!({"stream": "0", "sum": 333, "events": 333}));
    assert_eq!(rows[1], json!({"stream": "1", "sum": 233, "events": 233}), "its stream waits from there on");
    host.kill();
    host.restart().await;
    let later = host.append_one("count-1", "Counted", json!({"n": 1})).await;
    assert_eq!(host.rows_at(TALLIES, later).await[1]["sum"], 233, "and so do later events of the stream");

    let letters = dead_letters(&host).await;
    assert_eq!(letters.len(), 102);
    assert_eq!(letters[0]["error"]["message"], "Counted: it is poison");
    assert!(letters[1..].iter().all(|letter| letter["error"].is_null() && letter["stream"] == "count-1"));

    // With `skip`, a retry folds the waiting events in their order; only the poison stays set aside.
    host.set_on_failure("tally", "skip").await;
    assert_eq!(host.post("/v1/projections/tally/retry").await.status, StatusCode::OK);
    let end = host.append_one("count-1", "Counted", json!({"n": 1})).await;
    let rows = host.rows_at("tally/tallies?order=stream&select=sum,last_version", end).await;
    assert_eq!(rows[1], json!({"sum": 335, "last_version": 336}));
    assert_eq!(dead_letters(&host).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_dead_letters_halt_the_build() {
    let database = TestDatabase::create().await;
    let host = Host::start_with(&database, &["--max-dead-letters", "3"]).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.set_on_failure("tally", "skip").await;
    for _ in 0..4 {
        host.append_one("count-1", "Counted", json!({"n": 1, "poison": true})).await;
    }
    host.until_state("tally", build, "halted").await;
    let error = host.build("tally", build).await["error"].clone();
    assert_eq!((&error["reason"], &error["max"]), (&json!("too_many_dead_letters"), &json!(3)), "{error}");
    assert!(dead_letters(&host).await.len() <= 3, "a dead letter beyond the limit is not committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_after_the_one_where_a_build_halts_are_folded_once() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("ledger", test_support::guest("ledger"), "").await;
    host.until_state("ledger", build, "active").await;
    host.set_on_failure("ledger", "park").await;
    host.append_one("ledger-1", "Deposited", json!({"account": "a1", "amount": 5})).await;
    let opened = host.append_one("ledger-3", "Opened", json!({"account": "a1"})).await;
    assert_eq!(host.rows_at("ledger/accounts?select=balance", opened).await, [json!({"balance": 0})]);
    host.set_on_failure("ledger", "halt").await;
    let lines = [
        json!({"stream": "ledger-2", "type": "Poison", "data": {}}),
        json!({"stream": "ledger-1", "type": "Deposited", "data": {"account": "a1", "amount": 7}}),
    ];
    let imported = host.import(lines.map(|line| format!("{line}\n")).concat()).await;
    assert_eq!(imported.status, StatusCode::CREATED, "{imported:?}");
    host.until_state("ledger", build, "halted").await;
    let letters = async || host.build("ledger", build).await["dead_letters"].as_u64();
    assert_eq!((host.build("ledger", build).await["checkpoint"].as_u64(), letters().await), (Some(2), Some(1)));

    // The dead letter is folded, and the build halts at the poison again. The answer says that another stream had later events.
    let retried = host.post("/v1/projections/ledger/retry").await;
    assert_eq!((retried.status, &retried.body["behind_others"]), (StatusCode::OK, &json!(1)), "{retried:?}");
    until("it halts again", async || {
        letters().await == Some(0) && host.build("ledger", build).await["state"] == "halted"
    })
    .await;
    assert_eq!(host.rows_at("ledger/accounts?select=balance,trail", 2).await, [json!({"balance": 5, "trail": "2 1"})]);
    host.set_on_failure("ledger", "skip").await;
    assert_eq!(host.post("/v1/projections/ledger/retry").await.status, StatusCode::OK);
    assert_eq!(
        host.rows_at("ledger/accounts?select=balance,trail", 4).await,
        [json!({"balance": 12, "trail": "2 1 4"})]
    );
    assert_eq!(letters().await, Some(1), "the poison");
}
