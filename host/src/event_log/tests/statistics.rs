//! Statistics, compared with what counting all events gives.

use std::{collections::BTreeMap, time::Duration};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use sqlx::Row as _;

use super::{restore::restore, *};
use crate::event_log::summary::{Step, step};

const ALL: WantedStatistics = WantedStatistics { limit: KEPT_STREAMS, days: 10_000 };

/// What the log consists of up to a position, counted event by event.
async fn counted(pool: &PgPool, to: Position, wanted: WantedStatistics) -> Statistics {
    let rows = sqlx::query(
        "SELECT position, version, stream, type, to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
             data::text, metadata::text
         FROM gnomon.events WHERE position <= $1 ORDER BY position",
    )
    .bind(to)
    .fetch_all(pool)
    .await
    .unwrap();
    let mut all = Counts::default();
    let [mut types, mut categories, mut days] = [(); 3].map(|()| BTreeMap::<String, Counts>::new());
    let mut streams = BTreeMap::<String, (u64, Position)>::new();
    for row in rows {
        let (data, metadata): (String, Option<String>) = (row.get(5), row.get(6));
        let (stream, event_type, day): (String, String, String) = (row.get(2), row.get(3), row.get(4));
        let bytes = (data.len() + metadata.map_or(0, |text| text.len())) as u64;
        let category = stream.split('-').next().unwrap().to_owned();
        let is_first = !streams.contains_key(&stream);
        let of_stream = streams.entry(stream).or_default();
        *of_stream = (of_stream.0 + 1, row.get(0));
        let of_type = types.entry(event_type).or_default();
        let of_category = categories.entry(category).or_default();
        for counts in [&mut all, of_type, of_category, days.entry(day).or_default()] {
            counts.events += 1;
            counts.bytes += bytes;
            counts.streams += u64::from(is_first);
        }
    }
    let ranking = |names: BTreeMap<String, Counts>| {
        let mut most: Vec<Ranked> = names.into_iter().map(|(name, counts)| Ranked { name, counts }).collect();
        let count = most.len() as u64;
        most.sort_by_key(|ranked| std::cmp::Reverse(ranked.counts.events));
        most.truncate(wanted.limit);
        Ranking { count, most }
    };
    let mut longest_streams: Vec<StreamSummary> = streams
        .into_iter()
        .map(|(name, (version, last_position))| StreamSummary {
            stream: stream(&name),
            version: StreamVersion(version),
            last_position,
        })
        .collect();
    longest_streams.sort_by_key(|summary| std::cmp::Reverse(summary.version));
    longest_streams.truncate(wanted.limit);
    let days: Vec<DayCounts> = days.into_iter().map(|(day, counts)| DayCounts { day, counts }).collect();
    Statistics {
        position: to,
        head: head(pool).await.unwrap(),
        counts: all,
        longest_streams,
        types: ranking(types),
        categories: ranking(categories),
        days: days[days.len().saturating_sub(wanted.days)..].to_vec(),
    }
}

impl TestLog {
    async fn summarised(&self) -> Position {
        sqlx::query_scalar("SELECT position FROM gnomon.log_summary").fetch_one(&self.pool).await.unwrap()
    }

    /// Adds all there is to the summary.
    async fn summarise(&self) {
        while !matches!(step(&self.pool, 1000).await.unwrap(), Step::Moved { left: 0, .. }) {}
    }

    /// Checks what is answered, for several sizes of the answer.
    async fn check_statistics(&self) {
        for (limit, days) in [(KEPT_STREAMS, 10_000), (1, 1), (2, 2), (5, 1)] {
            let wanted = WantedStatistics { limit, days };
            let found = self.log.statistics(wanted).await.unwrap();
            assert_eq!(found.position, found.head);
            assert_eq!(found, counted(&self.pool, found.position, wanted).await, "{wanted:?}");
        }
    }

