//! A projection that names tags, through the whole host: with and without an upcaster that changes tags.

use gnomon::server::ServerSettings;
use reqwest::StatusCode;
use serde_json::{Value, json};
use test_support::{guest, until, upcaster};

use crate::host::TestHost;

/// Appends events, each with its stream, its type, the word that it carries, and its tags. Returns the last position.
async fn append(host: &TestHost, events: &[(&str, &str, &str, &[&str])]) -> u64 {
    let line = |(stream, event_type, word, tags): &(&str, &str, &str, &[&str])| {
        format!("{}\n", json!({"stream": stream, "type": event_type, "data": word, "tags": tags}))
    };
    let imported = host.import(events.iter().map(line).collect()).await;
    assert!(imported.status.is_success(), "{imported:?}");
    host.head().await
}

/// The positions of the rows, when everything up to a position is folded.
async fn seen(host: &TestHost, to: u64) -> Vec<u64> {
    let rows = host.rows_at("course/seen?select=position&order=position", to).await;
    rows.iter().map(|row| row["position"].as_u64().unwrap()).collect()
}

/// Waits for the build that an answer names, until it is the active one.
async fn rebuilt(host: &TestHost, answer: &Value) {
    let build = answer["builds"][0]["build"].as_u64().unwrap();
    host.until_state("course", build, "active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_gets_the_events_that_have_its_tags_when_upcasters_are_done() {
    let host = TestHost::start(ServerSettings::default()).await;
    append(
        &host,
        &[
            ("s-1", "A", "x", &["course:c1"]),
            ("s-1", "A", "x", &[]),
            ("s-2", "Plain", "x", &["other", "course:c2"]),
            ("s-2", "A", "tagged", &[]),
            ("s-1", "A", "untagged", &["course:c1"]),
            ("s-1", "Plain", "x", &["course:c3"]),
        ],
    )
    .await;
    let build = host.deploy("course", guest("course"), "").await;
    host.until_state("course", build, "active").await;
    assert_eq!(seen(&host, 6).await, [1, 3, 5]);
    // Live as in a replay; the last event is none of the projection's.
    let to = append(&host, &[("s-3", "B", "x", &["course:c2"]), ("s-3", "A", "x", &[])]).await;
    assert_eq!(seen(&host, to).await, [1, 3, 5, 7]);
    let rows = host.rows_at("course/seen?select=tags,first&position=in.(3,5)&order=position", to).await;
    let expected =
        [json!({"tags": ["other", "course:c2"], "first": false}), json!({"tags": ["course:c1"], "first": true})];
    assert_eq!(rows, expected);

    // The upcaster gives one event a tag, and takes it from another.
    rebuilt(&host, &host.upload("told", upcaster("does_as_told"), "").await.body).await;
    assert_eq!(seen(&host, to).await, [1, 3, 4, 7]);
    let to = append(&host, &[("s-3", "A", "tagged", &[]), ("s-3", "A", "untagged", &["course:c1"])]).await;
    assert_eq!(seen(&host, to).await, [1, 3, 4, 7, 9]);
    let verification = host.post("/v1/projections/course/verify").await.body["verification"].as_u64().unwrap();
    until("it has caught up", async || host.verification("course", verification).await["state"] == "live").await;
    let verified = host.json(&format!("/v1/projections/course/verify/{verification}")).await;
    assert_eq!(verified["identical"], true, "{verified}");

    rebuilt(&host, &host.post("/v1/upcasters/told/deactivate").await.body).await;
    assert_eq!(seen(&host, to).await, [1, 3, 5, 7, 10]);
    host.stop().await;
}

/// An event without the tags is not folded, so it overtakes no dead letter of its stream.
#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_overtaken_by_events_with_the_tags_only() {
    let host = TestHost::start(ServerSettings::default()).await;
    let build = host.deploy("course", guest("course"), "").await;
    host.until_state("course", build, "active").await;
    host.set_on_failure("course", "skip").await;
    let retry = async || host.post("/v1/projections/course/retry").await;
    let to = append(&host, &[("s-1", "A", "poison", &["course:c1"]), ("s-1", "A", "x", &["course:c3"])]).await;
    assert_eq!(seen(&host, to).await, [0; 0]);
    let retried = retry().await;
    assert_eq!((retried.status, &retried.body["overtaken"]), (StatusCode::OK, &json!(0)), "{retried:?}");
    let to = append(&host, &[("s-1", "A", "x", &["course:c1", "course:c2"])]).await;
    assert_eq!(seen(&host, to).await, [3]);
    assert_eq!(retry().await.status, StatusCode::CONFLICT);
    host.stop().await;
}
