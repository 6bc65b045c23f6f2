//! Live queries: whoever does to a copy what the events say has the rows that the query answers.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use proptest::strategy::{Strategy as _, ValueTree as _};

use super::*;
use crate::{
    builds::{
        BuildId,
        tests::{rows, step, writes},
    },
    read_model::{TableSet, Value},
    subscriptions::Lease,
};

/// How long a follower may take to get what it has to. It waits for no longer than that takes.
const DEADLINE: Duration = Duration::from_secs(30);

/// A follower, and the copy that it makes.
pub(super) struct Follower {
    query: &'static str,
    pub(super) rows: Option<LiveRows>,
    copy: BTreeMap<String, Json>,
    answer: Json,
    pub(super) id: Option<String>,
    position: Position,
    /// The kinds of the events that it got, and the reasons of snapshots.
    pub(super) seen: Vec<&'static str>,
    /// Whether it went on where it was: what it is told to delete it may not have.
    has_resumed: bool,
}

impl Follower {
    pub(super) fn new(query: &'static str) -> Self {
        Self {
            query,
            rows: None,
            copy: BTreeMap::new(),
            answer: Json::Null,
            id: None,
            position: Position(0),
            seen: Vec::new(),
            has_resumed: false,
        }
    }

    pub(super) async fn begin(reader: &Reader, builds: &TestBuilds, query: &'static str) -> Self {
        let mut follower = Self::new(query);
        follower.connect(reader, builds).await;
        follower
    }

    pub(super) async fn connect(&mut self, reader: &Reader, builds: &TestBuilds) {
        let id = self.id.clone();
        self.has_resumed = id.as_deref().is_some_and(|id| id != LiveId::NONE);
        self.rows = Some(reader.queries.follow(reader.request(builds, self.query), id.as_deref()).await.unwrap());
    }

    /// Takes the events that come next. Returns whether there were any.
    pub(super) async fn take(&mut self) -> bool {
        let next = self.rows.as_mut().unwrap().next();
        let batch = tokio::time::timeout(DEADLINE, next).await.expect("an event in time");
        let Some(batch) = batch else { return false };
        batch.events().iter().for_each(|event| self.apply(event));
        true
    }

    pub(super) fn apply(&mut self, event: &LiveEvent) {
        match event {
            LiveEvent::Snapshot { reason, .. } => {
                self.seen.push(reason.as_str());
                self.copy.clear();
                (self.id, self.has_resumed) = (Some(LiveId::NONE.to_owned()), false);
            }
            LiveEvent::Row { change, position, key, row } => {
                self.seen.push(change.as_str());
                assert!(*position >= self.position, "{position} after {}", self.position);
                let row = row.as_ref().map(|row| serde_json::from_str::<Json>(row).unwrap());
                let before = match row.clone() {
                    Some(row) => self.copy.insert(key.to_string(), row),
                    None => self.copy.remove(&**key),
                };
                let is_right = match change {
                    RowChange::Insert => before.is_none(),
                    RowChange::Update => before.is_some() && before != row,
                    RowChange::Delete => before.is_some() && row.is_none(),
                };
                assert!(is_right || self.has_resumed, "{change:?} {key} {before:?} {row:?}");
            }
            LiveEvent::Answer { rows, .. } => self.answer = serde_json::from_str(rows).unwrap(),
            LiveEvent::Swapped { .. } => self.seen.push("swap"),
            LiveEvent::Current { position, id, .. } => {
                (self.position, self.id) = (*position, Some(id.to_string()));
                // What it went on with is over.
                self.has_resumed = false;
            }
            LiveEvent::End { .. } => self.seen.push("end"),
        }
    }

    /// Takes events until the copy is what the query answers.
    pub(super) async fn catch_up(&mut self, reader: &Reader, builds: &TestBuilds) {
        let wanted = reader.read(builds, self.query).await.text;
        let wanted: Json = serde_json::from_str(&wanted).unwrap();
        loop {
            let mut copy: Vec<String> = self.copy.values().map(Json::to_string).collect();
            let mut rows: Vec<String> = wanted.as_array().unwrap().iter().map(Json::to_string).collect();
            copy.sort_unstable();
            rows.sort_unstable();
            if copy == rows || self.answer == wanted {
                return;
            }
            let next = self.rows.as_mut().unwrap().next();
            let Ok(batch) = tokio::time::timeout(DEADLINE, next).await else {
                panic!("{}: {copy:?} does not become {rows:?}; {:?}", self.query, self.seen);
            };
            batch.expect("it goes on").events().iter().for_each(|event| self.apply(event));
        }
    }
}

