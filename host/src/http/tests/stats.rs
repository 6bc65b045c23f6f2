//! Statistics.

use insta::assert_snapshot;

use super::*;
use crate::{builds::Activation, read_model::Identifier};

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_counted_and_builds_are_measured() {
    let api = TestApi::start_for_modules().await;
    let opened = json!({"type": "AccountOpened", "data": {"owner": "Ada", "currency": "EUR"}, "metadata": {"by": 1}});
    api.append("account-7", json!({"events": [opened]})).await;
    api.append("-7", json!({"events": [event("Seen"), event("Seen")]})).await;
    let bank = Identifier::new("bank").unwrap();
    api.host.deploy(&bank, test_support::component("bank"), Activation::Auto).await;
    api.host.caught_up(&bank).await;
    // What was measured before is remembered: this router has measured nothing yet.
    let api = TestApi { router: router(api.host.api(HttpSettings::default(), CancellationToken::new())), ..api };

    let mut stats = api.get("/v1/stats?limit=1").await.json();
    let day = stats["days"][0]["day"].take();
    assert_eq!(day.as_str().unwrap().len(), "2026-05-01".len(), "{day}");
    let measured = stats["measured"].take();
    assert_snapshot!(pretty::pretty(&stats.to_string()), @r#"
    {
      "bytes": 44,
      "categories": {
        "count": 2,
        "most": [{"bytes": 4, "category": "", "events": 2, "streams": 1}],
        "others": {"bytes": 40, "count": 1, "events": 1}
      },
      "days": [{"bytes": 44, "day": null, "events": 3, "streams": 2}],
      "events": 3,
      "head": 3,
      "measured": null,
      "position": 3,
      "streams": {"count": 2, "longest": [{"last_position": 3, "stream": "-7", "version": 2}]},
      "types": {
        "count": 2,
        "most": [{"bytes": 4, "events": 2, "type": "Seen"}],
        "others": {"bytes": 40, "count": 1, "events": 1}
      }
    }
    "#);
    assert!(measured["log_bytes"].as_u64().unwrap() > 8192, "{measured}");
    for of in ["events_in_an_hour", "events_in_a_day", "events_in_a_week"] {
        assert_eq!(measured[of], json!(3), "{of}");
    }
    let build = &measured["builds"][0];
    assert!(build["bytes"].as_u64().unwrap() >= 8192, "{build}");
    assert_eq!((&build["projection"], &build["build"], &build["state"]), (&json!("bank"), &json!(1), &json!("active")));

    let both = api.get("/v1/stats").await.json();
    assert_eq!(both["types"]["most"][1], json!({"type": "AccountOpened", "events": 1, "bytes": 40}));
    assert_eq!(both["measured"]["at"], measured["at"], "it is remembered");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_statistics_is_told_so_until_they_change() {
    let api = TestApi::start().await;
    api.append("account-7", json!({"events": [event("Seen")]})).await;
    let first = api.get("/v1/stats").await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    assert_eq!(first.header("cache-control"), "no-cache");
    let known = async |api: &TestApi| {
        let request = Request::get("/v1/stats").header("if-none-match", &tag);
        api.send(request.body(Body::empty()).unwrap()).await
    };
    let same = known(&api).await;
    assert_eq!((same.status, same.body.len(), same.header("etag")), (StatusCode::NOT_MODIFIED, 0, tag.as_str()));
    // Measured again, all but the time is the same.
    let api = TestApi { router: router(api.host.api(HttpSettings::default(), CancellationToken::new())), ..api };
    let measured = api.get("/v1/stats").await;
    assert_eq!(measured.header("etag"), tag);
    assert_ne!(measured.json()["measured"]["at"], first.json()["measured"]["at"]);
    api.append("account-7", json!({"events": [event("Seen")]})).await;
    let changed = known(&api).await;
    assert_eq!((changed.status, changed.json()["events"].as_u64()), (StatusCode::OK, Some(2)));
    assert_ne!(changed.header("etag"), tag);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_has_statistics_and_wrong_numbers_are_named() {
    let api = TestApi::start().await;
    let nothing = json!({"count": 0, "most": [], "others": {"count": 0, "events": 0, "bytes": 0}});
    let mut stats = api.get("/v1/stats").await.json();
    stats["measured"].take();
    assert_eq!(
        stats,
        json!({
            "position": 0, "head": 0, "events": 0, "bytes": 0, "streams": {"count": 0, "longest": []},
            "types": nothing, "categories": nothing, "days": [], "measured": null,
        })
    );
    for (query, problem) in [
        ("limit=0", "400 invalid_query: `limit` must be 1 to 1000; it is 0"),
        ("limit=1001", "400 invalid_query: `limit` must be 1 to 1000; it is 1001"),
        ("days=4001", "400 invalid_query: `days` must be 1 to 4000; it is 4001"),
        (
            "days=x",
            "400 invalid_query: query string: `days` must be a whole number, 0 or more; it has other characters",
        ),
        ("top=1", "400 invalid_query: query string: unknown parameter `top`, expected `limit` or `days`"),
    ] {
        assert_eq!(api.get(&format!("/v1/stats?{query}")).await.problem(), problem);
    }
    assert_eq!(api.get("/v1/stats?limit=1000&days=4000").await.status, StatusCode::OK);
}

/// Somebody who holds the summary's row keeps it where it is: answers are exact all the same, and appends do not notice.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_holds_the_summary_stops_no_answer() {
    let api = TestApi::start().await;
    let mut holder = crate::postgres::begin(api.pool()).await.unwrap();
    sqlx::query("SELECT FROM gnomon.log_summary FOR UPDATE").execute(&mut *holder).await.unwrap();
    for events in 1..=20 {
        assert_eq!(api.append("a-1", json!({"events": [event("Moved")]})).await.status, StatusCode::CREATED);
        let stats = api.get("/v1/stats").await.json();
        assert_eq!((&stats["position"], &stats["events"]), (&json!(events), &json!(events)));
    }
    let summarised: i64 =
        sqlx::query_scalar("SELECT position FROM gnomon.log_summary").fetch_one(&mut *holder).await.unwrap();
    assert_eq!(summarised, 0);
    holder.rollback().await.unwrap();
    test_support::until("the summary follows again", async || {
        let summarised: i64 =
            sqlx::query_scalar("SELECT position FROM gnomon.log_summary").fetch_one(api.pool()).await.unwrap();
        summarised == 20
    })
    .await;
}
