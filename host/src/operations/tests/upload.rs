//! An upload is there wholly, or not at all.

use super::{component::bank, host::Host, *};

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_cannot_be_deployed_leaves_nothing() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let pool = &host.database.lookups;
    // Its build's tables cannot be made.
    sqlx::raw_sql("CREATE SCHEMA build_1").execute(pool).await.unwrap();
    let name = Identifier::new("bank").unwrap();
    let refused = host.operations.upload(&name, bank(), Activation::Auto).await.unwrap_err();
    assert!(refused.to_string().contains("build_1"), "{refused}");
    let left: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM gnomon.modules) + (SELECT count(*) FROM gnomon.module_versions)
              + (SELECT count(*) FROM gnomon.projections) + (SELECT count(*) FROM gnomon.builds)
              + (SELECT count(*) FROM gnomon.subscriptions)",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(left, 0);

    sqlx::raw_sql("DROP SCHEMA build_1").execute(pool).await.unwrap();
    let uploaded = host.operations.upload(&name, bank(), Activation::Auto).await.unwrap();
    assert!(uploaded.uploaded.new);
    host.caught_up(&name).await;
    let again = host.operations.upload(&name, bank(), Activation::Auto).await.unwrap();
    assert_eq!(
        (again.uploaded.new, again.uploaded.version, again.build),
        (false, uploaded.uploaded.version, uploaded.build)
    );
}
