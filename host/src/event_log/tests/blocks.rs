//! Blocks of the log, and filtered reads that pass over them.

use std::{future::ready, pin::pin};

use futures_util::{StreamExt as _, future::join_all};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom as _};

use super::*;
use crate::postgres::migrate_to;

/// Each event with its type and its category.
const NAMED: &str =
    "gnomon.events, LATERAL (VALUES ('type', type), ('category', split_part(stream, '-', 1))) AS named (kind, name)
     WHERE named.name <> ''";

/// How many types and categories of events are not noted in their blocks.
pub(super) async fn unnoted(pool: &PgPool) -> i64 {
    let count = format!(
        "SELECT count(*) FROM {NAMED} AND NOT EXISTS (
             SELECT FROM gnomon.event_blocks AS known
             WHERE known.kind = named.kind AND known.name IN (named.name, '') AND span = position / 16384
               AND blocks >> (position / 256 % 64)::integer & 1 = 1)"
    );
    sqlx::query_scalar(&count).fetch_one(pool).await.unwrap()
}

/// How many rows have more blocks than have such events.
async fn overnoted(pool: &PgPool) -> i64 {
    let count = format!(
        "SELECT count(*) FROM (SELECT kind, name, span, blocks FROM gnomon.event_blocks EXCEPT
             SELECT named.kind, named.name, position / 16384, bit_or(1::bigint << (position / 256 % 64)::integer)
             FROM {NAMED} GROUP BY 1, 2, 3) AS over"
    );
    sqlx::query_scalar(&count).fetch_one(pool).await.unwrap()
}

fn of_types(types: &[&str]) -> Filter {
    Filter { types: NameFilter::only(types.iter().copied()), ..Filter::default() }
}

fn of_categories(categories: &[&str]) -> Filter {
    Filter { categories: NameFilter::only(categories.iter().copied()), ..Filter::default() }
}

fn positions(events: &[RecordedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.position.0).collect()
}

/// What pages of a size find, from one position to the end, and how many pages there were.
async fn pages(
    log: &EventLog,
    direction: Direction,
    from: Option<u64>,
    filter: &Filter,
    size: usize,
) -> (Vec<u64>, usize) {
    let (mut found, mut after, mut count) = (Vec::new(), from.map(Position), 0);
    loop {
        let page = log.read(direction, after, size, filter).await.unwrap();
        assert!(page.events.len() <= size);
        found.extend(positions(&page.events));
        count += 1;
        let is_last = page.next.is_none() || direction == Direction::Forward && page.next == Some(page.head);
        if is_last {
            return (found, count);
        }
        after = page.next;
    }
}

/// What batches of a size find.
async fn batches(log: &EventLog, from: u64, filter: &Filter, size: usize) -> (Vec<u64>, usize) {
    let (mut found, mut after, mut count) = (Vec::new(), Position(from), 0);
    loop {
        let batch = log.read_batch(after, size, filter).await.unwrap();
        found.extend(positions(&batch.events));
        count += 1;
        after = batch.next.unwrap();
        if after == batch.head {
            return (found, count);
        }
    }
}

/// `count` lines in the stream `common-1`, of the type `Common`, and some of the type and stream that are given with their numbers, from 1.
fn lines(count: u64, others: &[(u64, &str, &str)]) -> Vec<Line> {
    let line = |number| match others.iter().find(|(at, ..)| *at == number) {
        Some((_, name, event_type)) => (stream(name), event(event_type)),
        None => (stream("common-1"), event("Common")),
    };
    (1..=count).map(line).collect()
}

