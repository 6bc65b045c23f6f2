//! A build that this host cannot decode does not keep it from the other builds.

use serde_json::json;

use crate::{
    builds::Activation, postgres::test_database::TestDatabase, read_model::Identifier, server::tests::TestHost,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_cannot_be_decoded_does_not_keep_the_host_from_the_others() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    let name = |name: &str| Identifier::new(name).unwrap();
    let corrupt = host.deploy(&name("tally"), test_support::guest("tally"), Activation::Auto).await.id;
    let healthy = host.deploy(&name("ledger"), test_support::guest("ledger"), Activation::Auto).await.id;
    assert!(corrupt < healthy, "the supervisor comes to the corrupt build first");
    host.caught_up(&name("tally")).await;
    host.caught_up(&name("ledger")).await;
    host.projector.stop().await;

    // No operation writes such a state, and the schema refuses it.
    sqlx::raw_sql(&format!(
        "ALTER TABLE gnomon.builds DROP CONSTRAINT builds_stage_check;
         UPDATE gnomon.builds SET role = 'candidate', stage = 'dreaming' WHERE build = {}",
        corrupt.0
    ))
    .execute(&host.database.lookups)
    .await
    .unwrap();
    host.append([
        ("count-1".to_owned(), "Counted", json!({"n": 5})),
        ("ledger-1".to_owned(), "Opened", json!({"account": "7"})),
    ])
    .await;
    let next = TestHost::start(&database).await;
    test_support::until("the healthy build holds both events", async || next.checkpoint(healthy).await == 2).await;
    assert_eq!(next.checkpoint(corrupt).await, 0);

    // Once its row is repaired, the build is worked on again.
    sqlx::raw_sql(&format!("UPDATE gnomon.builds SET stage = 'live', role = 'active' WHERE build = {}", corrupt.0))
        .execute(&next.database.lookups)
        .await
        .unwrap();
    next.caught_up(&name("tally")).await;
    next.projector.stop().await;
}
