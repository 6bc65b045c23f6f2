//! Verifying builds: a second build of the same version is compared with the first.

use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Host, Load, until};

async fn verify(host: &Host, name: &str) -> Value {
    let begun = host.post(&format!("/v1/projections/{name}/verify")).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    let verification = begun.body["verification"].as_u64().unwrap();
    until("it has caught up", async || host.verification(name, verification).await["state"] == "live").await;
    let result = host.get(&format!("/v1/projections/{name}/verify/{verification}")).await;
    assert_eq!(result.status, StatusCode::OK, "{result:?}");
    assert_eq!(result.body["verification"], verification);
    let gone = host.send(host.request(Method::DELETE, &format!("/v1/projections/{name}/verify/{verification}"))).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(host.projection(name).await["verifications"], json!([]));
    result.body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_module_is_identical_while_events_are_appended() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    let load = Load::start(host.url(), "tally/tallies", 1, 4);
    let result = verify(&host, "tally").await;
    load.stop().await;
    assert_eq!(result["identical"], true, "{result}");
    assert_eq!(result["verified"], json!({"build": build, "version": 1}));
    assert_eq!(result["content_hash"].as_str().unwrap().len(), 64, "{result}");
    assert_eq!(result["cause"], Value::Null, "{result}");
    assert!(result["batches"]["largest"].as_u64() <= Some(251), "{result}");
}

/// A build that is partitioned by stream is replayed on four threads; what verifies it has one.
#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_folded_side_by_side_have_the_rows_of_one_thread() {
    let database = TestDatabase::create().await;
    let host = Host::start_with(&database, &["--replay-threads", "4"]).await;
    let event =
        |number: usize| json!({"stream": format!("count-{}", number % 37), "type": "Counted", "data": {"n": number}});
    host.import((0..3000).map(|number| format!("{}\n", event(number))).collect()).await;
    let build = host.deploy("tally", test_support::guest("tally_by_stream"), "").await;
    host.until_state("tally", build, "active").await;
    let row = host.get("/v1/read-models/tally/tallies?stream=eq.0").await;
    assert_eq!(row.body[0]["events"], 82, "{row:?}");
    let load = Load::start(host.url(), "tally/tallies", 1, 4);
    let result = verify(&host, "tally").await;
    load.stop().await;
    assert_eq!(result["identical"], true, "{result}");
}