    /// Changes on which days events were appended, which Postgres refuses.
    async fn set_days(&self, statement: &str) {
        let admin = self.database.admin_pool().await;
        let statement = format!("SET session_replication_role = replica; {statement}; RESET session_replication_role");
        sqlx::raw_sql(&statement).execute(&admin).await.unwrap();
        admin.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_has_statistics() {
    let test = TestLog::open().await;
    assert_eq!(test.log.statistics(ALL).await.unwrap(), Statistics::default());
    assert_eq!(step(&test.pool, 10).await.unwrap(), Step::Moved { to: Position(0), left: 0 });
    assert_eq!(test.log.statistics(ALL).await.unwrap(), Statistics::default());
}

/// What happens to a log and its summary.
#[derive(Clone, Debug)]
enum Change {
    /// Events: streams, types, bytes of data, whether they have metadata.
    Append(Vec<(u8, u8, u8, bool)>),
    /// A step of so many events.
    Step(u64),
    /// Steps of several hosts at once.
    Steps(u64),
    /// A step whose host is gone after some microseconds.
    Dropped(u64),
    /// Events from a position on were appended a day later.
    NextDay,
    /// The log is restored to a part of what it was.
    Restore(f64),
}

fn change() -> impl Strategy<Value = Change> {
    use proptest::prelude::*;
    prop_oneof![
        4 => proptest::collection::vec((0..40_u8, 0..12_u8, any::<u8>(), any::<bool>()), 1..30).prop_map(Change::Append),
        3 => (1..60_u64).prop_map(Change::Step),
        1 => (1..20_u64).prop_map(Change::Steps),
        1 => (0..3000_u64).prop_map(Change::Dropped),
        1 => Just(Change::NextDay),
        1 => (0.0..1.0).prop_map(Change::Restore),
    ]
}

async fn apply(test: &TestLog, change: Change) {
    match change {
        Change::Append(events) => {
            let lines = events.into_iter().map(|(name, event_type, bytes, has_metadata)| {
                // Skewed, and some streams have no category.
                let name = match u16::from(name) * u16::from(name) / 40 {
                    0 => "-none".to_owned(),
                    name => format!("c{}-{name}", name % 7),
                };
                let text = json(&format!("{:?}", "é".repeat(bytes.into())));
                let metadata = has_metadata.then(|| json(r#"{"by" : "ü"}"#));
                (stream(&name), NewEvent { data: text, metadata, ..event(&format!("T{event_type}")) })
            });
            test.log.import(lines.collect(), 1).await.unwrap();
        }
        Change::Step(most) => {
            assert_ne!(step(&test.pool, most).await.unwrap(), Step::Restarted);
        }
        Change::Steps(most) => {
            let one = || step(&test.pool, most);
            let (a, b, c) = tokio::join!(one(), one(), one());
            for stepped in [a, b, c] {
                assert_ne!(stepped.unwrap(), Step::Restarted);
            }
        }
        Change::Dropped(micros) => {
            let _ = tokio::time::timeout(Duration::from_micros(micros), step(&test.pool, 50)).await;
        }
        Change::NextDay => {
            // Only what is not summarised yet; stamps do not go back.
            let at = test.summarised().await;
            test.set_days(&format!(
                "UPDATE gnomon.events SET recorded_at = recorded_at + interval '1 day' WHERE position > {at};
                 UPDATE gnomon.head SET recorded_at = (SELECT recorded_at FROM gnomon.events WHERE events.position = head.position)
                 WHERE position > {at}"
            ))
            .await;
        }
        Change::Restore(part) => {
            let head = test.log.read_head().await.unwrap();
            let to = (head.0 as f64 * part) as i64;
            restore(test, to).await;
            // As a database that is restored has it, unlike one whose events are only taken away.
            test.set_days(
                "UPDATE gnomon.head SET recorded_at = coalesce(
                     (SELECT recorded_at FROM gnomon.events WHERE events.position = head.position), '-infinity')",
            )
            .await;
            if test.summarised().await > Position(to.try_into().unwrap()) {
                assert_eq!(step(&test.pool, 10).await.unwrap(), Step::Restarted);
            }
        }
    }
}

/// Whatever is appended, and whoever steps how far, is killed or restored in between: the answer is what counting every event gives.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the seed is printed with the output of a test that fails")]
async fn statistics_are_what_counting_gives() {
    let seed: u64 = std::env::var("GNOMON_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("GNOMON_TEST_SEED={seed}");
    let changes = proptest::collection::vec(change(), 1..25);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    for _ in 0..12 {
        let changes = changes.new_tree(&mut runner).unwrap().current();
        let settings = EventLogSettings { partition_events: 64, ..EventLogSettings::default() };
        let test = TestLog::open_with(settings).await;
        for change in &changes {
            apply(&test, change.clone()).await;
            test.check_statistics().await;
        }
        test.summarise().await;
        test.check_statistics().await;
        assert_eq!(test.summarised().await, test.log.read_head().await.unwrap(), "{changes:?}");
    }
}

/// Names that a writer makes up: each event has a type, a category and a stream of its own. They are written by SQL, since what the process counts
/// of its appends has a bounded number of types, which other tests need.
#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_names_is_counted_and_a_bounded_number_is_kept_and_answered() {
    let test = TestLog::open().await;
    sqlx::query("SELECT gnomon.add_partition(1, 100000)").execute(&test.pool).await.unwrap();
    for round in 0..3 {
        // Later names come before earlier ones, so that of streams that are equally long the later ones are listed.
        let (first, group) = (round * 1002 + 1, 9 - round);
        let fill = format!(
            "INSERT INTO gnomon.events (position, version, time, recorded_at, id, schema_version, stream, type, data)
             SELECT {first} + n, version, now(), now(), gen_random_uuid(), 1, stream, type, '{{}}'
             FROM (SELECT n, 1 AS version, format('c%sx%s-1', {group}, n) AS stream, format('T%sx%s', {group}, n) AS type
                   FROM generate_series(0, 999) AS n
                   UNION ALL VALUES (1000, {round} + 2, 'c9x999-1', 'T9x999'), (1001, {round} + 1, 'z-1', 'T9x999')) AS planned;
             UPDATE gnomon.head SET position = {first} + 1001, blocks_to = {first} + 1001,
                 recorded_at = (SELECT recorded_at FROM gnomon.events WHERE events.position = {first} + 1001)"
        );
        sqlx::raw_sql(&fill).execute(&test.pool).await.unwrap();
        // Behind the summary, partly in it, all in it.
        test.check_statistics().await;
        step(&test.pool, 500).await.unwrap();
        test.check_statistics().await;
        test.summarise().await;
        test.check_statistics().await;
    }
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM gnomon.log_summary_streams").fetch_one(&test.pool).await.unwrap();
    assert_eq!(kept, KEPT_STREAMS as i64);
    let found = test.log.statistics(WantedStatistics { limit: 2, days: 1 }).await.unwrap();
    assert_eq!((found.types.count, found.categories.count, found.counts.streams), (3000, 3001, 3001));
    assert_eq!(found.types.rest(found.counts).events, 3006 - 7 - 1);
}

/// What is not counted yet is too much for an answer: it is of the summary's position, and says where the head is.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_tail_is_left_to_the_steps() {
    let test = TestLog::open().await;
    let lines = |events: u64| (0..events).map(|_| (stream("a-1"), event("Moved"))).collect();
    test.log.import(lines(MAX_TAIL_EVENTS), 1).await.unwrap();
    assert_eq!(test.log.statistics(ALL).await.unwrap().position, Position(MAX_TAIL_EVENTS));
    test.log.import(lines(1), 1).await.unwrap();
    let behind = test.log.statistics(ALL).await.unwrap();
    assert_eq!((behind.position, behind.head), (Position(0), Position(MAX_TAIL_EVENTS + 1)));
    step(&test.pool, 700).await.unwrap();
    // The tail is short enough again.
    test.check_statistics().await;
    test.log.import(lines(700), 1).await.unwrap();
    let behind = test.log.statistics(ALL).await.unwrap();
    assert_eq!(behind, Statistics { head: behind.head, ..counted(&test.pool, Position(700), ALL).await });
}

/// One host steps at a time, and the other ones do not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_under_way_is_left_to_its_host() {
    let test = TestLog::open().await;
    test.append("a-1", &["Moved", "Moved"]).await;
    let mut other = crate::postgres::begin(&test.pool).await.unwrap();
    sqlx::query("SELECT FROM gnomon.log_summary FOR NO KEY UPDATE").execute(&mut *other).await.unwrap();
    assert_eq!(step(&test.pool, 10).await.unwrap(), Step::Busy);
    // What is behind it is counted by the answer, and measured.
    test.check_statistics().await;
    assert_eq!(test.log.head_reading().await.unwrap().summary_lag, 2);
    other.rollback().await.unwrap();
    assert_eq!(step(&test.pool, 1).await.unwrap(), Step::Moved { to: Position(1), left: 1 });
    assert_eq!(test.log.head_reading().await.unwrap().summary_lag, 1);
    assert_eq!(step(&test.pool, 10).await.unwrap(), Step::Moved { to: Position(2), left: 0 });
    assert_eq!(test.log.head_reading().await.unwrap().summary_lag, 0);
}

/// The log is as long as before the restore, or longer, when somebody looks: only stamps tell.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_log_of_the_same_length_is_counted_again() {
    let test = TestLog::open().await;
    for more in 0..2 {
        test.append("a-1", &["Moved", "Moved", "Moved"]).await;
        test.summarise().await;
        let head = test.summarised().await.0 as i64;
        restore(&test, head - 2).await;
        test.append("b-1", &["Opened", "Opened"]).await;
        for _ in 0..more {
            test.append("b-1", &["Closed"]).await;
        }
        // Nothing is said of a log that is not there any more.
        let found = test.log.statistics(ALL).await.unwrap();
        assert_eq!(found, Statistics { head: found.head, ..Statistics::default() });
        assert_eq!(step(&test.pool, 10).await.unwrap(), Step::Restarted);
        test.check_statistics().await;
        test.summarise().await;
        test.check_statistics().await;
    }
}

