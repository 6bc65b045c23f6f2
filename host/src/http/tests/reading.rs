//! What a projection reads and what it passes over.

use super::*;
use crate::builds::{Activation, Work, tests::TestBuilds};

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_names_what_it_passes_over_and_what_may_be_misspelt() {
    let builds = TestBuilds::create().await;
    let (build, _) = builds.build(1, &["n"]).await;
    builds.set(build, |kept| (kept.activation, kept.work) = (Activation::Manual, Work::Paused)).await;
    // The version names its types and categories, as a module would.
    let named = r#"{"all_types": false, "categories": ["order"],
        "event_types": [{"type": "OrderPaid"}, {"type": "OrderPlaced"}]}"#;
    sqlx::query("UPDATE gnomon.module_versions SET descriptor = descriptor || $1::jsonb")
        .bind(named)
        .execute(&builds.pool)
        .await
        .unwrap();
    sqlx::query("INSERT INTO gnomon.handled_events SELECT subscription, 'OrderPlaced', 12 FROM gnomon.subscriptions")
        .execute(&builds.pool)
        .await
        .unwrap();
    let api = TestApi::on(&builds.database).await;
    for (stream, types) in [
        ("order-1", ["OrderPlaced", "OrderPlacd"]),
        ("order-2", ["Shipped", "OrderPlacd"]),
        ("oder-1", ["OrderPaid", "Shipped"]),
        ("account-1", ["OrderPaid", "Opened"]),
    ] {
        let answer = api.append(stream, json!({"events": types.map(event)})).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    let projection = api.get("/v1/projections/totals?reading=true").await.json();
    assert_eq!(
        projection["reading"],
        json!({
            "build": 1,
            "all_types": false,
            "log_types": ["OrderPaid", "OrderPlaced"],
            "types": [{"type": "OrderPaid", "handled": 0}, {"type": "OrderPlaced", "handled": 12}],
            "categories": ["order"],
            "ignored": [
                {"type": "OrderPaid", "category": "oder", "category_meant": "order"},
                {"type": "OrderPlacd", "category": "order", "type_meant": "OrderPlaced"},
                {"type": "Shipped", "category": "order"},
            ],
            "more_ignored": 0,
        })
    );
    let list = api.get("/v1/projections?reading=true").await.json();
    assert_eq!(list["projections"][0]["reading"], projection["reading"]);
    // Nobody else pays for the look at the log.
    assert!(api.get("/v1/projections").await.json()["projections"][0].get("reading").is_none());
    assert!(api.get("/v1/projections/totals").await.json().get("reading").is_none());
}