/// Types and categories that come and go, written by hosts that begin and end and lose their connections.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the seed is printed with the output of a test that fails")]
async fn what_is_read_of_a_random_log_is_what_the_filter_admits() {
    const TYPES: [&str; 12] = ["A", "B", "R0", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "it's", "R\\9"];
    const STREAMS: [&str; 12] =
        ["a-1", "a-2", "b-1", "b", "-none", "k0-1", "k1-1", "k2-1", "k3-1", "k'4-1", "k5-x-y", "k6"];
    let seed: u64 = std::env::var("GNOMON_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("GNOMON_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let test = TestLog::open().await;
    let mut hosts = [test.log.clone(), test.other_host().await];
    while test.log.read_head().await.unwrap() < Position(22_000) {
        // Those that occur for a while.
        let types: Vec<&str> = TYPES[..2].iter().chain(TYPES.sample(&mut random, 1)).copied().collect();
        let streams: Vec<&str> = STREAMS[..4].iter().chain(STREAMS.sample(&mut random, 1)).copied().collect();
        let new = |random: &mut StdRng| {
            let rare = random.random_bool(0.01);
            let event_type = if rare { types[types.len() - 1] } else { types.choose(random).unwrap() };
            let tags: &[&str] = if random.random_bool(0.1) { &["x:1"] } else { &[] };
            (stream(streams.choose(random).unwrap()), tagged(event_type, tags))
        };
        let which = usize::from(random.random_bool(0.3));
        match random.random_range(0..10) {
            0 => hosts[which] = test.other_host().await,
            1 => {
                outage::cut_connections(&test.pool).await;
            }
            2..6 => {
                let lines = (0..random.random_range(1..3500)).map(|_| new(&mut random)).collect();
                hosts[which].import(lines, 1).await.unwrap();
            }
            _ => {
                let appends: Vec<_> = (0..random.random_range(1..40)).map(|_| new(&mut random)).collect();
                let appends = appends.into_iter().enumerate().map(|(number, (name, event))| {
                    let host = &hosts[if number % 5 == 0 { 1 - which } else { which }];
                    async move { append(host, name.as_str(), ExpectedVersion::Any, vec![event]).await.unwrap() }
                });
                join_all(appends).await;
            }
        }
    }
    assert_eq!((unnoted(&test.pool).await, overnoted(&test.pool).await), (0, 0));

    let reader = test.other_host().await;
    let all = reader.read(Direction::Forward, None, 100_000, &Filter::default()).await.unwrap().events;
    for round in 0..40 {
        let mut some = |names: &[&str], most: usize| -> Vec<String> {
            // The frequent ones seldom, since that takes long.
            let from = if round % 8 == 0 { 0 } else { 4 };
            names[from..].sample(&mut random, 1 + round % most).map(|name| (*name).to_owned()).collect()
        };
        let mut filter = Filter::default();
        if round % 4 != 1 {
            filter.types = NameFilter::only(some(&TYPES, 3));
        }
        if round % 4 != 0 {
            filter.categories =
                NameFilter::only(some(&["a", "b", "b", "a", "k0", "k1", "k2", "k3", "k'4", "k5", "k6", ""], 4));
        }
        if round % 4 == 3 {
            let types = some(&TYPES, 3).into_iter().map(|name| EventType::new(name).unwrap()).collect();
            let tags = vec![Tag::new("x:1").unwrap()];
            let untagged = QueryItem { types, tags: Vec::new() };
            let other = QueryItem { types: vec![EventType::new("R0").unwrap()], tags };
            filter =
                Filter { types: NameFilter::All, query: Some(EventQuery { items: vec![untagged, other] }), ..filter };
        }
        let from = if round % 3 == 0 { 0 } else { random.random_range(0..all.len() as u64) };
        let admitted = all.iter().filter(|event| filter.admits(event)).map(|event| event.position.0);
        let (before, after): (Vec<u64>, Vec<u64>) = admitted.partition(|position| *position <= from);
        let size = after.len().max(before.len()) / random.random_range(1..10) + 1;
        assert_eq!(
            pages(&reader, Direction::Forward, Some(from), &filter, size).await.0,
            after,
            "{filter:?} after {from}"
        );
        let mut backward = pages(&reader, Direction::Backward, Some(from + 1), &filter, size).await.0;
        backward.reverse();
        assert_eq!(backward, before, "{filter:?} before {}", from + 1);
        for size in [1000, 8192] {
            assert_eq!(batches(&reader, from, &filter, size).await.0, after, "{filter:?} in batches after {from}");
        }
    }
}

/// It is shown by a lie: an event of a block of which Postgres does not know it is not found.
#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_do_not_hold_what_is_looked_for_are_not_read() {
    let test = TestLog::open().await;
    let others = [(6000, "rare-1", "Rare"), (12_000, "rare-1", "Rare"), (12_001, "other-1", "Other")];
    test.log.import(lines(20_000, &others), 1).await.unwrap();
    let reader = test.other_host().await;
    let rare = || query(&[(&["Rare"], &[]), (&["Rare", "None"], &["x:1"])]);
    let filters = [
        of_types(&["Rare"]),
        of_categories(&["rare"]),
        of_types(&["Rare", "None"]),
        Filter { types: NameFilter::only(["Rare"; 1]), ..of_categories(&["rare", "other"]) },
        Filter { query: Some(rare()), ..Filter::default() },
    ];
    for expected in [vec![6000, 12_000], vec![6000]] {
        for filter in &filters {
            assert_eq!(pages(&reader, Direction::Forward, None, filter, 1).await.0, expected, "{filter:?}");
            let mut backward = pages(&reader, Direction::Backward, None, filter, 1000).await.0;
            backward.reverse();
            assert_eq!(backward, expected, "{filter:?}");
            assert_eq!(batches(&reader, 0, filter, 8192).await, (expected.clone(), 1), "{filter:?}");
        }
        let mut following = pin!(reader.follow(Position(0), of_types(&["Rare"]), |_| ready(())));
        let (first, ()) = following.next().await.unwrap().unwrap();
        assert_eq!(first.len(), expected.len() + 1, "{first:?}");
        let condition = AppendCondition { fail_if_events_match: rare(), after: Some(Position(6000)) };
        let none = append_if(&reader, "a-1", ExpectedVersion::NoStream, vec![event("New")], Some(condition)).await;
        assert_eq!(none.is_ok(), expected.len() == 1, "{none:?}");
        let forget = "UPDATE gnomon.event_blocks SET blocks = blocks & ~(1::bigint << (12000 / 256)) WHERE name IN ('Rare', 'rare')";
        assert_eq!(sqlx::query(forget).execute(&test.pool).await.unwrap().rows_affected(), 2);
    }
    // Where all blocks hold a type, it is read as it always was.
    let common = of_types(&["Common"]);
    assert_eq!(batches(&reader, 0, &common, 8192).await.0.len(), 19_997);
    // No name, no event, and nothing to be looked for.
    assert_eq!(batches(&reader, 0, &of_types(&[]), 8192).await, (Vec::new(), 1));
}