/// The keeper follows the log by itself, and goes on after Postgres has ended its sessions.
#[tokio::test(flavor = "multi_thread")]
async fn the_keeper_follows_the_log() {
    let test = TestLog::open().await;
    let _keeper = test.log.keep_summary();
    for round in 1..=3_u64 {
        test.append("a-1", &["Moved", "Closed"]).await;
        test_support::until("it is counted", async || test.summarised().await == Position(2 * round)).await;
        test.check_statistics().await;
        let admin = test.database.admin_pool().await;
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
             AND query LIKE '%log_summary%'",
        )
        .execute(&admin)
        .await
        .unwrap();
        admin.close().await;
    }
    restore(&test, 1).await;
    test.append("b-1", &["Opened"]).await;
    test_support::until("another log is counted again", async || {
        test.summarised().await == Position(2) && test.log.statistics(ALL).await.unwrap().types.count == 2
    })
    .await;
    test.check_statistics().await;
}

/// The summary moves while answers are made of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_of_one_position_while_hosts_step() {
    let test = TestLog::open().await;
    let lines = (0..3000).map(|number| (stream(&format!("c{}-{}", number % 3, number % 50)), event("Moved")));
    test.log.import(lines.collect(), 1).await.unwrap();
    let wanted = WantedStatistics { limit: 2, days: 1 };
    let pool = test.pool.clone();
    let stepping =
        tokio::spawn(async move { while !matches!(step(&pool, 10).await.unwrap(), Step::Moved { left: 0, .. }) {} });
    let mut answers = Vec::new();
    while !stepping.is_finished() {
        answers.push(test.log.statistics(wanted).await.unwrap());
    }
    stepping.await.unwrap();
    assert!(answers.len() > 10, "{}", answers.len());
    // An answer is of an earlier position only where the summary moved each time that it was looked at.
    let at_head = counted(&test.pool, Position(3000), wanted).await;
    let (of_head, earlier): (Vec<_>, Vec<_>) = answers.into_iter().partition(|found| found.position == found.head);
    assert!(of_head.iter().all(|found| *found == at_head), "{of_head:?}");
    for found in earlier {
        assert_eq!(found, counted(&test.pool, found.position, wanted).await);
    }
}