/// Two builds of one projection, the first of which is active. What they make of the same events differs.
pub(super) struct Two {
    pub(super) builds: TestBuilds,
    each: [(BuildId, TableSet, Lease); 2],
    at: u64,
}

impl Two {
    pub(super) async fn create() -> Self {
        let builds = TestBuilds::create().await;
        let (one, first) = builds.build(1, &["n"]).await;
        let (two, second) = builds.build(2, &["n"]).await;
        for build in [one, two] {
            builds.live(build).await;
        }
        builds.activate(one, &first).await;
        let leases = [builds.lease(one).await, builds.lease(two).await];
        Self { each: [(one, first, leases[0]), (two, second, leases[1])], builds, at: 0 }
    }

    /// Commits rows of both builds, or deletes those without a number.
    pub(super) async fn commit(&mut self, changes: &[(i64, Option<i64>)], is_noted: bool) {
        for (number, (_, tables, lease)) in (1..).zip(&self.each) {
            let mut writes = rows(tables, []);
            for (id, n) in changes {
                match n {
                    // Some rows are the same in both.
                    Some(n) => {
                        writes.put(0, vec![Value::I64(*id), Value::I64(if n % 2 == 0 { *n } else { n * number })])
                    }
                    None => writes.delete(0, vec![Value::I64(*id)]),
                }
            }
            let step = step(self.at, self.at + 1);
            if is_noted {
                self.builds.commit(*lease, tables, step, writes).await.unwrap();
            } else {
                self.builds.commit_without_note(*lease, tables, step, writes).await;
            }
        }
        self.at += 1;
    }

    pub(super) async fn activate(&self, index: usize) {
        let (build, tables, _) = &self.each[index];
        self.builds.activate(*build, tables).await;
    }

