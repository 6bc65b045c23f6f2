//! Operations on builds: activating and rolling back under load, pausing, retiring, deleting.

use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Host, Load, until};

const TALLIES: &str = "tally/tallies?order=stream&limit=10";

async fn host_with_tally(database: &TestDatabase) -> (Host, u64) {
    let host = Host::start(database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    (host, build)
}

/// The changes of the projection's states, oldest first.
async fn history(host: &Host, name: &str) -> Vec<(Option<u64>, String)> {
    let page = host.get(&format!("/v1/projections/{name}/history?limit=1000")).await;
    let entries = page.body["history"].as_array().unwrap().iter().rev();
    entries.map(|entry| (entry["build"].as_u64(), entry["change"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn swaps_under_load_fail_no_request_and_positions_never_go_back() {
    let database = TestDatabase::create().await;
    let (host, first) = host_with_tally(&database).await;
    let load = Load::start(host.url(), TALLIES, 8, 4);

    let second = host.deploy("tally", test_support::guest("tally_next"), "").await;
    host.until_state("tally", second, "active").await;
    for _ in 0..3 {
        let back = host.post("/v1/projections/tally/rollback").await;
        assert_eq!((back.status, &back.body["active_build"]), (StatusCode::OK, &json!(first)), "{back:?}");
        let forward = host.post("/v1/projections/tally/activate").await;
        assert_eq!((forward.status, &forward.body["active_build"]), (StatusCode::OK, &json!(second)), "{forward:?}");
    }
    let third = host.post("/v1/projections/tally/rebuild").await;
    assert_eq!(third.status, StatusCode::CREATED, "{third:?}");
    let third = third.body["build"].as_u64().unwrap();
    host.until_state("tally", third, "active").await;

    let (reads, appends) = load.stop().await;
    assert!(reads > 0 && appends > 0);
    // No event is missing or counted twice, also in the replaced builds.
    let head = host.head().await;
    assert_eq!(head, appends);
    for build in [third, second, first] {
        let answer = host.post(&format!("/v1/projections/tally/activate?build={build}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let rows = host.rows_at(TALLIES, head).await;
        let sum = |column: &str| rows.iter().map(|row| row[column].as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum("sum"), sum("events")), (appends, appends), "build {build}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_activated_manually_and_the_views_follow() {
    let database = TestDatabase::create().await;
    let (host, first) = host_with_tally(&database).await;
    let position = host.append_one("count-1", "Counted", json!({"n": 5})).await;
    let second = host.deploy("tally", test_support::guest("tally_next"), "?activate=manual").await;
    host.until_state("tally", second, "live").await;
    let columns = async || {
        let rows = host.rows_at(TALLIES, position).await;
        rows[0].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let pool = database.pool().await;
    let view = async || {
        sqlx::query_scalar::<_, Value>("SELECT row_to_json(t) FROM read_models.tally_tallies AS t")
            .fetch_one(&pool)
            .await
            .unwrap()
    };
    assert_eq!(columns().await, ["events", "last_version", "stream", "sum"]);
    assert_eq!(view().await, json!({"stream": "1", "sum": 5, "events": 1, "last_version": 1}));

    let answer = host.post(&format!("/v1/projections/tally/activate?build={second}")).await;
    assert_eq!((answer.status, &answer.body["active_version"]), (StatusCode::OK, &json!(2)));
    assert_eq!(columns().await, ["events", "poison", "stream", "sum"]);
    assert_eq!(view().await, json!({"stream": "1", "sum": 5, "events": 1, "poison": 0}));

    // The older version again: its build is kept and becomes active at once.
    let again = host.deploy("tally", test_support::guest("tally"), "").await;
    assert_eq!(again, first);
    assert_eq!(host.projection("tally").await["active_build"], json!(first));
    let nothing_older = host.post("/v1/projections/tally/rollback").await;
    assert_eq!(
        (nothing_older.status, &nothing_older.body["code"]),
        (StatusCode::CONFLICT, &json!("no_suitable_build"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_deployed_again_becomes_active_when_its_build_is_not_behind() {
    let database = TestDatabase::create().await;
    let (host, first) = host_with_tally(&database).await;
    let second = host.deploy("tally", test_support::guest("tally_next"), "?activate=manual").await;
    host.until_state("tally", second, "live").await;
    assert_eq!(host.post(&format!("/v1/projections/tally/pause?build={second}")).await.status, StatusCode::OK);
    let position = host.append_one("count-1", "Counted", json!({"n": 5})).await;
    host.rows_at(TALLIES, position).await;

    let again = host.upload("tally", test_support::guest("tally_next"), "").await;
    assert_eq!((again.status, &again.body["build"]), (StatusCode::OK, &json!(second)), "{again:?}");
    assert_eq!(host.projection("tally").await["active_build"], json!(first), "queries have seen more");
    assert_eq!(host.post(&format!("/v1/projections/tally/resume?build={second}")).await.status, StatusCode::OK);
    host.until_state("tally", second, "active").await;
    assert_eq!(host.rows_at(TALLIES, position).await[0]["sum"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_replaces_one_that_has_not_caught_up() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    host.append_one("count-1", "Counted", json!({"n": 5, "poison": true})).await;
    let stuck = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", stuck, "halted").await;
    let fixed = host.deploy("tally", test_support::guest("tally_next"), "").await;
    host.until_state("tally", fixed, "active").await;
    assert_eq!(host.build("tally", stuck).await["state"], "retired");
    let schemas: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'build\\_%'")
        .fetch_one(&database.pool().await)
        .await
        .unwrap();
    assert_eq!(schemas, 1, "the tables of the retired build are dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_build_stops_and_resumes_at_its_checkpoint() {
    let database = TestDatabase::create().await;
    let (host, build) = host_with_tally(&database).await;
    let position = host.append_one("count-1", "Counted", json!({"n": 1})).await;
    host.rows_at(TALLIES, position).await;
    assert_eq!(host.post("/v1/projections/tally/pause").await.status, StatusCode::OK);
    assert_eq!(host.build("tally", build).await["state"], "paused");
    let later = host.append_one("count-1", "Counted", json!({"n": 1})).await;

    let refused = host.post("/v1/projections/tally/retry").await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("wrong_build_state")));
    // Queries go on, at its position.
    let answer = host.get(&format!("/v1/read-models/{TALLIES}")).await;
    assert_eq!((answer.status, answer.position), (StatusCode::OK, Some(position)));

    assert_eq!(host.post("/v1/projections/tally/resume").await.status, StatusCode::OK);
    assert_eq!(host.rows_at(TALLIES, later).await[0]["sum"], 2);
    let entries = history(&host, "tally").await;
    let changes: Vec<&str> = entries.iter().map(|(_, change)| change.as_str()).collect();
    assert_eq!(changes, ["begun", "caught_up", "activated", "paused", "resumed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_that_were_replaced_are_dropped_after_their_time() {
    let database = TestDatabase::create().await;
    let host = Host::start_with(&database, &["--keep-replaced", "0"]).await;
    let first = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", first, "active").await;
    let second = host.deploy("tally", test_support::guest("tally_next"), "").await;
    host.until_state("tally", second, "active").await;
    host.until_state("tally", first, "retired").await;
    let gone = host.post(&format!("/v1/projections/tally/activate?build={first}")).await;
    assert_eq!((gone.status, &gone.body["code"]), (StatusCode::CONFLICT, &json!("wrong_build_state")));
    let last = history(&host, "tally").await.pop();
    assert_eq!(last, Some((Some(first), "retired".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_projection_leaves_its_events_and_its_history() {
    let database = TestDatabase::create().await;
    let (host, build) = host_with_tally(&database).await;
    let position = host.append_one("count-1", "Counted", json!({"n": 1})).await;
    let in_use = host.send(host.request(Method::DELETE, &format!("/v1/projections/tally/builds/{build}"))).await;
    assert_eq!((in_use.status, &in_use.body["code"]), (StatusCode::CONFLICT, &json!("wrong_build_state")));

    let deleted = host.send(host.request(Method::DELETE, "/v1/projections/tally")).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:?}");
    assert_eq!(host.get("/v1/projections/tally").await.status, StatusCode::NOT_FOUND);
    assert_eq!(host.get(&format!("/v1/read-models/{TALLIES}")).await.status, StatusCode::NOT_FOUND);
    let left: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
         WHERE nspname LIKE 'build\\_%' OR nspname = 'read_models'",
    )
    .fetch_one(&database.pool().await)
    .await
    .unwrap();
    assert_eq!(left, 0);
    assert_eq!(history(&host, "tally").await.pop(), Some((None, "deleted".to_owned())));

    // It can be deployed again, from the first event.
    let again = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", again, "active").await;
    assert_eq!(host.rows_at(TALLIES, position).await[0]["sum"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_can_be_followed() {
    let database = TestDatabase::create().await;
    let (host, build) = host_with_tally(&database).await;
    let request = host.request(Method::GET, "/v1/projections/tally").header("accept", "text/event-stream");
    let mut followed = request.send().await.unwrap();
    let position = host.append_one("count-1", "Counted", json!({"n": 1})).await;
    let mut text = String::new();
    let wanted = format!("\"build\":{build},\"version\":1,\"state\":\"active\",\"checkpoint\":{position}");
    until("the stream tells of the new checkpoint", async || {
        let chunk = followed.chunk().await.unwrap().expect("the stream goes on");
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        text.contains(&wanted)
    })
    .await;
    // After the comment with which every stream begins.
    let events = text.trim_start_matches([':', ' ', '\n']);
    assert!(events.starts_with("event: projection\ndata: {\"name\":\"tally\""), "{text}");
}
