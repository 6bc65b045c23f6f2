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
async fn what_is_granted_on_a_view_is_granted_on_the_one_that_takes_its_place() {
    let test = TestBuilds::create().await;
    let next = narrower(&test).await;
    run(
        &test,
        "GRANT SELECT, DELETE ON read_models.totals_sums TO PUBLIC; GRANT UPDATE (n, m) ON read_models.totals_sums TO PUBLIC",
    )
    .await;
    let granted = async || -> Vec<String> {
        let granted = "SELECT privilege_type FROM pg_class, aclexplode(relacl) WHERE grantee = 0 AND oid = 'read_models.totals_sums'::regclass
             UNION ALL
             SELECT format('%s (%s)', privilege_type, attname) FROM pg_attribute, aclexplode(attacl)
             WHERE grantee = 0 AND attrelid = 'read_models.totals_sums'::regclass
             ORDER BY 1";
        sqlx::query_scalar(granted).fetch_all(&test.pool).await.unwrap()
    };
    assert_eq!(granted().await, ["DELETE", "SELECT", "UPDATE (m)", "UPDATE (n)"]);
    assert_eq!(swapped(&test, &next).await, Swapped::Done);
    assert_eq!(granted().await, ["DELETE", "SELECT", "UPDATE (n)"]);
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

#[tokio::test]
async fn views_have_the_comments_of_the_build_that_they_show() {
    let test = TestBuilds::create().await;
    let comments = async || -> (Option<String>, Option<String>) {
        sqlx::query_as(
            "SELECT obj_description(view), col_description(view, 2)
             FROM (SELECT 'read_models.totals_sums'::regclass AS view) AS named",
        )
        .fetch_one(&test.pool)
        .await
        .unwrap()
    };
    let (first, tables) = test.build(1, &["n"]).await;
    test.live(first).await;
    test.activate(first, &tables).await;
    assert_eq!(comments().await, (None, None));

    // The next version says more, and the one after it less.
    let mut declaration = declaration(&[("n", ColumnType::I64)]);
    declaration.columns[1].description = Some("In cents, it's said.".to_owned());
    let described = async |version, description: Option<&str>, declaration: TableDeclaration| {
        let (build, tables) = test.build_of(version, description, declaration).await;
        test.live(build).await;
        assert_eq!(swapped(&test, &(build, tables)).await, Swapped::Done);
    };
    described(2, Some("All sums."), declaration.clone()).await;
    assert_eq!(comments().await, (Some("All sums.".to_owned()), Some("In cents, it's said.".to_owned())));
    declaration.description = Some("A sum.".to_owned());
    declaration.columns[1].description = None;
    described(3, Some("All sums."), declaration).await;
    assert_eq!(comments().await, (Some("A sum.".to_owned()), None));
}
