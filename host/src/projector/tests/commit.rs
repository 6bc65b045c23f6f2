//! Commits, with the lease and without.

use gnomon_values::Instant;

use crate::{
    builds::{
        Following,
        tests::{TestBuilds, step, writes},
    },
    event_log::{Position, SchemaVersion, StreamVersion},
    projector::{
        commit::{Effect, commit},
        stop::Stop,
    },
    read_model::{TableSet, WriteSet},
    runtime::Delivery,
    subscriptions::{self, Handled, Lease, Step},
};

async fn commit_rows(
    test: &TestBuilds,
    lease: Lease,
    tables: &TableSet,
    step: Step,
    writes: WriteSet,
) -> Result<(), Stop> {
    commit_handled(test, lease, tables, step, writes, &Handled::default()).await
}

async fn commit_handled(
    test: &TestBuilds,
    lease: Lease,
    tables: &TableSet,
    step: Step,
    writes: WriteSet,
    handled: &Handled,
) -> Result<(), Stop> {
    let effect = Effect {
        writes: &writes,
        handled,
        taken_back: &[],
        set_aside: &[],
        max_dead_letters: 2,
        retry: None,
        replayable: false,
        following: &Following::default(),
    };
    commit(&test.pool, lease, tables, &step, &effect).await
}

#[tokio::test]
async fn rows_and_checkpoint_are_committed_together() {
    let test = TestBuilds::create().await;
    let (build, tables) = test.build(1, &["n"]).await;
    let lease = test.lease(build).await;
    commit_rows(&test, lease, &tables, step(0, 7), writes(&tables, &[1, 10])).await.unwrap();
    assert_eq!(test.checkpoint(build).await, 7);
    let row: (i64, i64) =
        sqlx::query_as(&format!("SELECT id, n FROM {}.sums", build.schema())).fetch_one(&test.pool).await.unwrap();
    assert_eq!(row, (1, 10));
}

#[tokio::test]
async fn a_worker_that_lost_the_lease_writes_nothing() {
    let test = TestBuilds::create().await;
    let (build, tables) = test.build(1, &["n"]).await;
    let old = test.lease(build).await;
    // The old holder has no session that shows it alive, so it counts as dead.
    let new = test.lease(build).await;
    for (lease, from) in [(old, 0), (new, 3)] {
        let error = commit_rows(&test, lease, &tables, step(from, 7), writes(&tables, &[1, 10])).await.unwrap_err();
        assert!(matches!(error, Stop::LeaseLost), "{error:?}");
    }
    let rows: i64 = sqlx::query_scalar(&format!("SELECT count(*) FROM {}.sums", build.schema()))
        .fetch_one(&test.pool)
        .await
        .unwrap();
    assert_eq!((rows, test.checkpoint(build).await), (0, 0));
    commit_rows(&test, new, &tables, step(0, 7), writes(&tables, &[1, 10])).await.unwrap();
}

#[tokio::test]
async fn handled_events_are_counted_with_the_checkpoint_or_not_at_all() {
    let test = TestBuilds::create().await;
    let (build, tables) = test.build(1, &["n"]).await;
    let old = test.lease(build).await;
    let lease = test.lease(build).await;
    let handled = |counts: &[(&str, usize)]| {
        let mut handled = Handled::default();
        for (event_type, count) in counts {
            handled.count(&vec![delivery(event_type); *count]);
        }
        handled
    };
    let commit = async |lease, from, to, handled: Handled| {
        commit_handled(&test, lease, &tables, step(from, to), writes(&tables, &[1, 10]), &handled).await
    };
    commit(lease, 0, 7, handled(&[("A", 3), ("B", 1)])).await.unwrap();
    // Neither a worker without the lease nor a step that was made before counts anything.
    assert!(commit(old, 7, 9, handled(&[("A", 2)])).await.is_err());
    assert!(commit(lease, 0, 7, handled(&[("A", 3)])).await.is_err());
    commit(lease, 7, 9, handled(&[("B", 2), ("C", 1)])).await.unwrap();
    commit(lease, 9, 10, Handled::default()).await.unwrap();
    let counted = subscriptions::handled(&mut test.pool.acquire().await.unwrap(), build.subscription()).await.unwrap();
    assert_eq!(counted, [("A".to_owned(), 3), ("B".to_owned(), 3), ("C".to_owned(), 1)]);
}

fn delivery(event_type: &str) -> Delivery {
    Delivery {
        position: Position(1),
        part: 0,
        stream: "count-1".into(),
        version: StreamVersion(1),
        id: uuid::Uuid::nil(),
        event_type: event_type.into(),
        schema_version: SchemaVersion::FIRST,
        data: "{}".into(),
        metadata: None,
        time: Instant(0),
        recorded_at: Instant(0),
        tags: Vec::new(),
    }
}

#[tokio::test]
async fn commits_note_the_rows_that_they_change_while_somebody_follows() {
    let test = TestBuilds::create().await;
    let (build, tables) = test.build(1, &["n"]).await;
    let lease = test.lease(build).await;
    let (following, handled) = (Following::default(), Handled::default());
    let commit = async |to: u64, replayable| {
        let writes = writes(&tables, &[to as i64, 10]);
        let effect = Effect {
            writes: &writes,
            handled: &handled,
            taken_back: &[],
            set_aside: &[],
            max_dead_letters: 0,
            retry: None,
            replayable,
            following: &following,
        };
        commit(&test.pool, lease, &tables, &step(to - 1, to), &effect).await.unwrap();
        let notes = "SELECT position || keys FROM gnomon.row_changes ORDER BY change";
        sqlx::query_scalar::<_, String>(notes).fetch_all(&test.pool).await.unwrap().concat()
    };
    assert_eq!(commit(1, false).await, "");
    crate::builds::say_followed(&test.pool, build).await.unwrap();
    // It finds that somebody follows, and the next one knows it.
    assert_eq!(commit(2, false).await, "");
    assert_eq!(commit(3, false).await, r#"3{"sums":[["3"]]}"#);
    assert_eq!(commit(4, true).await, r#"3{"sums":[["3"]]}4{"sums":[["4"]]}"#);
    sqlx::query("UPDATE gnomon.subscriptions SET followed_until = now() - interval '1 s'")
        .execute(&test.pool)
        .await
        .unwrap();
    let noted = commit(5, false).await;
    assert!(noted.ends_with(r#"5{"sums":[["5"]]}"#), "{noted}");
    assert_eq!(commit(6, false).await, noted);
    // A commit that is not made notes nothing.
    sqlx::query("UPDATE gnomon.subscriptions SET followed_until = now() + interval '1 day'")
        .execute(&test.pool)
        .await
        .unwrap();
    assert_eq!(commit(7, false).await, noted);
    let other = test.lease(build).await;
    let error = commit_rows(&test, lease, &tables, step(7, 8), writes(&tables, &[8, 10])).await.unwrap_err();
    assert!(matches!(error, Stop::LeaseLost), "{error:?}");
    commit_rows(&test, other, &tables, step(7, 8), writes(&tables, &[8, 10])).await.unwrap();
}
