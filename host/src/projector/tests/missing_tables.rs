//! A database of which only the schema `gnomon` was restored.

use serde_json::json;

use crate::{
    builds::{Activation, BuildState, RetiredBuilds},
    postgres::test_database::TestDatabase,
    queries::{ReadError, ReadLimits, ReadRequest},
    read_model::Identifier,
    server::tests::TestHost,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_build_whose_tables_are_missing_fails_and_a_rebuild_makes_them() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    let name = Identifier::new("tally").unwrap();
    let build = host.deploy(&name, test_support::guest("tally"), Activation::Auto).await;
    host.append([("count-1".to_owned(), "Counted", json!({"n": 5}))]).await;
    host.caught_up(&name).await;
    host.projector.stop().await;
    sqlx::raw_sql(&format!("DROP SCHEMA {} CASCADE; DROP SCHEMA read_models CASCADE", build.id.schema()))
        .execute(&host.database.lookups)
        .await
        .unwrap();
    host.database.close().await;

    let host = TestHost::start(&database).await;
    let mut found = None;
    test_support::until("the build is not shown as healthy", async || {
        let projection = host.operations.projection(&name, RetiredBuilds::Hidden).await.unwrap().unwrap();
        found = projection.builds.into_iter().next();
        found.as_ref().is_some_and(|build| build.state == BuildState::Failed)
    })
    .await;
    let error = found.unwrap().error.unwrap().to_string();
    assert!(error.contains("is missing from the database") && error.contains("rebuild"), "{error}");
    let limits = ReadLimits::default();
    let read = ReadRequest::new(&name, "tallies", "", &limits);
    let error = host.queries.read(read).await.unwrap_err();
    assert!(matches!(error, ReadError::Missing { .. }), "{error}");

    host.operations.rebuild(&name, None, Activation::Auto).await.unwrap();
    test_support::until("the next build is read", async || host.queries.read(read).await.is_ok()).await;
    let rows = host.queries.read(read).await.unwrap().rows;
    assert_eq!(rows, 1);
    let views: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_views WHERE schemaname = 'read_models'")
        .fetch_one(&host.database.lookups)
        .await
        .unwrap();
    assert!(views > 0);
    host.projector.stop().await;
}
