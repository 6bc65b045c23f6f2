use super::{modules::upload, *};

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
    let messages: i64 = sqlx::query_scalar("SELECT count(*) FROM gnomon.outbox").fetch_one(api.pool()).await.unwrap();
    assert_eq!(messages, 1, "nothing was carried out");

    for (query, problem) in [
        ("from=0&to=1", "400 invalid_query: "),
        ("from=3&to=2", "400 invalid_query: "),
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
