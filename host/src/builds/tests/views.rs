//! What users have made on the views of a read model.

use super::*;

async fn run(test: &TestBuilds, sql: &str) {
    sqlx::raw_sql(sql).execute(&test.pool).await.unwrap();
}

/// An active build, and another one whose table lacks a column.
async fn narrower(test: &TestBuilds) -> (BuildId, TableSet) {
    let (first, tables) = test.build(1, &["n", "m"]).await;
    test.live(first).await;
    test.activate(first, &tables).await;
    let (second, narrower) = test.build(2, &["n"]).await;
    test.live(second).await;
    (second, narrower)
}

async fn swapped(test: &TestBuilds, (build, tables): &(BuildId, TableSet)) -> Swapped {
    swap(&test.pool, &test.name, *build, tables, (WantedBy::Operator, "the test wants it"), Duration::ZERO)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_depends_on_a_view_is_named_whatever_it_is() {
    let test = TestBuilds::create().await;
    let next = narrower(&test).await;
    run(
        &test,
        "CREATE SCHEMA reporting;
         CREATE VIEW reporting.\"Big sums\" AS SELECT m FROM read_models.totals_sums;
         CREATE MATERIALIZED VIEW public.kept AS SELECT n FROM read_models.totals_sums;
         CREATE FUNCTION public.first_of(one read_models.totals_sums) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
         CREATE VIEW public.indirect AS SELECT m FROM reporting.\"Big sums\"",
    )
    .await;
    let Swapped::ViewInUse(in_use) = swapped(&test, &next).await else { panic!("the view was dropped") };
    assert_eq!(in_use.view, "read_models.totals_sums");
    assert_eq!(
        in_use.dependents,
        [
            "function public.first_of(read_models.totals_sums)",
            "materialized view public.kept",
            "view reporting.\"Big sums\""
        ]
    );
    assert_eq!(
        in_use.to_string(),
        format!(
            "the view `read_models.totals_sums` must be dropped for this, and objects depend on it: {}. Drop what depends on it, repeat \
             this, and make it again",
            in_use.dependents.join(", ")
        )
    );
    // Nothing has changed.
    let active = active(&test.pool, &test.name).await.unwrap().found().unwrap();
    assert_ne!(active.build, next.0);

    run(
        &test,
        "DROP VIEW public.indirect; DROP VIEW reporting.\"Big sums\"; DROP MATERIALIZED VIEW public.kept;
         DROP FUNCTION public.first_of",
    )
    .await;
    assert_eq!(swapped(&test, &next).await, Swapped::Done);
}

#[tokio::test]
async fn a_projection_whose_view_is_in_use_is_not_deleted() {
    let test = TestBuilds::create().await;
    narrower(&test).await;
    run(&test, "CREATE VIEW public.of_users AS SELECT n FROM read_models.totals_sums").await;
    let delete = async || {
        let mut changes = Changes::begin(&test.pool, &test.name).await.unwrap();
        changes.delete().await?;
        changes.commit().await.map_err(ChangeError::from)
    };
    let refused = delete().await.unwrap_err();
    let ChangeError::ViewInUse(in_use) = &refused else { panic!("{refused}") };
    assert_eq!(in_use.dependents, ["view public.of_users"]);
    assert!(refused.to_string().contains("one object depends on it: view public.of_users."), "{refused}");
    assert!(of_projection(&test.pool, &test.name).await.unwrap().is_some());
    run(&test, "DROP VIEW public.of_users").await;
    delete().await.unwrap();
    assert!(of_projection(&test.pool, &test.name).await.unwrap().is_none());
}