    /// Commits until commits are noted.
    async fn until_noted(&mut self, reader: &Reader, follower: &mut Follower) {
        let followed = "SELECT count(*) FROM gnomon.subscriptions WHERE followed_until > clock_timestamp()";
        test_support::until("a host has said that it follows", async || {
            sqlx::query_scalar::<_, i64>(followed).fetch_one(&self.builds.pool).await.unwrap() > 0
        })
        .await;
        self.commit(&[(99, Some(0))], true).await;
        follower.catch_up(reader, &self.builds).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_gets_the_rows_that_match_and_then_what_becomes_of_them() {
    let mut two = Two::create().await;
    two.commit(&[(1, Some(10)), (2, Some(2))], true).await;
    let reader = Reader::on(&two.builds).await;
    let mut follower = Follower::begin(&reader, &two.builds, "n=gte.6").await;
    assert!(follower.take().await);
    assert_eq!(follower.seen, ["begin", "insert"]);
    assert_eq!(follower.position, Position(1));
    two.until_noted(&reader, &mut follower).await;
    // It enters, it is changed, it leaves, it is deleted.
    for (change, seen) in [
        ((2, Some(8)), "insert"),
        ((2, Some(12)), "update"),
        ((1, Some(4)), "delete"),
        ((3, Some(6)), "insert"),
        ((3, None), "delete"),
    ] {
        two.commit(&[change], true).await;
        assert!(follower.take().await);
        assert_eq!((follower.seen.last(), follower.position), (Some(&seen), Position(two.at)));
        follower.catch_up(&reader, &two.builds).await;
    }
    // Rows that do not match, and rows that stay as they are, are nothing to it.
    two.commit(&[(7, Some(0)), (2, Some(12))], true).await;
    two.commit(&[(2, Some(14))], true).await;
    let seen = follower.seen.len();
    follower.catch_up(&reader, &two.builds).await;
    assert_eq!(follower.seen[seen..], ["update"]);
    drop(follower);
    test_support::until("nobody looks any more", async || reader.queries.live_load().followers == 0).await;
    assert_eq!((reader.queries.live_load().rows, reader.queries.live_load().waiting_bytes), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_followers_cost_one_statement_for_each_look() {
    let mut two = Two::create().await;
    two.commit(&[(1, Some(10))], true).await;
    let reader = Reader::on(&two.builds).await;
    let begin =
        |number: usize| Follower::begin(&reader, &two.builds, ["", "n=gte.0", "select=id", "id=lt.5"][number % 4]);
    let mut followers = join_all((0..1_000).map(begin)).await;
    assert!(reader.queries.live_load().reads <= 200, "{:?}", reader.queries.live_load());
    for follower in &mut followers {
        follower.catch_up(&reader, &two.builds).await;
    }
    two.until_noted(&reader, &mut followers[0]).await;
    test_support::until("all are counted", async || {
        let load = reader.queries.live_load();
        (load.followers, load.rows) == (1_000, 7)
    })
    .await;
    let before = reader.queries.live_load();
    for number in 0..20 {
        two.commit(&[(1, Some(number)), (2, Some(7))], true).await;
        join_all(followers.iter_mut().filter(|follower| follower.query != "select=id").map(async |follower| {
            follower.catch_up(&reader, &two.builds).await;
        }))
        .await;
    }
    let after = reader.queries.live_load();
    let (looks, reads) = (after.looks - before.looks, after.reads - before.reads);
    // A look that had begun when it was counted before may be the one that sees the first commit.
    assert!((19..=40).contains(&looks) && reads <= looks + 1, "{looks} looks, {reads} statements");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_gets_what_has_changed_since_or_begins_again() {
    let mut two = Two::create().await;
    two.commit(&[(1, Some(10)), (2, Some(20)), (3, Some(30))], true).await;
    let reader = Reader::on(&two.builds).await;
    let mut follower = Follower::begin(&reader, &two.builds, "n=gte.6").await;
    follower.catch_up(&reader, &two.builds).await;
    two.until_noted(&reader, &mut follower).await;
    follower.connect(&reader, &two.builds).await;
    follower.take().await;
    let id = follower.id.clone();
    follower.rows = None;
    two.commit(&[(1, Some(12)), (2, None), (7, Some(0))], true).await;
    // On another host.
    let other = Reader::on(&two.builds).await;
    let seen = follower.seen.len();
    follower.connect(&other, &two.builds).await;
    follower.catch_up(&other, &two.builds).await;
    let mut changes = follower.seen[seen..].to_vec();
    changes.sort_unstable();
    // The one that did not match, nor does now, is told as well.
    assert_eq!(changes, ["delete", "delete", "update"]);
    follower.rows = None;
    two.commit(&[(1, Some(16))], false).await;
    for (id, reason) in [(id.as_deref(), "gap"), (Some("7"), "gap"), (Some(LiveId::NONE), "begin"), (None, "begin")] {
        let mut begun = Follower { id: id.map(str::to_owned), ..Follower::new("n=gte.6") };
        begun.connect(&other, &two.builds).await;
        begun.take().await;
        assert_eq!(begun.seen[0], reason, "{id:?}");
        begun.catch_up(&other, &two.builds).await;
        // The id of another query is none.
        let mut another = Follower { id: begun.id.clone(), ..Follower::new("") };
        another.connect(&other, &two.builds).await;
        another.take().await;
        assert_eq!(another.seen[0], "gap");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_swap_followers_get_what_differs_and_go_on() {
    let mut two = Two::create().await;
    two.commit(&[(1, Some(2)), (2, Some(3)), (3, Some(5))], true).await;
    let reader = Reader::on(&two.builds).await;
    let mut follower = Follower::begin(&reader, &two.builds, "n=lt.9").await;
    follower.catch_up(&reader, &two.builds).await;
    two.activate(1).await;
    let seen = follower.seen.len();
    follower.catch_up(&reader, &two.builds).await;
    // 2 is the same, 3 is 6 now, and 5 is 10.
    let mut changes = follower.seen[seen..].to_vec();
    changes.sort_unstable();
    assert_eq!(changes, ["delete", "swap", "update"]);
    two.commit(&[(3, Some(1))], true).await;
    follower.catch_up(&reader, &two.builds).await;
    two.activate(0).await;
    follower.catch_up(&reader, &two.builds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_the_next_build_does_not_have_ends_and_the_others_go_on() {
    let test = TestBuilds::create().await;
    let (one, first) = test.build(1, &["n"]).await;
    test.live(one).await;
    test.activate(one, &first).await;
    let lease = test.lease(one).await;
    test.commit(lease, &first, step(0, 1), writes(&first, &[1, 10])).await.unwrap();
    let reader = Reader::on(&test).await;
    let mut ends = Follower::begin(&reader, &test, "n=gte.0").await;
    let mut goes_on = Follower::begin(&reader, &test, "select=id").await;
    for follower in [&mut ends, &mut goes_on] {
        follower.catch_up(&reader, &test).await;
    }
    let new = crate::read_model::samples::declaration(
        "sums",
        ["id", "m"].map(|name| crate::read_model::samples::column(name, crate::read_model::ColumnType::I64)),
        &["id"],
    );
    let (two, second) = test.build_of(2, None, new).await;
    test.live(two).await;
    let lease = test.lease(two).await;
    test.commit(lease, &second, step(0, 2), rows(&second, [vec![Value::I64(7), Value::I64(7)]])).await.unwrap();
    test.activate(two, &second).await;
    goes_on.catch_up(&reader, &test).await;
    while ends.take().await {}
    assert_eq!(ends.seen.last(), Some(&"end"));
    // So does the rest, when it is gone.
    let mut connection = test.pool.acquire().await.unwrap();
    sqlx::query("UPDATE gnomon.builds SET role = 'replaced', replaced_at = now() WHERE role = 'active'")
        .execute(&mut *connection)
        .await
        .unwrap();
    while goes_on.take().await {}
    assert_eq!(goes_on.seen.last(), Some(&"end"));
    let again = reader.queries.follow(reader.request(&test, ""), None).await;
    assert!(matches!(again, Err(ReadError::NotReady { .. })), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_while_the_log_is_restored_begins_again() {
    let mut two = Two::create().await;
    two.commit(&[(1, Some(2))], true).await;
    two.commit(&[(2, Some(4))], true).await;
    let reader = Reader::on(&two.builds).await;
    let mut follower = Follower::begin(&reader, &two.builds, "").await;
    follower.catch_up(&reader, &two.builds).await;
    // As the first commit left it, with the contents of another one.
    let mut transaction = crate::postgres::begin(&two.builds.pool).await.unwrap();
    for statement in [
        "DROP TRIGGER forward_only ON gnomon.subscriptions".to_owned(),
        "UPDATE gnomon.subscriptions SET checkpoint = 1, contents = gen_random_uuid()".to_owned(),
        format!("DELETE FROM {} WHERE id = 2", table(&two.builds).await),
    ] {
        sqlx::query(&statement).execute(&mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
    follower.position = Position(0);
    follower.catch_up(&reader, &two.builds).await;
    assert!(follower.seen.contains(&"gap"), "{:?}", follower.seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_followed_is_refused_in_words() {
    let mut two = Two::create().await;
    two.commit(&[(1, Some(2)), (2, Some(4)), (3, Some(6))], true).await;
    let reader = Reader::on(&two.builds).await;
    let follow = async |query: &str, limits: &ReadLimits| {
        let request = ReadRequest { limits, ..reader.request(&two.builds, query) };
        reader.queries.follow(request, None).await.map(drop).unwrap_err()
    };
    let limits = &reader.limits;
    for (query, code, text) in [
        ("cursor=", "PGRST100", "Live queries have no pages"),
        ("x=eq.1", "42703", "x"),
        ("n=eq.x", "22P02", "invalid input syntax"),
        ("select=id,n::uuid", "42846", "cannot cast"),
        ("select=id,n::date", "PGRST127", "cannot read a time from a word"),
    ] {
        let ReadError::Query(error) = follow(query, limits).await else { panic!("{query}") };
        assert_eq!(error.code.as_str(), code, "{query}: {error:?}");
        assert!(format!("{error:?}").contains(text), "{query}: {error:?}");
    }
    let few = ReadLimits { max_rows: 2, ..limits.clone() };
    let error = follow("", &few).await;
    assert!(error.to_string().contains("more than 2 (max_rows)"), "{error}");
    let small = ReadLimits { max_bytes: 60, ..limits.clone() };
    let error = follow("", &small).await;
    assert!(error.to_string().contains("more than 60 (max_live_bytes)"), "{error}");
    assert!(matches!(follow("", &ReadLimits { max_rows: 3, ..small }).await, ReadError::TooLargeToFollow { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_outgrows_its_limit_or_fails_ends_and_the_others_go_on() {
    let mut two = Two::create().await;
    two.commit(&[(1, Some(2)), (2, Some(4))], true).await;
    let reader = Reader::on(&two.builds).await;
    let few = ReadLimits { max_rows: 2, ..reader.limits.clone() };
    let request = ReadRequest { limits: &few, ..reader.request(&two.builds, "select=n,id") };
    let mut grows = Follower::new("select=n,id");
    grows.rows = Some(reader.queries.follow(request, None).await.unwrap());
    let mut fails = Follower::begin(&reader, &two.builds, "select=id,n::smallint").await;
    let mut goes_on = Follower::begin(&reader, &two.builds, "").await;
    for follower in [&mut grows, &mut fails, &mut goes_on] {
        follower.catch_up(&reader, &two.builds).await;
    }
    two.until_noted(&reader, &mut goes_on).await;
    two.commit(&[(3, Some(100_000))], true).await;
    goes_on.catch_up(&reader, &two.builds).await;
    for mut follower in [grows, fails] {
        while follower.take().await {}
        assert_eq!(follower.seen.last(), Some(&"end"), "{}", follower.query);
    }
    two.commit(&[(3, Some(8))], true).await;
    goes_on.catch_up(&reader, &two.builds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_too_slowly_is_told_and_keeps_nobody_waiting() {
    let builds = TestBuilds::create().await;
    let (build, tables) = builds.build_with(1, &[("n", crate::read_model::ColumnType::Text)]).await;
    builds.live(build).await;
    builds.activate(build, &tables).await;
    let lease = builds.lease(build).await;
    let reader = Reader::on(&builds).await;
    let mut slow = Follower::begin(&reader, &builds, "").await;
    let mut quick = Follower::begin(&reader, &builds, "").await;
    for at in 0..12_u64 {
        let text = Value::Text(format!("{at}").repeat(200_000));
        let row = rows(&tables, [vec![Value::I64(1), text]]);
        builds.commit(lease, &tables, step(at, at + 1), row).await.unwrap();
        quick.catch_up(&reader, &builds).await;
        assert!(reader.queries.live_load().waiting_bytes < 3 * MAX_WAITING_BYTES, "{:?}", reader.queries.live_load());
    }
    slow.catch_up(&reader, &builds).await;
    assert!(slow.seen.contains(&"slow") && !quick.seen.contains(&"slow"), "{:?}", slow.seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_found_by_keys_of_every_type() {
    use crate::read_model::{ColumnType, samples};

    let types = [
        ColumnType::Text,
        ColumnType::Bool,
        ColumnType::I64,
        ColumnType::Decimal,
        ColumnType::Timestamp,
        ColumnType::LocalTimestamp,
        ColumnType::Time,
        ColumnType::Date,
        ColumnType::Uuid,
        ColumnType::Bytes,
    ];
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for column_type in types {
        let builds = TestBuilds::create().await;
        let columns = [samples::column("key", column_type), samples::column("n", ColumnType::I64)];
        let (build, tables) = builds.build_of(1, None, samples::declaration("sums", columns, &["key"])).await;
        builds.live(build).await;
        builds.activate(build, &tables).await;
        let lease = builds.lease(build).await;
        let reader = Reader::on(&builds).await;
        let mut follower = Follower::begin(&reader, &builds, "").await;
        let mut at = 0;
        let mut commit = async |writes| {
            builds.commit(lease, &tables, step(at, at + 1), writes).await.unwrap();
            at += 1;
        };
        for _ in 0..8 {
            let key = samples::value(column_type).new_tree(&mut runner).unwrap().current();
            if key == Value::Null {
                continue;
            }
            for n in [1, 2] {
                commit(rows(&tables, [vec![key.clone(), Value::I64(n)]])).await;
                follower.catch_up(&reader, &builds).await;
            }
            let mut deleted = rows(&tables, []);
            deleted.delete(0, vec![key.clone()]);
            commit(deleted).await;
            follower.catch_up(&reader, &builds).await;
        }
        let reads = reader.queries.live_load().reads;
        assert!(follower.seen.iter().filter(|seen| **seen == "delete").count() > 4, "{column_type:?}");
        assert!(reads > 10, "{column_type:?}: {reads}");
    }
}
