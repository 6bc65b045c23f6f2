use super::*;
use crate::projector::{
    activate::{Activation, activate},
    active::{ActiveBuilds, Known},
    commit::commit,
};

async fn live(test: &TestBuilds, build: BuildId) {
    store::set_live(&mut test.pool.acquire().await.unwrap(), build).await.unwrap();
}

async fn view(test: &TestBuilds) -> Vec<serde_json::Value> {
    sqlx::query_scalar("SELECT row_to_json(t) FROM read_models.totals_sums AS t ORDER BY 1::text")
        .fetch_all(&test.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn queries_turn_to_a_build_that_is_live_and_not_behind() {
    let test = TestBuilds::create().await;
    let (first, tables) = test.build(1, &["n"]).await;
    assert_eq!(activate(&test.pool, &test.name, first, &tables).await.unwrap(), Activation::NotReady);
    live(&test, first).await;
    assert_eq!(activate(&test.pool, &test.name, first, &tables).await.unwrap(), Activation::Done);
    let lease = test.lease(first).await;
    commit(&test.pool, lease, &tables, &step(0, 9), &writes(&tables, &[1, 10])).await.unwrap();
    assert_eq!(view(&test).await, [serde_json::json!({"id": 1, "n": 10})]);

    let (second, wider) = test.build(2, &["m", "n"]).await;
    live(&test, second).await;
    let lease = test.lease(second).await;
    commit(&test.pool, lease, &wider, &step(0, 8), &writes(&wider, &[1, 5, 10])).await.unwrap();
    assert_eq!(activate(&test.pool, &test.name, second, &wider).await.unwrap(), Activation::Behind);
    assert_eq!(view(&test).await, [serde_json::json!({"id": 1, "n": 10})]);
    commit(&test.pool, lease, &wider, &step(8, 9), &writes(&wider, &[1, 5, 11])).await.unwrap();
    assert_eq!(activate(&test.pool, &test.name, second, &wider).await.unwrap(), Activation::Done);
    assert_eq!(view(&test).await, [serde_json::json!({"id": 1, "m": 5, "n": 11})]);

    // And back, at the same position.
    assert_eq!(activate(&test.pool, &test.name, first, &tables).await.unwrap(), Activation::Done);
    assert_eq!(view(&test).await, [serde_json::json!({"id": 1, "n": 10})]);
}

#[tokio::test]
async fn what_is_known_of_the_active_build_is_kept_until_it_is_forgotten() {
    let test = TestBuilds::create().await;
    let active = ActiveBuilds::default();
    let nobody = Identifier::new("nobody").unwrap();
    assert!(matches!(active.get(&test.pool, &nobody).await.unwrap(), Known::Unknown));
    assert!(matches!(active.get(&test.pool, &test.name).await.unwrap(), Known::NotYet));
    let (first, tables) = test.build(1, &["n"]).await;
    live(&test, first).await;
    activate(&test.pool, &test.name, first, &tables).await.unwrap();
    let known = async || match active.get(&test.pool, &test.name).await.unwrap() {
        Known::Active(known) => (known.build, known.tables.tables().next().unwrap().columns().len()),
        other => panic!("{other:?}"),
    };
    assert_eq!(known().await, (first, 2));
    let (second, wider) = test.build(2, &["m", "n"]).await;
    live(&test, second).await;
    activate(&test.pool, &test.name, second, &wider).await.unwrap();
    assert_eq!(known().await, (first, 2));
    active.forget(&test.name);
    assert_eq!(known().await, (second, 3));
}
