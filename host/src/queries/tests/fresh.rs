//! What is kept, and that it is not answered any more when it is old.

use futures_util::future::join_all;
use gnomon_values::Instant;

use super::*;
use crate::{
    builds::tests::{rows, step, writes},
    read_model::{ColumnType, TableSet, Value, WriteSet},
    subscriptions::Lease,
};

/// An active build with one row, `n` of which is 10, at position 1; and a lease on it.
async fn one_row() -> (TestBuilds, TableSet, Lease) {
    let builds = TestBuilds::create().await;
    let (build, tables) = builds.build(1, &["n"]).await;
    builds.live(build).await;
    let lease = builds.lease(build).await;
    builds.commit(lease, &tables, step(0, 1), writes(&tables, &[1, 10])).await.unwrap();
    builds.activate(build, &tables).await;
    (builds, tables, lease)
}

fn nothing(tables: &TableSet) -> WriteSet {
    rows(tables, [])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_answer_needs_neither_rows_nor_a_turn() {
    let (builds, ..) = one_row().await;
    let reader = Reader::on(&builds).await;
    let read = reader.read(&builds, "order=id").await;
    let _locked = lock(&builds).await;
    let answers = join_all((0..50).map(|_| reader.read(&builds, "order=id"))).await;
    assert!(answers.iter().all(|answer| *answer == read), "{answers:?}");
    assert_eq!(reader.queries.load(), (0, 0));
    // What it sends counts as long as somebody has it.
    let answer = reader.queries.read(reader.request(&builds, "order=id")).await.unwrap();
    assert!(reader.limits.budget.in_use() > 0);
    drop(answer);
    assert_eq!(reader.limits.budget.in_use(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_another_host_is_seen_at_once() {
    let (builds, tables, lease) = one_row().await;
    let (one, other) = (Reader::on(&builds).await, Reader::on(&builds).await);
    for number in 1..20 {
        for reader in [&one, &other, &one, &other] {
            let read = reader.read(&builds, "").await;
            assert_eq!((read.position, read.numbers()), (Position(number), vec![10 * number as i64]));
        }
        let next = writes(&tables, &[1, 10 * (number as i64 + 1)]);
        builds.commit(lease, &tables, step(number, number + 1), next).await.unwrap();
    }
    let mut deleted = nothing(&tables);
    deleted.delete(0, vec![Value::I64(1)]);
    builds.commit(lease, &tables, step(20, 21), deleted).await.unwrap();
    let read = one.read(&builds, "").await;
    assert_eq!((read.position, read.numbers()), (Position(21), vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_change_no_row_move_the_position_of_a_kept_answer() {
    let (builds, tables, lease) = one_row().await;
    let reader = Reader::on(&builds).await;
    let read = reader.read(&builds, "").await;
    builds.commit(lease, &tables, step(1, 7), nothing(&tables)).await.unwrap();
    let _locked = lock(&builds).await;
    assert_eq!(reader.read(&builds, "").await, Read { position: Position(7), ..read });
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_change_where_the_checkpoint_stands_are_seen() {
    let (builds, tables, lease) = one_row().await;
    let reader = Reader::on(&builds).await;
    for number in [10, 11, 12] {
        assert_eq!(reader.read(&builds, "").await.numbers(), [number]);
        assert!(reader.is_kept(&builds, "").await);
        // As a retry of dead letters does.
        builds.commit(lease, &tables, step(1, 1), writes(&tables, &[1, number + 1])).await.unwrap();
    }
    let read = reader.read(&builds, "").await;
    assert_eq!((read.position, read.numbers()), (Position(1), vec![13]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_is_seen_at_once() {
    let (builds, ..) = one_row().await;
    let reader = Reader::on(&builds).await;
    let before = reader.read(&builds, "select=n").await;
    let (next, tables) = builds.build(2, &["n"]).await;
    builds.live(next).await;
    let lease = builds.lease(next).await;
    builds.commit(lease, &tables, step(0, 1), writes(&tables, &[1, 77])).await.unwrap();
    assert_eq!(reader.read(&builds, "select=n").await, before);
    builds.activate(next, &tables).await;
    let after = reader.read(&builds, "select=n").await;
    assert_eq!((after.build, after.position, after.numbers()), (BuildNumber(2), Position(1), vec![77]));
}

/// A restored database goes another way: the same build comes to the same position, with other rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_brings_no_answer_back_that_is_not_of_its_rows() {
    let (builds, tables, lease) = one_row().await;
    let reader = Reader::on(&builds).await;
    let first = reader.read(&builds, "").await;
    let table = table(&builds).await;
    sqlx::raw_sql(&format!(
        "CREATE TABLE dumped AS SELECT * FROM {table};
         CREATE TABLE dumped_subscriptions AS SELECT * FROM gnomon.subscriptions;"
    ))
    .execute(&builds.pool)
    .await
    .unwrap();
    builds.commit(lease, &tables, step(1, 2), writes(&tables, &[1, 20])).await.unwrap();
    assert_eq!(reader.read(&builds, "").await.numbers(), [20]);
    sqlx::raw_sql(&format!(
        "BEGIN; ALTER TABLE gnomon.subscriptions DISABLE TRIGGER forward_only;
         UPDATE gnomon.subscriptions AS now SET checkpoint = dumped.checkpoint, contents = dumped.contents
         FROM dumped_subscriptions AS dumped WHERE now.subscription = dumped.subscription;
         TRUNCATE {table}; INSERT INTO {table} SELECT * FROM dumped;
         ALTER TABLE gnomon.subscriptions ENABLE TRIGGER forward_only; COMMIT;"
    ))
    .execute(&builds.pool)
    .await
    .unwrap();
    assert_eq!(reader.read(&builds, "").await, first);
    builds.commit(lease, &tables, step(1, 2), writes(&tables, &[1, 30])).await.unwrap();
    let read = reader.read(&builds, "").await;
    assert_eq!((read.position, read.numbers()), (Position(2), vec![30]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_change_by_itself_or_is_too_large_is_not_kept() {
    let builds = TestBuilds::create().await;
    let (build, tables) = builds.build_with(1, &[("at", ColumnType::Timestamp), ("t", ColumnType::Text)]).await;
    builds.live(build).await;
    let lease = builds.lease(build).await;
    let row =
        |id: i64, bytes: usize| vec![Value::I64(id), Value::Timestamp(Instant(0)), Value::Text("x".repeat(bytes))];
    builds
        .commit(lease, &tables, step(0, 1), rows(&tables, [row(1, 10), row(2, MAX_KEPT_ANSWER_BYTES)]))
        .await
        .unwrap();
    builds.activate(build, &tables).await;
    let reader = Reader::on(&builds).await;
    for (query, kept) in [
        ("select=id", true),
        ("select=id&at=lt.2013-01-01T00:00:00Z", true),
        ("select=id&at=lt.2013-01-01", true),
        ("select=id&at=lt.now", false),
        ("select=id&at=lt.Yesterday", false),
        ("select=id&at=lt.tomorrow 10:00", false),
        ("select=t&id=eq.1", true),
        ("select=t&id=eq.2", false),
    ] {
        let read = reader.read(&builds, query).await;
        assert_eq!(read.rows, if query.contains("id=eq") { 1 } else { 2 }, "{query}");
        assert_eq!(reader.is_kept(&builds, query).await, kept, "{query}");
    }
    let without = Reader::start(builds.database.connect_options(), 0).await;
    without.read(&builds, "select=id").await;
    assert!(!without.is_kept(&builds, "select=id").await);
    assert_eq!(without.queries.cache_bytes(), (0, 0));
}

/// What is deployed to a restored database may get the key of a build that was made after the dump.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_another_build_of_the_same_key_is_read_by_its_own_tables() {
    let (builds, ..) = one_row().await;
    let reader = Reader::on(&builds).await;
    assert_eq!(reader.read(&builds, "select=n").await.numbers(), [10]);
    let table = table(&builds).await;
    sqlx::raw_sql(&format!(
        "ALTER TABLE {table} RENAME COLUMN n TO m;
         UPDATE gnomon.module_versions SET descriptor = replace(descriptor::text, '\"n\"', '\"m\"')::jsonb;"
    ))
    .execute(&builds.pool)
    .await
    .unwrap();
    reader.restores.send_modify(|restores| *restores += 1);
    assert_eq!(reader.read(&builds, "").await.text, r#"[{"id":1,"m":10}]"#);
}
