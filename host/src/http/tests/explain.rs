//! What became of an event. What the answer says is tested with the operation; here it is that it is as described.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_explained_as_described() {
    let api = TestApi::start_for_modules().await;
    for path in ["/v1/events/0/explanation", "/v1/events/1/explanation"] {
        let problem = api.get(path).await.problem();
        assert!(problem.starts_with("404 not_found: there is no event at position"), "{problem}");
    }
    assert_eq!(api.append("count-1", json!({"events": [event("Counted")]})).await.status, StatusCode::CREATED);
    let answer = api.get("/v1/events/1/explanation").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json()["builds"], json!([]));
    let name = crate::read_model::Identifier::new("tally").unwrap();
    api.host.deploy(&name, test_support::guest("tally"), crate::builds::Activation::Auto).await;
    let answer = api.get("/v1/events/1/explanation?projection=tally").await;
    // `data` has no `n`, so that the build stops at it.
    assert_eq!(
        answer.json()["builds"][0]["status"].as_str().map(|status| ["to_come", "stopped_at"].contains(&status)),
        Some(true)
    );
    let wrong = api.get("/v1/events/1/explanation?projection=nobody").await.problem();
    assert_eq!(wrong, "404 projection_not_found: there is no projection `nobody`");
    let wrong = api.get("/v1/events/first/explanation").await.problem();
    assert!(wrong.starts_with("400 invalid_path"), "{wrong}");
    assert!(api.get("/v1/events/1/explanation?fold=perhaps").await.problem().starts_with("400 invalid_query"));
    api.host.projector.stop().await;
}
