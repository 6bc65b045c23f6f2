//! An upload takes effect as a whole, or not at all.

use super::{component::bank, *};

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_cannot_be_deployed_stores_nothing() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    let pool = &host.database.lookups;
    // The schema of its build cannot be created.
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
        (again.uploaded.new, again.uploaded.version, again.effect),
        (false, uploaded.uploaded.version, uploaded.effect)
    );
}

/// The client hangs up, or the host is told to stop: wherever the upload is cut off, all of it has taken effect, or none of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_off_takes_effect_as_a_whole_or_not_at_all() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    let pool = &host.database.lookups;
    // A separate pool, so that a connection that is left in a transaction is not used by a worker.
    let apart = Database::connect(database.connect_options(), 4, Duration::from_secs(60)).await.unwrap();
    let operations =
        Operations::new(&apart, host.modules.clone(), host.projector.committed(), OperationsSettings::default());
    // Compiles the module, so that the uploads below are cut off in their transactions.
    operations.upload(&Identifier::new("bank").unwrap(), bank(), Activation::Manual).await.unwrap();
    let began = std::time::Instant::now();
    operations.upload(&Identifier::new("bank_0").unwrap(), bank(), Activation::Manual).await.unwrap();
    let whole = began.elapsed();
    let (mut there, mut gone) = (0, 0);
    for cut in 1..=40_u32 {
        let name = Identifier::new(format!("bank_{cut}")).unwrap();
        let upload = operations.upload(&name, bank(), Activation::Manual);
        let ended = tokio::time::timeout(whole * cut / 36, upload).await;
        let count = "SELECT (SELECT count(*) FROM gnomon.modules WHERE name = $1),
                            (SELECT count(*) FROM gnomon.module_versions WHERE module = $1),
                            (SELECT count(*) FROM gnomon.builds WHERE projection = $1)";
        let found: (i64, i64, i64) = sqlx::query_as(count).bind(name.as_str()).fetch_one(pool).await.unwrap();
        match found {
            (1, 1, 1) => there += 1,
            (0, 0, 0) => {
                gone += 1;
                assert!(ended.is_err(), "it was answered, and has not taken effect");
            }
            half => panic!("half an upload has taken effect: {half:?}"),
        }
    }
    assert!(there + gone == 40 && gone > 0, "{there} took effect, {gone} did not");
    host.projector.stop().await;
}