/// The head is lifted over millions of positions without events.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_stretch_of_millions_of_positions_is_passed_over_at_once() {
    let test = TestLog::open().await;
    test.append("rare-1", &["Rare"]).await;
    test.append("common-1", &["Common"]).await;
    sqlx::query("UPDATE gnomon.head SET position = 9000000").execute(&test.pool).await.unwrap();
    test.append("common-1", &["Common"]).await;
    test.append("rare-1", &["Rare"]).await;
    let reader = test.other_host().await;
    for filter in [of_types(&["Rare"]), of_categories(&["rare"])] {
        let found = vec![1, 9_000_002];
        assert_eq!(pages(&reader, Direction::Forward, None, &filter, 10).await, (found.clone(), 1));
        assert_eq!(pages(&reader, Direction::Backward, None, &filter, 10).await, (vec![9_000_002, 1], 1));
        assert_eq!(batches(&reader, 0, &filter, 8192).await, (found, 2));
        // The checkpoint of a feed moves to the next block that has one.
        let batch = reader.read_batch(Position(255), 8192, &filter).await.unwrap();
        assert_eq!((positions(&batch.events), batch.next), (vec![9_000_002], Some(Position(9_000_002))));
    }
    let batch = reader.read_batch(Position(0), 8192, &of_types(&["None"])).await.unwrap();
    assert_eq!((batch.events.len(), batch.next), (0, Some(Position(9_000_002))));
    assert_eq!(unnoted(&test.pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_brings_nothing_new_to_its_block_notes_nothing() {
    let test = TestLog::open().await;
    // Which transaction has written, or locked, each row.
    let noted = async || -> Vec<String> {
        let rows = "SELECT concat_ws(' ', kind, name, span, xmin, xmax) FROM gnomon.event_blocks ORDER BY 1";
        sqlx::query_scalar(rows).fetch_all(&test.pool).await.unwrap()
    };
    // The first is appended under the lock.
    test.append("a-1", &["A"]).await;
    for (name, types, expected) in [
        ("a-1", &["A"; 1][..], false),
        ("a-2", &["A", "B"], true),
        ("a-1", &["B", "A"], false),
        ("b-1", &["A"], true),
        ("b-1", &["A"; 249], true),
        ("b-1", &["A"], false),
        ("a-1", &["A"], true),
    ] {
        let before = noted().await;
        test.append(name, types).await;
        assert_eq!(noted().await != before, expected, "{name} {} of {}", types[0], types.len());
    }
    assert_eq!((unnoted(&test.pool).await, overnoted(&test.pool).await), (0, 0));
}

/// Postgres refuses the transaction at its commit, so nothing may be remembered of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_append_has_not_committed_is_noted_by_the_next_one() {
    let test = TestLog::open().await;
    test.append("a-1", &["A"]).await;
    for (name, event_type) in [("b-1", "B"), ("c-1", "C")] {
        let break_commits =
            "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
             CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON gnomon.head DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION public.refuse()";
        sqlx::raw_sql(break_commits).execute(&test.pool).await.unwrap();
        assert!(append(&test.log, name, ExpectedVersion::Any, vec![event(event_type)]).await.is_err());
        let refused: Vec<_> = (0..400).map(|_| (stream(name), event(event_type))).collect();
        assert!(test.log.import(refused, 1).await.is_err());
        sqlx::raw_sql("DROP FUNCTION public.refuse CASCADE").execute(&test.pool).await.unwrap();
        test.append(name, &[event_type]).await;
        assert_eq!((unnoted(&test.pool).await, overnoted(&test.pool).await), (0, 0));
    }
}

/// A refused line takes an import back, and the appends beside it are committed.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_not_noted() {
    let test = TestLog::open().await;
    test.append("a-1", &["A"]).await;
    let twice = |data| (stream("b-1"), NewEvent { data: json(data), ..event_with_id(7, "B") });
    let stale = ExpectedVersion::Exact(StreamVersion(9));
    let (import, append, refused) = tokio::join!(
        test.log.import(vec![twice("1"), twice("2")], 1),
        append(&test.log, "a-1", ExpectedVersion::Any, vec![event("C")]),
        append(&test.log, "d-1", stale, vec![event("D")]),
    );
    assert!(import.is_err() && append.is_ok() && refused.is_err());
    assert_eq!((unnoted(&test.pool).await, overnoted(&test.pool).await), (0, 0));
}

