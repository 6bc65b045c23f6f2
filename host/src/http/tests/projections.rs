//! Operations on projections that do not exist, and with wrong parameters.

use super::*;

async fn send(api: &TestApi, method: &str, path: &str, body: &str) -> String {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    api.send(request.body(Body::from(body.to_owned())).unwrap()).await.problem()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_that_does_not_exist_is_not_found() {
    let api = TestApi::start().await;
    for (method, path) in [
        ("GET", ""),
        ("POST", "/rebuild"),
        ("POST", "/activate"),
        ("POST", "/rollback"),
        ("POST", "/pause?build=1"),
        ("POST", "/resume"),
        ("POST", "/retry"),
        ("POST", "/verify"),
        ("GET", "/verify/1"),
        ("GET", "/compare"),
        ("GET", "/dead-letters"),
        ("DELETE", "/builds/1"),
        ("DELETE", "/verify/1"),
        ("DELETE", ""),
    ] {
        let problem = send(&api, method, &format!("/v1/projections/nobody{path}"), "").await;
        assert_eq!(problem, "404 projection_not_found: there is no projection `nobody`", "{method} {path}");
    }
    let never = api.get("/v1/projections/nobody/history").await.problem();
    assert_eq!(never, "404 projection_not_found: there is no projection `nobody`, and never was");
    let problem = send(&api, "POST", "/v1/upcasters/nobody/activate", "").await;
    assert_eq!(problem, "404 upcaster_not_found: there is no upcaster `nobody`, or it is not active");
    assert!(api.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_parameters_are_named() {
    let api = TestApi::start().await;
    let wrong = [
        ("POST", "/v1/projections/bank/rebuild?activate=maybe", ""),
        ("POST", "/v1/projections/bank/activate?build=first", ""),
        ("POST", "/v1/projections/bank/pause?biuld=1", ""),
        ("POST", "/v1/projections/bank/rollback?build=1", ""),
        ("GET", "/v1/projections/bank/dead-letters?limit=0", ""),
        ("GET", "/v1/projections/bank/compare?samples=1000", ""),
        ("DELETE", "/v1/projections/bank/builds/first", ""),
        ("POST", "/v1/projections/9bank/rebuild", ""),
        ("PATCH", "/v1/projections/bank", r#"{"on_failure": "ignore"}"#),
        ("PATCH", "/v1/projections/bank", r#"{"on_failure": "halt", "more": 1}"#),
        ("PATCH", "/v1/projections/bank", "{}"),
        ("GET", "/v1/events?upcast=perhaps", ""),
        ("PUT", "/v1/projections/bank/rebuild", ""),
    ];
    let mut problems = String::new();
    for (method, path, body) in wrong {
        let problem = send(&api, method, path, body).await;
        problems.push_str(&format!("{}\n  {problem}\n", format!("{method} {path} {body}").trim_end()));
    }
    insta::assert_snapshot!(problems);
}
