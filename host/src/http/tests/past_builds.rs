//! The past of read models, made by real modules, through the real router.

use std::{collections::BTreeMap, time::Duration};

use gnomon_values::Instant;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::{
    builds::{Activation, BuildNumber, PastLimits, outdated_past},
    postgres::PgTimestamp,
    read_model::Identifier,
};

const TABLE: &str = "/v1/read-models/tally/tallies";

/// A host with projection `tally`, version 1.
struct Tally {
    api: TestApi,
    name: Identifier,
}

impl Tally {
    async fn start(database: &TestDatabase, past: PastLimits) -> Self {
        let mut settings = ServerSettings::default();
        (settings.operations.past, settings.projector.past) = (past, past);
        let host = TestHost::start_with(database, settings).await;
        Self { api: TestApi::of(host, HttpSettings::default()), name: Identifier::new("tally").unwrap() }
    }

    async fn deploy(&self, guest: &str) {
        self.api.host.deploy(&self.name, test_support::guest(guest), Activation::Auto).await;
        self.api.host.caught_up(&self.name).await;
    }

    /// Appends counts of streams, in one transaction.
    async fn count(&self, counts: &[(u64, i64)]) {
        let event = |&(stream, n): &(u64, i64)| (format!("count-{stream}"), "Counted", json!({"n": n}));
        self.api.host.append(counts.iter().map(event)).await;
    }

    async fn ask(&self, method: &str, query: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{TABLE}?{query}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.api.send(request.body(Body::empty()).unwrap()).await
    }

    /// The rows of a query on the past.
    async fn rows(&self, query: &str) -> (u64, Value) {
        let answer = self.ask("GET", query, &[("prefer", "wait=60")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
        (answer.header("gnomon-position").parse().unwrap(), answer.json())
    }

    async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.api.pool()).await.unwrap()
    }

    async fn past_builds(&self) -> i64 {
        self.number("SELECT count(*) FROM gnomon.builds WHERE stop_at IS NOT NULL").await
    }

    async fn build_schemas(&self) -> i64 {
        self.number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'build\\_%'").await
    }
}

/// What `tally` makes of counts: stream, sum, events and last version.
fn fold(counts: &[(u64, i64)]) -> Vec<Value> {
    let mut tallies: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for (stream, n) in counts {
        let tally = tallies.entry(stream.to_string()).or_default();
        *tally = (tally.0 + n, tally.1 + 1);
    }
    let row = |(stream, (sum, events))| json!({"stream": stream, "sum": sum, "events": events, "last_version": events});
    tallies.into_iter().map(row).collect()
}

fn generous() -> PastLimits {
    PastLimits { max_past_builds: 100, max_all_past_builds: 100, ..PastLimits::default() }
}

