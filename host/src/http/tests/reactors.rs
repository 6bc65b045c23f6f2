use std::time::Duration;

use super::{modules::upload, *};
use crate::operations::{OperationsSettings, RehearsalLimits};

async fn caught_up(api: &TestApi) {
    test_support::until("the reactor has handled the log", async || {
        let found = api.get("/v1/reactors/obeys").await.json();
        assert_eq!(found["error"], Value::Null);
        found["checkpoint"] == found["head"]
    })
    .await;
}

async fn tell(api: &TestApi, orders: Value) {
    let told = json!({"events": [{"type": "Told", "data": orders}]});
    assert_eq!(api.append("told-1", told).await.status, StatusCode::CREATED);
}

/// Version, change and cause of the entries of a page of the history.
async fn history(api: &TestApi, query: &str) -> Vec<Value> {
    let page = api.get(&format!("/v1/reactors/obeys/history{query}")).await.json();
    let entries = page["history"].as_array().unwrap().iter();
    entries.map(|entry| json!([entry["version"], entry["change"], entry["cause"]])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_befalls_a_reactor_is_in_its_history() {
    let api = TestApi::start_for_modules().await;
    upload(&api, "obeys", test_support::guest("obeys")).await;
    tell(&api, json!([{"fail_up_to": 1}])).await;
    test_support::until("it has halted", async || api.get("/v1/reactors/obeys").await.json()["state"] == "halted")
        .await;
    upload(&api, "obeys?activate=manual", test_support::guest("obeys_next")).await;
    // The same again is nothing new.
    upload(&api, "obeys?activate=manual", test_support::guest("obeys_next")).await;
    upload(&api, "asked", test_support::upcaster("asked")).await;
    let found = history(&api, "").await;
    let changes: Vec<_> = found.iter().map(|entry| (entry[0].as_u64().unwrap(), entry[1].as_str().unwrap())).collect();
    assert_eq!(changes, [(1, "upcasters_changed"), (2, "uploaded"), (1, "halted"), (1, "begun")]);
    assert_eq!(found[0][2], "upcaster `asked` version 1 was activated");
    assert!(found[2][2].as_str().unwrap().contains("it is told to fail"), "{}", found[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reactor_is_uploaded_operated_and_deleted() {
    let api = TestApi::start_for_modules().await;
    let uploaded = upload(&api, "obeys", test_support::guest("obeys")).await;
    assert_eq!(uploaded.status, StatusCode::CREATED);
    assert_eq!(uploaded.json()["reactor"], json!({"name": "obeys", "version": 1, "began_after": 0}));
    tell(&api, json!([{"append": {"stream": "note-1"}}])).await;
    caught_up(&api).await;
    let mut found = api.get("/v1/reactors/obeys").await.json();
    for time in ["created_at", "activated_at", "events_per_second"] {
        assert!(found.as_object_mut().unwrap().remove(time).is_some());
    }
    assert_eq!(
        found,
        json!({
            "name": "obeys", "version": 1, "state": "running", "on_failure": "halt", "checkpoint": 2, "head": 2, "lag": 0,
            "error": null, "dead_letters": 0, "out_of_order": 0, "schedules": 0, "next_due_at": null, "began_after": 0,
            "tables": ["heard", "counts"], "upcasters": [],
        })
    );
    assert_eq!(api.get("/v1/reactors").await.json()["reactors"][0]["name"], "obeys");

    let paused = api.post("/v1/reactors/obeys/pause", "").await.json();
    assert_eq!((paused["state"].as_str(), paused["checkpoint"].as_u64()), (Some("paused"), Some(2)));
    let again = api.post("/v1/reactors/obeys/pause", "").await;
    assert_eq!(again.problem(), "409 wrong_reactor_state: reactor `obeys` is paused: it is not running");
    assert_eq!(again.json()["state"], "paused");
    assert!(api.post("/v1/reactors/obeys/retry", "").await.problem().contains("resume it first"));
    assert_eq!(api.post("/v1/reactors/obeys/resume", "").await.json()["state"], "running");

    let policy = |on_failure: &str| {
        let body = json!({"on_failure": on_failure}).to_string();
        Request::patch("/v1/reactors/obeys").header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()
    };
    assert_eq!(api.send(policy("park")).await.json()["on_failure"], "park");
    assert!(api.send(policy("give_up")).await.problem().starts_with("422 invalid_body: on_failure"));
    tell(&api, json!([{"fail_up_to": 1}])).await;
    caught_up(&api).await;
    let letters = api.get("/v1/reactors/obeys/dead-letters?limit=1").await.json();
    assert_eq!((letters["total"].as_u64(), letters["next"].as_u64()), (Some(1), Some(3)));
    assert_eq!(letters["dead_letters"][0]["error"]["message"], "Told: it is told to fail");

    let refused = upload(&api, "obeys", test_support::guest("obeys_otherwise")).await;
    assert!(refused.problem().starts_with("409 reactor_rows_kept: version 2 cannot go on"), "{}", refused.problem());
    assert!(refused.json()["reasons"].as_array().is_some_and(|reasons| !reasons.is_empty()));
    let next = upload(&api, "obeys", test_support::guest("obeys_next")).await.json();
    assert_eq!(next["reactor"], json!({"name": "obeys", "version": 2, "replaced_version": 1}));
    let retried = api.post("/v1/reactors/obeys/retry", "").await.json();
    assert_eq!((retried["overtaken"].as_u64(), retried["reactor"]["name"].as_str()), (Some(0), Some("obeys")));
    test_support::until("nothing is set aside", async || {
        api.get("/v1/reactors/obeys").await.json()["dead_letters"] == json!(0)
    })
    .await;
    let back = api.post("/v1/reactors/obeys/activate?version=1", "").await.json();
    assert_eq!(back, json!({"name": "obeys", "version": 1, "replaced_version": 2}));
    let begun = api.post("/v1/reactors/obeys/activate?from=1", "").await.problem();
    assert!(begun.starts_with("409 reactor_has_begun: "), "{begun}");

    let delete = Request::delete("/v1/reactors/obeys").body(Body::empty()).unwrap();
    assert_eq!(api.send(delete).await.status, StatusCode::NO_CONTENT);
    assert_eq!(api.get("/v1/reactors/obeys").await.problem(), "404 reactor_not_found: there is no reactor `obeys`");
    assert_eq!(api.get("/v1/reactors").await.json(), json!({"reactors": []}));

    // Its history is still there; what was refused is not in it.
    let expected = [
        (1, "deleted", "an operator deleted the reactor"),
        (1, "activated", "version 1 was deployed, and goes on where version 2 stopped"),
        (2, "retried", "an operator asked for it"),
        (2, "activated", "version 2 was deployed, and goes on where version 1 stopped"),
        (1, "configured", "on_failure was set to park"),
        (1, "resumed", "an operator resumed it"),
        (1, "paused", "an operator paused it"),
        (1, "begun", "version 1 was deployed, and begins behind position 0"),
    ];
    assert_eq!(history(&api, "").await, expected.map(|(version, change, cause)| json!([version, change, cause])));
    let first = api.get("/v1/reactors/obeys/history?limit=2").await.json();
    assert_eq!(history(&api, &format!("?after={}", first["next"])).await.len(), expected.len() - 2);
    let never = api.get("/v1/reactors/nobody/history").await.problem();
    assert_eq!(never, "404 reactor_not_found: there is no reactor `nobody`, and never was");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_reactor_begins_is_for_reactors_that_begin() {
    let api = TestApi::start_for_modules().await;
    tell(&api, json!([])).await;
    let beyond = upload(&api, "obeys?from=3", test_support::guest("obeys")).await;
    assert!(beyond.problem().starts_with("409 position_beyond_head"), "{}", beyond.problem());
    let stored = upload(&api, "obeys?from=1&activate=manual", test_support::guest("obeys")).await.problem();
    assert!(stored.starts_with("400 invalid_query: `obeys` is a reactor, and `from` says where"), "{stored}");
    let projection = upload(&api, "tally?from=1", test_support::guest("tally")).await.problem();
    assert!(projection.starts_with("400 invalid_query: `tally` is a projection"), "{projection}");
    assert_eq!(api.get("/v1/modules").await.json(), json!({"modules": []}));
    let manual = upload(&api, "obeys?activate=manual", test_support::guest("obeys")).await.json();
    assert_eq!(manual.get("reactor"), None);
    assert_eq!(api.get("/v1/reactors").await.json(), json!({"reactors": []}));
    let begun = api.post("/v1/reactors/obeys/activate?from=1", "").await.json();
    assert_eq!(begun, json!({"name": "obeys", "version": 1, "began_after": 0}));
    // With others, as one change.
    let next = upload(&api, "obeys?deploy=false", test_support::guest("obeys_next")).await.json();
    assert_eq!(next["version"], 2);
    upload(&api, "tally?deploy=false", test_support::guest("tally")).await;
    let modules = json!({"modules": [{"name": "obeys", "version": 2}, {"name": "tally", "version": 1}]});
    let deployed = api.post("/v1/deployments", modules.to_string()).await.json();
    assert_eq!(deployed["reactors"], json!([{"name": "obeys", "version": 2, "replaced_version": 1}]));
    assert_eq!(deployed["builds"][0]["projection"], "tally");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_of_a_rehearsal_is_refused_by_its_name() {
    let database = TestDatabase::create().await;
    let limited = async |limits: RehearsalLimits| {
        let operations = OperationsSettings { rehearsal: limits, ..OperationsSettings::default() };
        let settings = ServerSettings { operations, ..ServerSettings::default() };
        TestApi::of(TestHost::start_with(&database, settings).await, HttpSettings::default())
    };
    let whole = RehearsalLimits { positions: 2, ..RehearsalLimits::default() };
    let api = limited(whole).await;
    upload(&api, "obeys", test_support::guest("obeys")).await;
    // One that answers with much, and keeps little.
    tell(&api, vec![json!({"publish": "note.taken"}); 60].into()).await;
    caught_up(&api).await;
    tell(&api, json!([])).await;
    tell(&api, json!([])).await;
    let ask = async |limits: RehearsalLimits, query: &str| {
        limited(limits).await.get(&format!("/v1/reactors/obeys/rehearsal?{query}")).await
    };
    assert_eq!(ask(whole, "from=1&to=2").await.status, StatusCode::OK);
    let many = ask(whole, "from=1&to=3").await;
    assert_eq!(
        many.problem(),
        "413 limit_exceeded: the effects of 3 positions are asked for; at most 2 are shown at once"
    );
    assert_eq!((many.json()["limit"].clone(), many.json()["max"].clone()), (json!("positions"), json!(2)));

    // What is not shown is not kept: the rows alone are little.
    let bytes = RehearsalLimits { bytes: 4000, ..whole };
    assert_eq!(ask(bytes, "from=2&to=3").await.status, StatusCode::OK);
    let effects = ask(bytes, "from=1&to=2").await;
    let expected = "413 limit_exceeded: the rows of a version up to position 2, and its effects that are to be shown, take more than 4000 bytes; ask for";
    assert!(effects.problem().starts_with(expected), "{}", effects.problem());
    assert_eq!((effects.json()["limit"].clone(), effects.json()["max"].clone()), (json!("bytes"), json!(4000)));
    let rows = ask(RehearsalLimits { bytes: 10, ..whole }, "from=3&to=3").await;
    assert!(rows.problem().contains("up to position 3"), "{}", rows.problem());

    let late = ask(RehearsalLimits { timeout: Duration::ZERO, ..whole }, "from=1&to=2").await;
    let expected = "504 past_timed_out: the rehearsal took longer than 0 s, and came to position 0; ask for";
    assert!(late.problem().starts_with(expected), "{}", late.problem());
    assert_eq!(late.json()["reached"], json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_host_appends_to_streams_of_reactors() {
    let api = TestApi::start().await;
    let problem = api.append("gnomon:obeys-1", json!({"events": [event("ScheduleDue")]})).await;
    assert!(problem.problem().starts_with("422 reserved_stream: the stream `gnomon:obeys-1` is of a category"));
    assert_eq!(problem.json()["stream"], "gnomon:obeys-1");
    let line = r#"{"stream": "gnomon:obeys-1", "type": "ScheduleDue", "data": {}}"#;
    let import = Request::post("/v1/events").header(header::CONTENT_TYPE, "application/x-ndjson");
    let problem = api.send(import.body(line.into()).unwrap()).await.problem();
    assert!(problem.starts_with("422 reserved_stream: "), "{problem}");
    assert!(api.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_shows_what_a_version_would_have_done_and_does_nothing() {
    let api = TestApi::start_for_modules().await;
    upload(&api, "obeys", test_support::guest("obeys")).await;
    tell(&api, json!([{"append": {"stream": "note-1"}}])).await;
    caught_up(&api).await;
    tell(&api, json!([{"publish": "note.taken"}, {"cancel": "a"}])).await;
    caught_up(&api).await;
    let same = api.get("/v1/reactors/obeys/rehearsal?from=1&to=3").await.json();
    let shown: Vec<_> =
        same["events"].as_array().unwrap().iter().map(|event| (&event["position"], &event["same"])).collect();
    assert_eq!(shown, [(&json!(1), &json!(true)), (&json!(3), &json!(true))]);
    assert_eq!(
        same["events"][0]["effects"],
        json!([{"kind": "append", "stream": "note-1", "expected_version": "any",
                "events": [{"type": "Done", "schema_version": 1, "data": [1, 0]}]}])
    );
    let (version, active) = (same["version"].as_u64(), same["active_version"].as_u64());
    assert_eq!((version, active, same["after"].as_u64()), (Some(1), Some(1), Some(0)));

    // A version that is not deployed, where the other one stops.
    upload(&api, "obeys?deploy=false", test_support::guest("obeys_next")).await;
    tell(&api, json!([{"fail_up_to": 1}, {"call": "pay"}])).await;
    let next = api.get("/v1/reactors/obeys/rehearsal?from=3&to=4").await.json();
    assert_eq!(next["events"].as_array().unwrap().len(), 2, "{next}");
    let last = &next["events"][1];
    assert_eq!(
        (last["effects"].clone(), last["active_effects"].clone()),
        (json!([{"kind": "call", "sink": "bank", "name": "pay", "data": 4}]), json!([]))
    );
    assert_eq!((next["failure"].clone(), &next["active_failure"]["position"]), (Value::Null, &json!(4)));
    // A reactor that sets such events aside does not stop there, and neither does its rehearsal.
    for on_failure in ["skip", "park"] {
        let body = json!({ "on_failure": on_failure }).to_string();
        let patch = Request::patch("/v1/reactors/obeys").header(header::CONTENT_TYPE, "application/json");
        api.send(patch.body(body.into()).unwrap()).await;
        let passed = api.get("/v1/reactors/obeys/rehearsal?from=3&to=4").await.json();
        assert_eq!((&passed["active_failure"], &passed["failure"]), (&Value::Null, &Value::Null), "{passed}");
        assert_eq!((&passed["active_set_aside"], &passed["set_aside"]), (&json!(1), &json!(0)), "{passed}");
        assert_eq!(passed["events"], next["events"]);
    }
    let messages: i64 = sqlx::query_scalar("SELECT count(*) FROM gnomon.outbox").fetch_one(api.pool()).await.unwrap();
    assert_eq!(messages, 1, "nothing was carried out");

    for (query, problem) in [
        ("from=0&to=1", "400 invalid_query: "),
        ("from=3&to=2", "400 invalid_query: "),
        (
            "from=4&to=2",
            "400 invalid_query: the events from position 4 to 2 are asked for: the first comes after the last",
        ),
        (
            "from=1&to=5",
            "400 invalid_query: the events from position 1 to 5 are asked for, and the newest event is at position 4",
        ),
        ("from=1&to=2&version=9", "404 module_not_found: module `obeys` has no version 9"),
    ] {
        let found = api.get(&format!("/v1/reactors/obeys/rehearsal?{query}")).await.problem();
        assert!(found.starts_with(problem), "{query}: {found}");
    }
    let nobody = api.get("/v1/reactors/nobody/rehearsal?from=1&to=1").await.problem();
    assert!(nobody.starts_with("404 module_not_found: there is no reactor `nobody`"), "{nobody}");
}
