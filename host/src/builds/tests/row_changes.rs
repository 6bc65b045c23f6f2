//! What is noted of the rows that commits change.

use uuid::Uuid;

use super::*;

/// The most keys that are looked for.
const MAX_KEYS: usize = 5;

async fn contents(test: &TestBuilds) -> Uuid {
    followed_build(&test.pool, &test.name).await.unwrap().unwrap().unwrap().contents
}

/// The keys that may have changed since some contents.
async fn since(test: &TestBuilds, build: BuildId, from: Uuid) -> Option<Vec<String>> {
    let to = contents(test).await;
    let mut connection = test.pool.acquire().await.unwrap();
    let changes = changes_between(&mut connection, build, [from, to], MAX_KEYS).await.unwrap()?;
    Some(changes.get("sums").into_iter().flatten().map(|key| key.join("/")).collect())
}

async fn active() -> (TestBuilds, BuildId, TableSet, Lease) {
    let test = TestBuilds::create().await;
    let (build, tables) = test.build(1, &["n"]).await;
    test.live(build).await;
    test.activate(build, &tables).await;
    let lease = test.lease(build).await;
    (test, build, tables, lease)
}

#[tokio::test]
async fn while_somebody_follows_each_commit_leads_from_its_contents_to_the_next() {
    let (test, build, tables, lease) = active().await;
    let before = contents(&test).await;
    test.commit(lease, &tables, step(0, 1), writes(&tables, &[1, 10])).await.unwrap();
    // Nobody follows yet.
    assert_eq!(since(&test, build, before).await, None);
    say_followed(&test.pool, build).await.unwrap();
    let first = contents(&test).await;
    assert_eq!(since(&test, build, first).await, Some(vec![]));
    test.commit(lease, &tables, step(1, 2), writes(&tables, &[2, 10])).await.unwrap();
    let second = contents(&test).await;
    // It changes no row.
    test.commit(lease, &tables, step(2, 3), rows(&tables, [])).await.unwrap();
    let mut deleted = rows(&tables, []);
    deleted.delete(0, vec![Value::I64(1)]);
    test.commit(lease, &tables, step(3, 4), deleted).await.unwrap();
    assert_eq!(since(&test, build, first).await.unwrap(), ["1", "2"]);
    assert_eq!(since(&test, build, second).await.unwrap(), ["1"]);
    assert_eq!(since(&test, build, before).await, None);
    // A commit that notes nothing, by a host of an earlier release, leaves a gap.
    test.commit_without_note(lease, &tables, step(4, 5), writes(&tables, &[3, 10])).await;
    let after = contents(&test).await;
    assert_eq!(since(&test, build, second).await, None);
    test.commit(lease, &tables, step(5, 6), writes(&tables, &[4, 10])).await.unwrap();
    assert_eq!(since(&test, build, second).await, None);
    assert_eq!(since(&test, build, after).await.unwrap(), ["4"]);
    // Contents of another log, or of another build.
    assert_eq!(since(&test, build, Uuid::from_u128(7)).await, None);
    // More rows than are noted.
    let many = rows(&tables, (0..1_001).map(|id| vec![Value::I64(id), Value::I64(0)]));
    let before = contents(&test).await;
    test.commit(lease, &tables, step(6, 7), many).await.unwrap();
    assert_eq!(since(&test, build, before).await, None);
}

#[tokio::test]
async fn of_many_changed_rows_no_more_keys_are_kept_than_are_asked_for_and_each_once() {
    let (test, build, tables, lease) = active().await;
    say_followed(&test.pool, build).await.unwrap();
    let before = contents(&test).await;
    for at in 0..3_u64 {
        test.commit(lease, &tables, step(at, at + 1), writes(&tables, &[7, at.cast_signed()])).await.unwrap();
    }
    assert_eq!(since(&test, build, before).await.unwrap(), ["7"]);
    for at in 3..6_u64 {
        let many = rows(&tables, (0..900).map(|id| vec![Value::I64(id), Value::I64(at.cast_signed())]));
        test.commit(lease, &tables, step(at, at + 1), many).await.unwrap();
    }
    assert_eq!(since(&test, build, before).await.unwrap().len(), MAX_KEYS + 1);
}

#[tokio::test]
async fn old_notes_are_removed_and_leave_a_gap_before_those_that_are_kept() {
    let (test, build, tables, lease) = active().await;
    say_followed(&test.pool, build).await.unwrap();
    let oldest = contents(&test).await;
    test.commit(lease, &tables, step(0, 1), writes(&tables, &[1, 10])).await.unwrap();
    let kept = contents(&test).await;
    test.commit(lease, &tables, step(1, 2), writes(&tables, &[2, 10])).await.unwrap();
    assert_eq!(since(&test, build, oldest).await.unwrap(), ["1", "2"]);
    // Notes of other commits come until the first one is beyond the bound.
    let fill = "INSERT INTO gnomon.row_changes (build, position, contents_before, contents, keys)
         SELECT $1, 0, gen_random_uuid(), gen_random_uuid(), '{}' FROM generate_series(1, $2::bigint - 1)";
    sqlx::query(fill).bind(build).bind(MAX_NOTED_COMMITS as i64).execute(&test.pool).await.unwrap();
    test.commit(lease, &tables, step(2, 3), writes(&tables, &[3, 10])).await.unwrap();
    let notes: i64 = sqlx::query_scalar("SELECT count(*) FROM gnomon.row_changes").fetch_one(&test.pool).await.unwrap();
    // The bound, and the one that was just written: it is not seen by the statement that removes.
    assert!((MAX_NOTED_COMMITS..=MAX_NOTED_COMMITS + 1).contains(&usize::try_from(notes).unwrap()), "{notes}");
    for from in [oldest, kept] {
        assert_eq!(since(&test, build, from).await, None);
    }
    sqlx::query("UPDATE gnomon.row_changes SET noted_at = noted_at - interval '2 hours'")
        .execute(&test.pool)
        .await
        .unwrap();
    remove_old_notes(&test.pool).await.unwrap();
    let notes: i64 = sqlx::query_scalar("SELECT count(*) FROM gnomon.row_changes").fetch_one(&test.pool).await.unwrap();
    assert_eq!(notes, 0);
}