/// Random events in random groups, so that several have one stamp; random positions, and instants at, before and after the stamps; and several
/// queries on each. A plain fold of the prefix says what the rows are.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the seed is printed with the output of a test that fails")]
async fn each_position_and_each_instant_shows_the_fold_of_what_came_before() {
    let seed: u64 = std::env::var("GNOMON_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("GNOMON_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let database = TestDatabase::create().await;
    let tally = Tally::start(&database, generous()).await;
    let mut counts: Vec<(u64, i64)> = Vec::new();
    let group = |random: &mut StdRng| -> Vec<(u64, i64)> {
        (0..random.random_range(1..12)).map(|_| (random.random_range(1..6), random.random_range(-50..50))).collect()
    };
    for _ in 0..6 {
        let new = group(&mut random);
        tally.count(&new).await;
        counts.extend(new);
    }
    tally.deploy("tally").await;
    let new = group(&mut random);
    tally.count(&new).await;
    counts.extend(new);
    let stamps: Vec<PgTimestamp> = sqlx::query_scalar("SELECT recorded_at FROM gnomon.events ORDER BY position")
        .fetch_all(tally.api.pool())
        .await
        .unwrap();
    assert_eq!(stamps.len(), counts.len());

    let mut moments: Vec<(String, usize)> =
        [0, counts.len(), 1].map(|position| (position.to_string(), position)).into();
    for _ in 0..5 {
        let position = random.random_range(0..=counts.len());
        moments.push((position.to_string(), position));
        let at = stamps[random.random_range(0..stamps.len())].0 + random.random_range(-1..=1);
        moments.push((Instant(at).to_string(), stamps.iter().filter(|stamp| stamp.0 <= at).count()));
    }
    for (moment, position) in moments {
        let expected = fold(&counts[..position]);
        let what = format!("seed {seed}: {moment}");
        let (found_position, rows) = tally.rows(&format!("as_of={moment}")).await;
        assert_eq!((found_position, &rows), (position as u64, &Value::Array(expected.clone())), "{what}");
        let bound: i64 = random.random_range(-60..60);
        let some: Vec<&Value> = expected.iter().filter(|row| row["sum"].as_i64().unwrap() > bound).collect();
        let (_, rows) = tally.rows(&format!("sum=gt.{bound}&as_of={moment}")).await;
        assert_eq!(rows, json!(some), "{what}");
        let streams: Vec<Value> = expected.iter().rev().take(2).map(|row| json!({"stream": row["stream"]})).collect();
        let by_header = tally
            .ask(
                "GET",
                "select=stream&order=stream.desc&limit=2",
                &[("gnomon-as-of", &moment), ("prefer", "count=exact")],
            )
            .await;
        assert_eq!(by_header.json(), json!(streams), "{what}");
        assert!(by_header.header("content-range").ends_with(&format!("/{}", expected.len())), "{what}");
        let body = json!({"select": "sum.sum()", "as_of": moment}).to_string();
        let posted = tally.api.post(&format!("{TABLE}/query"), body).await;
        assert_eq!(posted.header("gnomon-version"), "1", "{what}: it is finished");
        let sum = (!expected.is_empty()).then(|| expected.iter().map(|row| row["sum"].as_i64().unwrap()).sum::<i64>());
        assert_eq!(posted.json(), json!([{"sum": sum}]), "{what}: {}", posted.text());
    }
    tally.api.host.projector.stop().await;
}

/// The build is made once, however many ask, on any number of hosts; and no operator sees it among the builds.
#[tokio::test(flavor = "multi_thread")]
async fn all_who_ask_share_one_build_which_is_none_of_the_others() {
    let database = TestDatabase::create().await;
    let one = Tally::start(&database, PastLimits::default()).await;
    one.deploy("tally").await;
    one.count(&[(1, 1), (2, 2), (1, 3)]).await;
    let other = Tally::start(&database, PastLimits::default()).await;
    let answers = futures_util::future::join_all((0..30).map(|turn| {
        let host = if turn % 2 == 0 { &one } else { &other };
        host.rows("as_of=2&order=stream")
    }));
    for (position, rows) in answers.await {
        assert_eq!((position, &rows), (2, &Value::Array(fold(&[(1, 1), (2, 2)]))));
    }
    assert_eq!((one.past_builds().await, one.build_schemas().await), (1, 2));

    let projection = one.api.get("/v1/projections/tally").await.json();
    assert_eq!(projection["builds"].as_array().unwrap().len(), 1);
    let history = one.api.get("/v1/projections/tally/history").await.json();
    assert!(history["history"].as_array().unwrap().iter().all(|entry| entry["build"] == 1), "{history}");
    let found = one.api.get("/v1/projections/tally/past-builds").await.json();
    let past = &found["past_builds"][0];
    let number = past["past_build"].as_u64().unwrap();
    assert_eq!((&past["state"], &past["position"], &past["checkpoint"]), (&json!("finished"), &json!(2), &json!(2)));
    assert!(past["bytes"].as_u64() > Some(8192), "{past}");
    // The number of a past build means no build.
    for operation in ["activate", "pause", "retry"] {
        let refused = one.api.post(&format!("/v1/projections/tally/{operation}?build={}", number + 100), "").await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
    }
    // A rebuild and its activation leave the past as it is.
    one.api.host.operations.rebuild(&one.name, None, Activation::Auto).await.unwrap();
    one.api.host.caught_up(&one.name).await;
    assert_eq!(one.rows("as_of=2&order=stream").await.1, Value::Array(fold(&[(1, 1), (2, 2)])));

    one.api.host.operations.delete(&one.name).await.unwrap();
    assert_eq!((one.past_builds().await, one.build_schemas().await), (0, 0));
    let gone = one.api.get(&format!("/v1/projections/tally/past-builds/{number}")).await;
    assert!(gone.problem().starts_with("404 past_build_not_found"), "{}", gone.text());
    one.api.host.projector.stop().await;
    other.api.host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_shows_the_past_by_its_own_logic_also_when_its_builds_are_retired() {
    let database = TestDatabase::create().await;
    let tally = Tally::start(&database, PastLimits::default()).await;
    tally.deploy("tally").await;
    tally.count(&[(1, 1), (1, 2)]).await;
    let (_, by_first) = tally.rows("as_of=2").await;
    tally.deploy("tally_next").await;
    tally.api.host.operations.retire(&tally.name, BuildNumber(1)).await.unwrap();
    tally.api.host.append([("count-1".to_owned(), "Counted", json!({"n": 9, "poison": true}))]).await;
    tally.count(&[(1, 4)]).await;

    assert_eq!(by_first, json!([{"stream": "1", "sum": 3, "events": 2, "last_version": 2}]));
    assert_eq!(tally.rows("as_of=2&version=1").await.1, by_first);
    let next = json!([{"stream": "1", "sum": 3, "events": 2, "poison": 0}]);
    let answer = tally.ask("GET", "as_of=2", &[("prefer", "wait=60")]).await;
    assert_eq!((answer.header("gnomon-version"), answer.json()), ("2", next.clone()));
    assert_eq!(tally.rows("as_of=2&version=2").await.1, next);
    assert_eq!(tally.rows("as_of=4").await.1, json!([{"stream": "1", "sum": 7, "events": 4, "poison": 1}]));
    let unknown = tally.ask("GET", "as_of=2&version=3", &[]).await;
    assert!(unknown.problem().starts_with("404 module_not_found"), "{}", unknown.text());

    // The first version halts at the poison, and its past says so.
    let halted = tally.ask("GET", "as_of=4&version=1", &[("prefer", "wait=60")]).await;
    let problem = halted.problem();
    assert!(problem.starts_with("409 past_build_stopped") && problem.contains("it is poison"), "{problem}");
    let (number, error) = (halted.json()["past_build"].clone(), halted.json()["error"].clone());
    assert_eq!((&error["position"], &halted.json()["checkpoint"]), (&json!(3), &json!(2)));
    // It is not tried again by itself; but when it was retired, and the projection sets such events aside.
    let patch = Request::patch("/v1/projections/tally").header("content-type", "application/json");
    tally.api.send(patch.body(Body::from(r#"{"on_failure": "skip"}"#)).unwrap()).await;
    assert_eq!(tally.ask("GET", "as_of=4&version=1", &[]).await.status, StatusCode::CONFLICT);
    let path = format!("/v1/projections/tally/past-builds/{number}");
    let retired = tally.api.send(Request::delete(&path).body(Body::empty()).unwrap()).await;
    assert_eq!(retired.status, StatusCode::NO_CONTENT);
    let skipped = json!([{"stream": "1", "sum": 7, "events": 3, "last_version": 4}]);
    assert_eq!(tally.rows("as_of=4&version=1").await.1, skipped);
    let past = tally.api.get("/v1/projections/tally/past-builds").await.json();
    assert_eq!(past["past_builds"][0]["dead_letters"], 1);
    tally.api.host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_from_the_past_says_what_it_is_and_leads_to_the_same_again() {
    let database = TestDatabase::create().await;
    let tally = Tally::start(&database, PastLimits::default()).await;
    tally.deploy("tally").await;
    tally.count(&[(1, 1), (2, 2), (3, 3), (4, 4)]).await;

    // Who does not wait is told where to look.
    let accepted = tally.ask("GET", "as_of=3&limit=2", &[("prefer", "wait=0")]).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{}", accepted.text());
    let (location, body) = (accepted.header("location").to_owned(), accepted.json());
    assert_eq!(location, format!("/v1/projections/tally/past-builds/{}", body["past_build"]));
    assert_eq!((accepted.header("retry-after"), accepted.header("gnomon-version")), ("1", "1"));
    assert_eq!((&body["position"], &body["version"]), (&json!(3), &json!(1)));
    test_support::until("it is finished", async || tally.api.get(&location).await.json()["state"] == "finished").await;

    let session = [("gnomon-session", "s2-0.tally=1"), ("gnomon-min-position", "4")];
    let answer = tally.ask("GET", "as_of=3&limit=2", &session).await;
    assert_eq!(answer.json(), json!(fold(&[(1, 1), (2, 2)])));
    for (name, value) in [
        ("gnomon-position", "3"),
        ("gnomon-version", "1"),
        ("gnomon-past-build", &body["past_build"].to_string()),
        ("gnomon-build", ""),
        ("gnomon-session", "s2-0.tally=1"),
        ("content-location", "/v1/read-models/tally/tallies?as_of=3&limit=2&version=1"),
        ("vary", "Accept, Prefer, Range, Gnomon-As-Of"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    // The next page is of the same moment, however that was named.
    let at = answer.header("link").to_owned();
    let next = at.strip_prefix('<').and_then(|link| link.split_once('>')).unwrap().0;
    assert!(next.contains("as_of=3&version=1"), "{at}");
    let next = tally.api.get(next).await;
    assert_eq!((next.header("gnomon-position"), next.json()), ("3", json!(fold(&[(3, 3)]))));
    let again = tally.api.get(answer.header("content-location")).await;
    assert_eq!((again.header("etag"), &again.body), (answer.header("etag"), &answer.body));

    // Who has it is told so; the same rows of the present or of another moment have another tag.
    let tag = answer.header("etag").to_owned();
    let known = [("if-none-match", tag.as_str())];
    let unchanged = tally.ask("GET", "as_of=3&limit=2", &known).await;
    assert_eq!((unchanged.status, unchanged.header("gnomon-version")), (StatusCode::NOT_MODIFIED, "1"));
    assert_eq!(tally.ask("GET", "as_of=4&limit=2", &known).await.status, StatusCode::OK);
    assert_eq!(tally.ask("GET", "limit=2", &known).await.status, StatusCode::OK);

    let head = tally.ask("HEAD", "as_of=3", &[("prefer", "count=exact")]).await;
    assert_eq!((head.header("content-range"), head.body.len()), ("0-2/3", 0));
    let csv = tally.ask("GET", "as_of=3&select=stream,sum", &[("accept", "text/csv")]).await;
    assert_eq!(csv.text(), "stream,sum\n1,1\n2,2\n3,3");
    let object = tally.ask("GET", "as_of=3&stream=eq.2", &[("accept", "application/vnd.pgrst.object+json")]).await;
    assert_eq!(object.json(), fold(&[(2, 2)])[0]);
    let parquet = tally.ask("GET", "as_of=3", &[("accept", "application/vnd.apache.parquet")]).await;
    assert_eq!((parquet.header("gnomon-position"), parquet.header("gnomon-version")), ("3", "1"));
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(parquet.body).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 3);
    let named: Vec<&str> =
        reader.metadata().file_metadata().key_value_metadata().unwrap().iter().map(|pair| pair.key.as_str()).collect();
    assert!(named.contains(&"gnomon.past_build") && !named.contains(&"gnomon.build"), "{named:?}");
    // The present is as it was, and goes on.
    assert_eq!(tally.ask("GET", "", &[("gnomon-min-position", "4")]).await.json().as_array().unwrap().len(), 4);
    tally.api.host.projector.stop().await;
}

/// However the moment was named, whatever is appended and activated between two pages.
#[tokio::test(flavor = "multi_thread")]
async fn all_pages_that_links_lead_to_are_of_one_moment_and_one_version() {
    let database = TestDatabase::create().await;
    let tally = Tally::start(&database, PastLimits::default()).await;
    tally.deploy("tally").await;
    let counts: Vec<(u64, i64)> = (1..=5).map(|stream| (stream, 10)).collect();
    tally.count(&counts).await;
    let stamp: PgTimestamp =
        sqlx::query_scalar("SELECT recorded_at FROM gnomon.head").fetch_one(tally.api.pool()).await.unwrap();
    let named = Instant(stamp.0).to_string();
    // Another stamp, so that the instant has passed.
    tally.count(&[(9, 1)]).await;
    for (query, headers) in [
        ("limit=2&order=stream.desc", vec![("gnomon-as-of", named.as_str()), ("prefer", "wait=60")]),
        (&*format!("limit=2&as_of={named}&order=stream.desc"), vec![("prefer", "wait=60")]),
        ("as_of=5&limit=2&order=stream.desc&select=stream,sum", vec![("prefer", "wait=60")]),
    ] {
        let mut page = tally.ask("GET", query, &headers).await;
        let mut streams = Vec::new();
        for _ in 0..3 {
            assert_eq!((page.header("gnomon-position"), page.header("gnomon-version")), ("5", "1"), "{query}");
            streams.extend(page.json().as_array().unwrap().iter().map(|row| row["stream"].clone()));
            let link = page.header("link").to_owned();
            let Some((next, _)) = link.strip_prefix('<').and_then(|link| link.split_once('>')) else { break };
            assert!(next.contains("as_of=5&version=1") && !page.header("gnomon-next").is_empty(), "{next}");
            tally.count(&[(3, 1), (7, 1)]).await;
            page = tally.api.get(next).await;
        }
        assert_eq!(json!(streams), json!(["5", "4", "3", "2", "1"]), "{query}");
    }
    // Nor does another version that becomes active in between.
    let first = tally.ask("GET", "as_of=5&limit=4", &[("prefer", "wait=60")]).await;
    tally.deploy("tally_next").await;
    let link = first.header("link").to_owned();
    let last = tally.api.get(link.strip_prefix('<').and_then(|link| link.split_once('>')).unwrap().0).await;
    assert_eq!((last.header("gnomon-version"), last.json()), ("1", json!(fold(&[(5, 10)]))));
    tally.api.host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_answer_begins_no_build() {
    let database = TestDatabase::create().await;
    let tally = Tally::start(&database, PastLimits::default()).await;
    assert!(tally.ask("GET", "as_of=0", &[]).await.problem().starts_with("404 PGRST205"));
    tally.deploy("tally").await;
    tally.count(&[(1, 1), (2, 2)]).await;
    let parquet = [("accept", "application/vnd.apache.parquet"), ("prefer", "count=exact")];
    for (query, headers, begins, says) in [
        ("as_of=3", &[][..], "409 position_beyond_head", "position 3 is asked for, and the log ends at 2"),
        ("as_of=9999-01-01T00:00:00Z", &[], "400 invalid_query", "has not passed yet"),
        ("as_of=soon", &[], "400 invalid_query", "must be a position of the log, or an instant"),
        ("", &[("gnomon-as-of", "9999-01-01T00:00:00Z")], "400 invalid_header", "has not passed yet"),
        ("version=1", &[], "400 invalid_query", "as_of"),
        ("as_of=1&version=7", &[], "404 module_not_found", "7"),
        ("as_of=1&summ=eq.1", &[], "400 42703", "summ"),
        ("as_of=1", &parquet[..], "400 PGRST127", ""),
    ] {
        let problem = tally.ask("GET", query, headers).await.problem();
        assert!(problem.starts_with(begins) && problem.contains(says), "{query}: {problem}");
    }
    let unknown = tally.api.get("/v1/read-models/tally/talleys?as_of=1").await;
    assert!(unknown.problem().starts_with("404 PGRST205"), "{}", unknown.text());
    assert!(
        tally.api.get("/v1/projections/tally/past-builds/1").await.problem().starts_with("404 past_build_not_found")
    );
    assert!(
        tally.api.get("/v1/projections/nobody/past-builds").await.problem().starts_with("404 projection_not_found")
    );
    assert_eq!(tally.past_builds().await, 0);
    tally.api.host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn past_builds_are_bounded_and_go_when_nobody_asks() {
    let database = TestDatabase::create().await;
    let limits = PastLimits { max_past_builds: 1, ..PastLimits::default() };
    let tally = Tally::start(&database, limits).await;
    tally.deploy("tally").await;
    tally.count(&[(1, 1), (2, 2)]).await;
    tally.rows("as_of=1").await;
    let full = tally.ask("GET", "as_of=2", &[]).await;
    assert!(
        full.problem().starts_with("503 too_many_past_builds: projection `tally` has 1 past builds"),
        "{}",
        full.text()
    );
    assert_eq!((&full.json()["limit"], &full.json()["max"]), (&json!("max-past-builds"), &json!(1)));
    assert_eq!(tally.rows("as_of=1").await.0, 1, "the one that there is goes on to answer");
    // Nobody has asked for a while: it makes room.
    let a_while_ago = "UPDATE gnomon.builds SET asked_at = asked_at - interval '21 seconds' WHERE stop_at IS NOT NULL";
    sqlx::query(a_while_ago).execute(tally.api.pool()).await.unwrap();
    assert_eq!(tally.rows("as_of=2").await.1.as_array().unwrap().len(), 2);
    assert_eq!((tally.past_builds().await, tally.build_schemas().await), (1, 2));
    // That somebody asks is noted now and then.
    let before = "UPDATE gnomon.builds SET asked_at = asked_at - interval '15 seconds' WHERE stop_at IS NOT NULL";
    sqlx::query(before).execute(tally.api.pool()).await.unwrap();
    tally.rows("as_of=2").await;
    let noted = "SELECT count(*) FROM gnomon.builds WHERE asked_at > clock_timestamp() - interval '10 seconds'";
    assert_eq!(tally.number(noted).await, 1);
    // A past build of a position that the log does not have any more is outdated at once.
    let outdated = async || outdated_past(tally.api.pool(), Duration::from_secs(3600)).await.unwrap().len();
    assert_eq!(outdated().await, 0);
    sqlx::query("UPDATE gnomon.builds SET stop_at = 99 WHERE stop_at = 2").execute(tally.api.pool()).await.unwrap();
    assert_eq!(outdated().await, 1);
    tally.api.host.projector.stop().await;

    // A host that keeps them for a second sweeps them away.
    let next = Tally::start(&database, PastLimits { keep_past: Duration::from_secs(1), ..PastLimits::default() }).await;
    test_support::until("the past build is swept", async || next.past_builds().await == 0).await;
    assert_eq!(next.build_schemas().await, 1);
    next.api.host.projector.stop().await;
    let small = PastLimits { max_past_bytes: 1000, ..PastLimits::default() };
    let small = Tally::start(&database, small).await;
    let failed = small.ask("GET", "as_of=2", &[("prefer", "wait=60")]).await;
    let problem = failed.problem();
    assert!(problem.starts_with("409 past_build_stopped") && problem.contains("--max-past-bytes"), "{problem}");
    // It takes the bytes of all until it makes room.
    let full = small.ask("GET", "as_of=1", &[]).await;
    assert_eq!(full.json()["limit"], "max-past-bytes");
    small.api.host.projector.stop().await;
}
