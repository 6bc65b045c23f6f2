use super::*;

impl TestBuilds {
    async fn swap(&self, build: BuildId, tables: &TableSet, timeout: Duration) -> Swapped {
        swap(&self.pool, &self.name, build, tables, (WantedBy::Operator, "the test wants it"), timeout).await.unwrap()
    }
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
    assert_eq!(test.swap(first, &tables, Duration::ZERO).await, Swapped::Refused(Refused::Replaying));
    test.live(first).await;
    assert_eq!(test.swap(first, &tables, Duration::ZERO).await, Swapped::Done);
    let lease = test.lease(first).await;
    test.commit(lease, &tables, step(0, 9), writes(&tables, &[1, 10])).await.unwrap();
    assert_eq!(view(&test).await, [serde_json::json!({"id": 1, "n": 10})]);

    let (second, wider) = test.build(2, &["m", "n"]).await;
    test.live(second).await;
    let lease = test.lease(second).await;
    test.commit(lease, &wider, step(0, 8), writes(&wider, &[1, 5, 10])).await.unwrap();
    assert_eq!(
        test.swap(second, &wider, Duration::ZERO).await,
        Swapped::Behind { checkpoint: Position(8), seen: Position(9) }
    );
    assert_eq!(view(&test).await, [serde_json::json!({"id": 1, "n": 10})]);
    test.commit(lease, &wider, step(8, 9), writes(&wider, &[1, 5, 11])).await.unwrap();
    assert_eq!(test.swap(second, &wider, Duration::ZERO).await, Swapped::Done);
    assert_eq!(view(&test).await, [serde_json::json!({"id": 1, "m": 5, "n": 11})]);

    // Back to the first build, at the same position.
    assert_eq!(test.swap(first, &tables, Duration::ZERO).await, Swapped::Done);
    assert_eq!(view(&test).await, [serde_json::json!({"id": 1, "n": 10})]);
}

