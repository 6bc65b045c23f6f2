//! What live queries keep in memory for those who begin, come back, and do not read.

use futures_util::future::join_all;
use tokio::time::Instant;

use super::{live::Follower, *};
use crate::{
    builds::{
        say_followed,
        tests::{rows, step},
    },
    read_model::{ColumnType, TableSet, Value},
    subscriptions::Lease,
};

/// Queries that all rows match, and that differ.
const EACH: [&str; 12] = [
    "id=gte.0",
    "id=gte.-1",
    "id=gte.-2",
    "id=gte.-3",
    "id=gte.-4",
    "id=gte.-5",
    "id=gte.-6",
    "id=gte.-7",
    "id=gte.-8",
    "id=gte.-9",
    "id=gte.-10",
    "id=gte.-11",
];

/// A build with texts, and who commits them.
struct Texts {
    builds: TestBuilds,
    tables: TableSet,
    lease: Lease,
    at: u64,
}

impl Texts {
    async fn create() -> Self {
        let builds = TestBuilds::create().await;
        let (build, tables) = builds.build_with(1, &[("n", ColumnType::Text)]).await;
        builds.live(build).await;
        builds.activate(build, &tables).await;
        let lease = builds.lease(build).await;
        say_followed(&builds.pool, build).await.unwrap();
        Self { builds, tables, lease, at: 0 }
    }

    /// Commits rows of these keys, of so many bytes each.
    async fn commit(&mut self, keys: impl IntoIterator<Item = i64>, bytes: usize) {
        let text = |at: u64| Value::Text(char::from(b'a' + (at % 26) as u8).to_string().repeat(bytes));
        let rows = rows(&self.tables, keys.into_iter().map(|id| vec![Value::I64(id), text(self.at)]));
        self.builds.commit(self.lease, &self.tables, step(self.at, self.at + 1), rows).await.unwrap();
        self.at += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_all_followers_begin_with_is_bounded_and_who_reads_slowly_waits_for_room() {
    const ROW: usize = 1_000_000;
    let mut texts = Texts::create().await;
    texts.commit(0..7, ROW).await;
    let reader = Reader::on(&texts.builds).await;
    let mut slow = Follower::begin(&reader, &texts.builds, "").await;
    let mut quick = Follower::begin(&reader, &texts.builds, "select=id").await;
    for follower in [&mut slow, &mut quick] {
        follower.catch_up(&reader, &texts.builds).await;
    }
    // They read nothing.
    let (mut begun, mut refused) = (Vec::new(), Vec::new());
    for query in EACH {
        match reader.queries.follow(reader.request(&texts.builds, query), None).await {
            Ok(rows) => begun.push(rows),
            Err(error) => refused.push(error.to_string()),
        }
        let waiting = reader.queries.live_load().waiting_bytes;
        assert!(waiting <= MAX_WAITING_BYTES_IN_SUM + MAX_LIVE_BYTES, "{waiting}");
    }
    assert_eq!(begun.len(), MAX_WAITING_BYTES_IN_SUM.div_ceil(7 * ROW), "{refused:?}");
    assert!(refused.iter().all(|error| error.contains("(max_waiting_bytes_in_sum)")), "{refused:?}");
    // It has room for one change, and not for another one beside it.
    for key in [100, 101, 102] {
        texts.commit([key], 1).await;
        quick.catch_up(&reader, &texts.builds).await;
        if key == 101 {
            assert!(slow.take().await);
        }
    }
    assert!(!slow.seen.contains(&"slow"), "{:?}", slow.seen);
    drop(begun);
    slow.catch_up(&reader, &texts.builds).await;
    assert!(slow.seen.contains(&"slow"), "{:?}", slow.seen);
    Follower::begin(&reader, &texts.builds, EACH[11]).await.catch_up(&reader, &texts.builds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_come_back_to_the_same_changes_share_them() {
    const ROW: usize = 1_000_000;
    let mut texts = Texts::create().await;
    texts.commit(0..2, 10).await;
    let reader = Reader::on(&texts.builds).await;
    let mut follower = Follower::begin(&reader, &texts.builds, "").await;
    follower.catch_up(&reader, &texts.builds).await;
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(follower.id.clone());
        texts.commit([1], ROW).await;
        follower.catch_up(&reader, &texts.builds).await;
    }
    drop(follower);
    // Of a host that has just begun.
    let reader = Reader::on(&texts.builds).await;
    let come_back = async |id: &Option<String>| {
        let mut follower = Follower::new("");
        follower.id = id.clone();
        follower.connect(&reader, &texts.builds).await;
        follower
    };
    let mut followers = join_all(std::iter::repeat_n(&ids[0], 100).map(come_back)).await;
    let waiting = reader.queries.live_load().waiting_bytes;
    assert!(waiting < 20 * ROW, "{waiting}");
    for follower in &mut followers {
        follower.take().await;
        assert_eq!(follower.seen, ["update"]);
    }
    drop(followers);
    // Those who left at other times get theirs, or all rows where these are too much together.
    for mut follower in join_all(ids.iter().map(come_back)).await {
        follower.take().await;
        assert!([&["update"][..], &["gap", "insert", "insert"]].contains(&&*follower.seen), "{:?}", follower.seen);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_commits_that_are_not_noted_rows_are_read_again_four_times_a_second_at_most() {
    let mut texts = Texts::create().await;
    texts.commit(0..3, 10).await;
    let reader = Reader::on(&texts.builds).await;
    let mut follower = Follower::begin(&reader, &texts.builds, "").await;
    follower.catch_up(&reader, &texts.builds).await;
    let (before, begun) = (reader.queries.live_load().reads, Instant::now());
    for _ in 0..30 {
        // More rows than a commit notes.
        texts.commit(0..1_001, 10).await;
    }
    follower.catch_up(&reader, &texts.builds).await;
    let (reads, most) = (reader.queries.live_load().reads - before, 2 + begun.elapsed().as_millis() / 250);
    assert!(u128::from(reads) <= most, "{reads} reads, {most} at most");
}
