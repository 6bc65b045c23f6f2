//! State and history of streams. What they say is tested with the past; here it is that it is as described.

use super::*;
use crate::{builds::Activation, read_model::Identifier};

async fn with_tally() -> TestApi {
    let api = TestApi::start_for_modules().await;
    let tally = Identifier::new("tally").unwrap();
    api.host.deploy(&tally, test_support::guest("tally_by_stream"), Activation::Auto).await;
    for n in 1..=3 {
        let counted = json!({"type": "Counted", "data": {"n": n}});
        assert_eq!(api.append("count-1", json!({"events": [counted]})).await.status, StatusCode::CREATED);
    }
    api.host.caught_up(&tally).await;
    api
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_of_a_stream_is_answered_as_described() {
    let api = with_tally().await;
    let state = api.get("/v1/streams/count-1/state?projection=tally&at_version=2").await;
    assert_eq!(state.status, StatusCode::OK, "{}", state.text());
    let mut state = state.json();
    let recorded_at = state["recorded_at"].take();
    assert_eq!(
        state,
        json!({
            "stream": "count-1", "version": 2, "position": 2, "recorded_at": null, "newest_version": 3,
            "logic": {"projection": "tally", "version": 1, "upcasters": [], "build": 1},
            "events_left_out": 0, "snapshot": 0, "events_folded": 2,
            "tables": {"tallies": [{"stream": "1", "sum": 3, "events": 2, "last_version": 2}]},
        })
    );
    // Of the same microsecond, all events count.
    let at_time =
        format!("/v1/streams/count-1/state?projection=tally&version=1&at_time={}", recorded_at.as_str().unwrap());
    assert!(api.get(&at_time).await.json()["version"].as_u64() >= Some(2));
    let before = api.get("/v1/streams/count-1/state?projection=tally&at_time=2001-01-01T00:00:00Z").await.json();
    assert_eq!(
        (&before["version"], &before["position"], &before["tables"]["tallies"]),
        (&json!(0), &json!(null), &json!([]))
    );

    let page = api.get("/v1/streams/count-1/history?projection=tally&direction=backward&limit=2").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let page = page.json();
    let versions: Vec<&Value> =
        page["events"].as_array().unwrap().iter().map(|event| &event["event"]["version"]).collect();
    assert_eq!((versions, &page["next"]), (vec![&json!(3), &json!(2)], &json!(2)));
    assert_eq!(
        page["events"][1]["changes"],
        json!([{
            "table": "tallies",
            "before": {"stream": "1", "sum": 1, "events": 1, "last_version": 1},
            "after": {"stream": "1", "sum": 3, "events": 2, "last_version": 2},
            "columns": ["sum", "events", "last_version"],
        }])
    );
    let first = api.get("/v1/streams/count-1/history?projection=tally&direction=backward&after=2").await.json();
    assert_eq!((first["events"].as_array().map(Vec::len), &first["next"]), (Some(1), &json!(null)));

    let verification = api.post("/v1/streams/count-1/verify?projection=tally", "").await;
    assert_eq!(verification.status, StatusCode::OK, "{}", verification.text());
    let verification = verification.json();
    assert_eq!((&verification["identical"], &verification["rows"]), (&json!(true), &json!(1)));
    api.host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_told_has_a_code() {
    let api = with_tally().await;
    api.host.deploy(&Identifier::new("course").unwrap(), test_support::guest("tally"), Activation::Auto).await;
    for (path, problem) in [
        ("count-1/state", "400 invalid_query: query string: the parameter `projection` is missing"),
        ("count-1/state?projection=nobody", "404 projection_not_found: "),
        ("count-1/state?projection=No%20Body", "400 invalid_path: "),
        ("count-1/state?projection=tally&version=2", "404 module_not_found: "),
        ("count-2/state?projection=tally", "404 stream_not_found: "),
        ("count-1/state?projection=course", "409 not_partitioned: "),
        ("count-1/state?projection=tally&at_version=4", "409 position_beyond_head: "),
        ("count-1/state?projection=tally&at_version=1&at_time=2001-01-01T00:00:00Z", "400 invalid_query: "),
        (
            "count-1/state?projection=tally&at_time=2999-01-01T00:00:00Z",
            "400 invalid_query: at_time 2999-01-01T00:00:00Z has not passed",
        ),
        ("count-1/state?projection=tally&at_time=yesterday", "400 invalid_query: `at_time`: "),
        ("count-1/history?projection=tally&after=4", "409 position_beyond_head: "),
        ("count-1/history?projection=tally&after=head", "400 invalid_query: "),
        ("count-1/history?projection=tally&limit=0", "400 invalid_query: "),
        ("count-1/history?projection=course", "409 not_partitioned: "),
    ] {
        let found = api.get(&format!("/v1/streams/{path}")).await.problem();
        assert!(found.starts_with(problem), "{path}: {found}");
    }
    let poison = json!({"type": "Counted", "data": {"n": 1, "poison": true}});
    api.append("count-1", json!({"events": [poison]})).await;
    let answer = api.get("/v1/streams/count-1/state?projection=tally").await;
    assert!(answer.problem().starts_with("422 fold_failed: version 1 of projection `tally` cannot handle version 4"));
    assert_eq!(answer.json()["version"], 4);
    assert_eq!(answer.json()["failure"]["message"], "Counted: it is poison");
    let page = api.get("/v1/streams/count-1/history?projection=tally&after=3").await.json();
    assert_eq!(page["events"][0]["status"], "stopped_at");
    let wrong = api.post("/v1/streams/count-2/verify?projection=tally", "").await.problem();
    assert!(wrong.starts_with("404 stream_not_found"), "{wrong}");
    api.host.projector.stop().await;
}
