//! Deployments of several modules as one change: what is refused, and that a refusal changes nothing.

use super::{modules::upload, *};

/// What is active, and how many builds there are.
async fn state(api: &TestApi) -> (Value, i64) {
    let builds = sqlx::query_scalar("SELECT count(*) FROM gnomon.builds").fetch_one(api.pool()).await.unwrap();
    (api.get("/v1/upcasters").await.json(), builds)
}

async fn deploy(api: &TestApi, body: Value) -> Answer {
    api.post("/v1/deployments", body.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_is_refused_changes_nothing() {
    let api = TestApi::start_for_modules().await;
    for (name, component) in [("arrivals", "flight-arrivals"), ("twin", "flight-arrivals"), ("bank", "bank")] {
        let stored = upload(&api, &format!("{name}?deploy=false"), test_support::component(component)).await;
        assert_eq!(stored.status, StatusCode::CREATED, "{}", stored.text());
        assert!(stored.json().get("build").is_none(), "{}", stored.text());
    }
    let untouched = state(&api).await;
    assert_eq!(untouched, (json!({"upcasters": []}), 0), "what is stored with deploy=false begins nothing");

    let module = |name: &str, version: u32| json!({"name": name, "version": version});
    let modules = |modules: &[Value]| json!({"modules": modules});
    let bank = || module("bank", 1);
    let refusals = [
        (modules(&[]), "422 invalid_body: a deployment needs at least one module"),
        (
            modules(&[bank(), bank()]),
            "422 invalid_body: module `bank` stands twice in one deployment; one version of it can be deployed",
        ),
        (modules(&[bank(), module("nobody", 1)]), "404 module_not_found: module `nobody` has no version 1"),
        (modules(&[bank(), module("arrivals", 2)]), "404 module_not_found: module `arrivals` has no version 2"),
        (modules(&[bank(), module("arrivals", 1), module("twin", 1)]), "409 upcaster_conflict: "),
        (modules(&[bank(), module("No", 1)]), "422 invalid_body: modules[1].name: the name `No` "),
        (json!({"modules": [bank()], "activate": null}), "422 invalid_body: activate: "),
        (json!({"modules": [bank()], "activate": "later"}), "422 invalid_body: activate: "),
        (json!({"modules": [bank()], "active": "manual"}), "422 invalid_body: active: unknown field"),
    ];
    for (body, expected) in refusals {
        let problem = deploy(&api, body.clone()).await.problem();
        assert!(problem.starts_with(expected), "{body}: {problem}");
        assert_eq!(state(&api).await, untouched, "{body}");
    }

    let answer = deploy(&api, modules(&[bank(), module("arrivals", 1)])).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    // The bank reads nothing that the upcaster rewrites, and its build goes through it like every new one.
    assert_eq!(answer.json()["builds"].as_array().map(Vec::len), Some(1), "{}", answer.text());
    let conflict = deploy(&api, modules(&[bank(), module("twin", 1)])).await.problem();
    assert!(conflict.starts_with("409 upcaster_conflict: "), "{conflict}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_at_the_same_time_wait_for_each_other() {
    let api = TestApi::start_for_modules().await;
    for name in ["a", "b", "c"] {
        upload(&api, &format!("{name}?deploy=false"), test_support::component("bank")).await;
    }
    let upcaster = test_support::component("flight-arrivals");
    assert_eq!(upload(&api, "arrivals?deploy=false", upcaster).await.status, StatusCode::CREATED);
    let one = |names: &'static [&'static str]| {
        let modules: Vec<Value> = names.iter().map(|name| json!({"name": name, "version": 1})).collect();
        let api = &api;
        async move { deploy(api, json!({"modules": modules, "activate": "manual"})).await }
    };
    for _ in 0..5 {
        let (x, y, z) = tokio::join!(one(&["a", "b", "c"]), one(&["c", "b", "a"]), one(&["b", "arrivals", "a"]));
        for answer in [x, y, z] {
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        }
    }
}