/// The log goes back, with what was noted, and the connection of the host stays.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_what_the_database_lacks_is_noted_again() {
    let test = TestLog::open().await;
    test.append("a-1", &["A"; 300]).await;
    let dump = "CREATE TABLE public.dump AS SELECT * FROM gnomon.event_blocks";
    sqlx::raw_sql(dump).execute(&test.pool).await.unwrap();
    test.append("a-1", &["A", "B"]).await;
    test.append("b-1", &["B"]).await;
    restore::restore(&test, 300).await;
    let admin = test.database.admin_pool().await;
    sqlx::raw_sql(
        "SET session_replication_role = replica; TRUNCATE gnomon.event_blocks;
         INSERT INTO gnomon.event_blocks SELECT * FROM public.dump; RESET session_replication_role",
    )
    .execute(&admin)
    .await
    .unwrap();
    admin.close().await;
    test.append("b-1", &["B"]).await;
    test.append("a-1", &["B", "A"]).await;
    assert_eq!((unnoted(&test.pool).await, overnoted(&test.pool).await), (0, 0));
}

/// What a host remembers of a span is not taken for the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_alone_notes_all_over_several_spans() {
    let test = TestLog::open().await;
    for chunk in 0..40_u64 {
        test.append("a-1", &["A", "B", "A"]).await;
        test.log.import(lines(1000, &[(chunk * 25 + 1, "rare-1", "Rare")]), 1).await.unwrap();
    }
    assert_eq!((unnoted(&test.pool).await, overnoted(&test.pool).await), (0, 0));
    let found = pages(&test.other_host().await, Direction::Forward, None, &of_types(&["Rare"]), 7).await.0;
    assert_eq!(found, (0..40).map(|chunk| chunk * 1028 + 4).collect::<Vec<_>>());
}

/// Another host has the next block first.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_take_turns_note_all() {
    let test = TestLog::open().await;
    let other = test.other_host().await;
    for number in 0..60_usize {
        let host = if number / 3 % 2 == 0 { &test.log } else { &other };
        let (name, event_type) = (format!("c{}-1", number % 5), ["A", "B"][number % 2]);
        let events = (0..17).map(|_| event(event_type)).collect();
        append(host, &name, ExpectedVersion::Any, events).await.unwrap();
    }
    assert_eq!((unnoted(&test.pool).await, overnoted(&test.pool).await), (0, 0));
}