/// As when a deployment commits while the swap of an earlier one waits for the projection's lock.
#[tokio::test(flavor = "multi_thread")]
async fn a_build_whose_deployment_was_superseded_does_not_become_active_by_itself() {
    let test = TestBuilds::create().await;
    let (first, tables) = test.build(1, &["n"]).await;
    test.live(first).await;
    test.activate(first, &tables).await;
    let (second, others) = test.build(2, &["n"]).await;
    test.live(second).await;

    let mut changes = Changes::begin(&test.pool, &test.name).await.unwrap();
    let by_itself = (WantedBy::Deployment, "it has caught up");
    let swapped = swap(&test.pool, &test.name, second, &others, by_itself, Duration::ZERO);
    let superseded = async {
        let builds = changes.builds().await.unwrap();
        changes.supersede_others(builds.iter().find(|build| build.id == first).unwrap()).await.unwrap();
        changes.commit().await.unwrap();
    };
    let (swapped, ()) = tokio::join!(swapped, superseded);
    assert_eq!(swapped.unwrap(), Swapped::Refused(Refused::Superseded));
    let active = active(&test.pool, &test.name).await.unwrap().found().unwrap();
    assert_eq!(active.build, first);
    // An operator may choose it all the same.
    assert_eq!(test.swap(second, &others, Duration::ZERO).await, Swapped::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_active_build_is_held_until_the_next_one_has_reached_its_checkpoint() {
    let test = TestBuilds::create().await;
    let (first, tables) = test.build(1, &["n"]).await;
    test.live(first).await;
    assert_eq!(test.swap(first, &tables, Duration::ZERO).await, Swapped::Done);
    let first_lease = test.lease(first).await;
    test.commit(first_lease, &tables, step(0, 9), writes(&tables, &[1, 10])).await.unwrap();
    let (second, others) = test.build(2, &["n"]).await;
    test.live(second).await;
    let second_lease = test.lease(second).await;

    let swapped = test.swap(second, &others, Duration::from_secs(60));
    let catches_up = async {
        // The swap holds the first build before the second one has reached its checkpoint: a commit to the first one waits until
        // the swap is done.
        until_held(&test, first).await;
        let commits = test.commit(first_lease, &tables, step(9, 12), writes(&tables, &[1, 12]));
        let reaches = test.commit(second_lease, &others, step(0, 9), writes(&others, &[1, 10]));
        let (first, second) = tokio::join!(commits, reaches);
        first.unwrap();
        second.unwrap();
    };
    let (swapped, ()) = tokio::join!(swapped, catches_up);
    assert_eq!(swapped, Swapped::Done);
    assert_eq!((test.checkpoint(first).await, test.checkpoint(second).await), (12, 9));
    assert_eq!(view(&test).await, [serde_json::json!({"id": 1, "n": 10})]);
}

/// Waits until a transaction holds the lock of a build's subscription.
async fn until_held(test: &TestBuilds, build: BuildId) {
    test_support::until("the swap holds the build", async || {
        let free: Option<i64> = sqlx::query_scalar(
            "SELECT subscription FROM gnomon.subscriptions WHERE subscription = $1 FOR UPDATE SKIP LOCKED",
        )
        .bind(build.0)
        .fetch_optional(&test.pool)
        .await
        .unwrap();
        free.is_none()
    })
    .await;
}

#[tokio::test]
async fn a_view_keeps_its_grants_and_the_views_on_it_while_columns_are_only_added() {
    let test = TestBuilds::create().await;
    let (first, tables) = test.build(1, &["n"]).await;
    test.live(first).await;
    test.swap(first, &tables, Duration::ZERO).await;
    sqlx::raw_sql(
        "GRANT SELECT ON read_models.totals_sums TO PUBLIC;
         CREATE VIEW public.of_users AS SELECT n FROM read_models.totals_sums",
    )
    .execute(&test.pool)
    .await
    .unwrap();
    let (second, wider) = test.build(2, &["n", "m"]).await;
    test.live(second).await;
    let lease = test.lease(second).await;
    test.commit(lease, &wider, step(0, 1), writes(&wider, &[1, 7, 8])).await.unwrap();
    assert_eq!(test.swap(second, &wider, Duration::ZERO).await, Swapped::Done);
    let (n, granted): (i64, bool) = sqlx::query_as(
        "SELECT n, (SELECT 'read_models.totals_sums'::regclass::oid IN
             (SELECT oid FROM pg_class WHERE relacl::text LIKE '%=r/%')) FROM public.of_users",
    )
    .fetch_one(&test.pool)
    .await
    .unwrap();
    assert_eq!((n, granted), (7, true));
}

#[tokio::test]
async fn swaps_are_in_the_history() {
    let test = TestBuilds::create().await;
    let (first, tables) = test.build(1, &["n"]).await;
    test.live(first).await;
    test.swap(first, &tables, Duration::ZERO).await;
    let (second, others) = test.build(2, &["n"]).await;
    test.live(second).await;
    test.swap(second, &others, Duration::ZERO).await;
    let entries: Vec<(i64, String)> =
        sqlx::query_as("SELECT build, change FROM gnomon.history ORDER BY entry").fetch_all(&test.pool).await.unwrap();
    let entries: Vec<_> = entries.iter().map(|(build, change)| (*build, change.as_str())).collect();
    assert_eq!(entries, [(1, "activated"), (1, "replaced"), (2, "activated")]);
}

#[tokio::test]
async fn the_error_of_a_failed_activation_is_deleted_by_a_later_one() {
    let test = TestBuilds::create().await;
    let (first, tables) = test.build(1, &["n"]).await;
    test.live(first).await;
    test.swap(first, &tables, Duration::ZERO).await;
    let (second, others) = test.build(2, &["n"]).await;
    test.live(second).await;
    let lease = test.lease(second).await;
    let error = BuildError::Host { message: "the build cannot be activated: a session reads the view".to_owned() };
    let mut transaction = crate::postgres::begin(&test.pool).await.unwrap();
    report(&mut transaction, lease, &WorkerReport::ActivationFailed(error.clone())).await.unwrap();
    transaction.commit().await.unwrap();
    let summary = async || {
        let projections = summaries(&test.pool, None, RetiredBuilds::Hidden).await.unwrap();
        projections[0].builds.iter().find(|found| found.build == BuildNumber(2)).unwrap().clone()
    };
    assert_eq!(summary().await.error, Some(error));
    assert_eq!(test.swap(second, &others, Duration::ZERO).await, Swapped::Done);
    assert_eq!((summary().await.state, summary().await.error), (BuildState::Active, None));
}

/// The views are found to be in use before the active build is stopped.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_has_read_a_view_is_named_and_the_active_build_is_not_stopped() {
    let test = TestBuilds::create().await;
    let (first, tables) = test.build(1, &["n"]).await;
    test.live(first).await;
    test.activate(first, &tables).await;
    let lease = test.lease(first).await;
    test.commit(lease, &tables, step(0, 9), writes(&tables, &[1, 10])).await.unwrap();
    let (second, others) = test.build(2, &["n"]).await;
    test.live(second).await;
    let options = test.database.connect_options().application_name("a notebook");
    let mut reader: sqlx::PgConnection = sqlx::Connection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT * FROM read_models.totals_sums").execute(&mut reader).await.unwrap();

    // The second build is behind: once the views were free, the first one would be held.
    let swapped = test.swap(second, &others, Duration::from_secs(60));
    let looks = async {
        test_support::until("the swap waits for the view", async || {
            let waits: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'read_models.totals_sums'::regclass
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            .fetch_one(&test.pool)
            .await
            .unwrap();
            waits > 0
        })
        .await;
        sqlx::query("SELECT FROM gnomon.subscriptions WHERE subscription = $1 FOR UPDATE NOWAIT")
            .bind(first.0)
            .execute(&test.pool)
            .await
            .expect("the active build is not held");
    };
    let (swapped, ()) = tokio::join!(swapped, looks);
    let Swapped::Blocked(blocked) = swapped else { panic!("{swapped:?}") };
    assert_eq!(blocked.by.len(), 1, "{blocked:?}");
    assert_eq!(blocked.by[0].application, "a notebook");
    assert!(blocked.by[0].query.starts_with("BEGIN; SELECT * FROM read_models"), "{blocked:?}");

    drop(reader);
    let lease = test.lease(second).await;
    test.commit(lease, &others, step(0, 9), writes(&others, &[1, 11])).await.unwrap();
    test_support::until("the view is free", async || test.swap(second, &others, Duration::ZERO).await == Swapped::Done)
        .await;
}