/// The result of verifying a module that counts in its memory, on a log of so many events.
async fn verify_what_remembers(events: usize) -> Value {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let lines = (0..events).map(|_| json!({"stream": "any-1", "type": "Happened", "data": {}}));
    host.import(lines.map(|event| format!("{event}\n")).collect()).await;
    let build = host.deploy("remembers", test_support::guest("remembers"), "").await;
    host.until_state("remembers", build, "active").await;
    verify(&host, "remembers").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_with_hidden_state_differs() {
    let result = verify_what_remembers(1000).await;
    assert_eq!((&result["identical"], &result["content_hash"]), (&json!(false), &Value::Null), "{result}");
    let notes = &result["tables"][0];
    assert_eq!((&notes["rows_left"], &notes["rows_right"]), (&json!(1000), &json!(1000)), "{notes}");
    assert!(notes["changed"].as_u64().unwrap() > 500, "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_state_is_found_on_the_shortest_logs() {
    for events in [2, 3, 251] {
        let result = verify_what_remembers(events).await;
        assert_eq!((&result["identical"], &result["cause"]), (&json!(false), &json!("module")), "{events}: {result}");
        assert_eq!(result["batches"]["events"], events, "{result}");
        assert!(result["batches"]["count"].as_u64() >= Some(2), "{result}");
    }
    // One event cannot be split, and the answer says so.
    let result = verify_what_remembers(1).await;
    assert_eq!(
        (&result["identical"], &result["batches"]),
        (&json!(true), &json!({"count": 1, "events": 1, "largest": 1})),
        "{result}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_out_of_order_must_be_requested_and_verify_does_not_blame_the_module() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("ledger", test_support::guest("ledger"), "").await;
    host.until_state("ledger", build, "active").await;
    host.set_on_failure("ledger", "skip").await;
    // The first deposit comes before its account, and is set aside; the second one of its stream is folded.
    host.append_one("ledger-1", "Deposited", json!({"account": "a", "amount": 5})).await;
    host.append_one("ledger-2", "Opened", json!({"account": "a"})).await;
    let last = host.append_one("ledger-1", "Deposited", json!({"account": "a", "amount": 7})).await;
    assert_eq!(
        host.rows_at("ledger/accounts?select=balance,trail", last).await,
        [json!({"balance": 7, "trail": "2 3"})]
    );

    let refused = host.post("/v1/projections/ledger/retry").await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (StatusCode::CONFLICT, &json!("retry_out_of_order")),
        "{refused:?}"
    );
    assert_eq!(verify(&host, "ledger").await["identical"], true, "nothing was folded out of order");

    let retried = host.post("/v1/projections/ledger/retry?out_of_order=true").await;
    assert_eq!((retried.status, &retried.body["overtaken"]), (StatusCode::OK, &json!(0)), "{retried:?}");
    until("it is folded", async || host.build("ledger", build).await["out_of_order"] == 1).await;
    assert_eq!(
        host.rows_at("ledger/accounts?select=balance,trail", last).await,
        [json!({"balance": 12, "trail": "2 3 1"})]
    );
    let result = verify(&host, "ledger").await;
    assert_eq!((&result["identical"], &result["cause"]), (&json!(false), &json!("out_of_order")), "{result}");
    let output = host.try_run(&["verify", "ledger"]).await;
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("after later events") && message.contains("gnomon rebuild ledger"), "{message}");

    // A rebuild folds the events in the order of the log.
    let rebuilt = host.post("/v1/projections/ledger/rebuild").await.body["build"].as_u64().unwrap();
    host.until_state("ledger", rebuilt, "active").await;
    assert_eq!(host.build("ledger", rebuilt).await["out_of_order"], 0);
    assert_eq!(verify(&host, "ledger").await["identical"], true);
}

/// The build that is verified has skipped an event at which its projection halts by now.
#[tokio::test(flavor = "multi_thread")]
async fn a_verification_that_halts_where_the_build_has_a_dead_letter_says_what_to_do() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    host.set_on_failure("tally", "skip").await;
    let last = host.append_one("count-1", "Counted", json!({"n": 1, "poison": true})).await;
    until("it is set aside", async || host.build("tally", build).await["checkpoint"] == json!(last)).await;
    host.set_on_failure("tally", "halt").await;

    let output = host.try_run(&["verify", "tally"]).await;
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("error: verification 1 of `tally` (build 1) halted at position 1"), "{message}");
    assert!(message.contains("build 1 has set 1 event aside, and `tally` halts at such an event now"), "{message}");
    assert!(message.contains("`gnomon on-failure tally skip`, or `park`"), "{message}");

    let begun = host.post("/v1/projections/tally/verify").await;
    assert_eq!((&begun.body["verification"], &begun.body["build"]), (&json!(2), &json!(1)), "{begun:?}");
    until("it has halted", async || host.verification("tally", 2).await["state"] == "halted").await;
    let result = host.get("/v1/projections/tally/verify/2").await;
    assert_eq!((result.status, &result.body["verification"]), (StatusCode::CONFLICT, &json!(2)), "{result:?}");
    let detail = result.body["detail"].as_str().unwrap();
    assert!(detail.starts_with("verification 2 of projection `tally` is halted: "), "{detail}");
    assert!(detail.contains("set on_failure to `skip` or `park`, and verify again"), "{detail}");
    host.send(host.request(Method::DELETE, "/v1/projections/tally/verify/2")).await;
    host.set_on_failure("tally", "skip").await;
    assert_eq!(verify(&host, "tally").await["identical"], true);
}
