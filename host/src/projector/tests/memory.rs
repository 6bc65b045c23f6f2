//! Modules share the memory of their host.

use serde_json::json;

use crate::{
    builds::Activation,
    postgres::test_database::TestDatabase,
    read_model::Identifier,
    runtime::RuntimeLimits,
    server::{ServerSettings, tests::TestHost},
};

/// An instance that is idle gives its memory up for one that needs it, and the checks of uploads get memory as well.
#[tokio::test(flavor = "multi_thread")]
async fn builds_go_on_with_memory_for_one_instance() {
    let database = TestDatabase::create().await;
    // An instance of this module has more than one of these MiB.
    let limits = RuntimeLimits { max_total_memory_bytes: 2 << 20, ..RuntimeLimits::default() };
    let host = TestHost::start_with(&database, ServerSettings { limits, ..ServerSettings::default() }).await;
    let names = ["a", "b", "c"].map(|name| Identifier::new(name).unwrap());
    for name in &names {
        host.deploy(name, test_support::guest("tally"), Activation::Auto).await;
        host.append([("count-1".to_owned(), "Counted", json!({"n": 1}))]).await;
    }
    for _ in 0..3 {
        host.append([("count-1".to_owned(), "Counted", json!({"n": 1}))]).await;
        for name in &names {
            host.caught_up(name).await;
        }
    }
    let sums: Vec<i64> = sqlx::query_scalar(
        "SELECT sum FROM read_models.a_tallies UNION ALL SELECT sum FROM read_models.b_tallies
         UNION ALL SELECT sum FROM read_models.c_tallies",
    )
    .fetch_all(&host.database.lookups)
    .await
    .unwrap();
    assert_eq!(sums, [6, 6, 6]);
    host.projector.stop().await;
}