#[tokio::test]
async fn what_is_noted_cannot_be_taken_away() {
    let test = TestLog::open().await;
    test.append("a-1", &["A"]).await;
    for statement in ["DELETE FROM gnomon.event_blocks", "TRUNCATE gnomon.event_blocks"] {
        let error = sqlx::query(statement).execute(&test.pool).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}

/// Appends events as a host does that does not know of blocks: each five thousandth is rare.
async fn append_as_before(pool: &PgPool, from: i64, to: i64) {
    let append = "WITH advanced AS (
             UPDATE gnomon.head SET position = $2, recorded_at = greatest(clock_timestamp(), recorded_at) WHERE position = $1
             RETURNING recorded_at AS now
         )
         INSERT INTO gnomon.events (position, version, time, recorded_at, id, schema_version, stream, type, data)
         SELECT number, number, now, now, gen_random_uuid(), 1, name || '-1', initcap(name), '{}'
         FROM advanced, generate_series($1 + 1, $2) AS number,
              LATERAL (SELECT CASE WHEN number % 5000 = 0 THEN 'rare' ELSE 'common' END AS name) AS named";
    let inserted = sqlx::query(append).bind(from).bind(to).execute(pool).await.unwrap().rows_affected();
    assert_eq!(inserted, u64::try_from(to - from).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_from_before_there_were_blocks_has_them_and_so_has_what_an_old_host_appends() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    assert_eq!(migrate_to(&pool, 8).await.unwrap(), 8);
    sqlx::query("SELECT gnomon.add_partition(1, 10000000)").execute(&pool).await.unwrap();
    append_as_before(&pool, 0, 20_000).await;
    migrate(&pool).await.unwrap();
    assert_eq!((unnoted(&pool).await, overnoted(&pool).await), (0, 0));
    // A host that was started before goes on.
    append_as_before(&pool, 20_000, 20_001).await;
    append_as_before(&pool, 20_001, 30_000).await;
    assert_eq!((unnoted(&pool).await, overnoted(&pool).await), (0, 0));

    let log = EventLog::open(pool.clone(), EventLogSettings::default()).await.unwrap();
    append(&log, "rare-2", ExpectedVersion::NoStream, vec![event("Rare")]).await.unwrap();
    append(&log, "rare-2", ExpectedVersion::Any, vec![event("Common")]).await.unwrap();
    append_as_before(&pool, 30_002, 35_000).await;
    append(&log, "rare-2", ExpectedVersion::Any, vec![event("Common")]).await.unwrap();
    assert_eq!((unnoted(&pool).await, overnoted(&pool).await), (0, 0));
    let is_noted = "SELECT blocks_to = position FROM gnomon.head";
    assert!(sqlx::query_scalar::<_, bool>(is_noted).fetch_one(&pool).await.unwrap());
    let expected = [5000, 10_000, 15_000, 20_000, 25_000, 30_000, 30_001, 35_000];
    let test = TestLog { log, pool, database };
    let reader = test.other_host().await;
    assert_eq!(pages(&reader, Direction::Forward, None, &of_types(&["Rare"]), 100).await.0, expected);
    assert_eq!(batches(&reader, 0, &of_types(&["Rare"]), 8192).await.0, expected);
}

/// Streams that are named by their ids alone have as many categories as there are streams.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_one_name_of_too_many_is_found() {
    let test = TestLog::open().await;
    let mut lines = lines(6000, &[]);
    for number in 0..4000 {
        lines.push((stream(&format!("{number:08x}-1")), event("Common")));
    }
    lines.extend((0..7000).map(|_| (stream("common-1"), event("Common"))));
    test.log.import(lines, 1).await.unwrap();
    test.append("late-1", &["Common"]).await;
    assert_eq!(unnoted(&test.pool).await, 0);
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM gnomon.event_blocks").fetch_one(&test.pool).await.unwrap();
    assert!((1025..1100).contains(&rows), "{rows}");
    let reader = test.other_host().await;
    for (category, position) in [("00000000", 6001), ("00000f9f", 10_000), ("late", 17_001)] {
        let filter = of_categories(&[category]);
        assert_eq!(pages(&reader, Direction::Forward, None, &filter, 10).await, (vec![position], 1), "{category}");
        assert_eq!(pages(&reader, Direction::Backward, None, &filter, 10).await, (vec![position], 1), "{category}");
        assert_eq!(batches(&reader, 0, &filter, 8192).await, (vec![position], 1), "{category}");
    }
}
