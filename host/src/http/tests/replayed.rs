//! Moments of the past that the events of single streams tell, through the real router: the answers are those of a past build, and of a plain model.

use std::collections::BTreeMap;

use gnomon_values::Instant;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{
    boxes::{Rows, fields, fold, key},
    *,
};
use crate::{
    builds::{Activation, PastLimits},
    postgres::PgTimestamp,
    read_model::Identifier,
};

/// A host with a projection that is partitioned by stream.
struct Keyed {
    api: TestApi,
    name: Identifier,
}

impl Keyed {
    async fn start(database: &TestDatabase, name: &str, settings: ServerSettings) -> Self {
        let mut settings = settings;
        let past = PastLimits { max_past_builds: 100, max_all_past_builds: 100, ..PastLimits::default() };
        (settings.operations.past, settings.projector.past) = (past, past);
        let host = TestHost::start_with(database, settings).await;
        Self { api: TestApi::of(host, HttpSettings::default()), name: Identifier::new(name).unwrap() }
    }

    async fn deploy(&self, guest: &str) {
        self.api.host.deploy(&self.name, test_support::guest(guest), Activation::Auto).await;
        self.api.host.caught_up(&self.name).await;
    }

    async fn ask(&self, method: &str, table: &str, query: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request =
            Request::builder().method(method).uri(format!("/v1/read-models/{}/{table}?{query}", self.name));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.api.send(request.body(Body::empty()).unwrap()).await
    }

    /// An answer that a past build makes, if one has to.
    async fn get(&self, table: &str, query: &str) -> Answer {
        let answer = self.ask("GET", table, query, &[("prefer", "wait=60")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
        answer
    }

    async fn past_builds(&self) -> i64 {
        let count = "SELECT count(*) FROM gnomon.builds WHERE stop_at IS NOT NULL";
        sqlx::query_scalar(count).fetch_one(self.api.pool()).await.unwrap()
    }
}

/// Whether no build made the answer.
fn is_replayed(answer: &Answer) -> bool {
    answer.header("gnomon-past-build").is_empty()
}

/// Filters that name a key.
fn named(key: &[(&str, String)]) -> String {
    filters(key, |column, value| format!("{column}=eq.{value}"))
}

/// Filters that mean the same row, and do not name it: a past build has to answer.
fn unnamed(key: &[(&str, String)]) -> String {
    filters(key, |column, value| format!("{column}=gte.{value}&{column}=lte.{value}"))
}

fn filters(key: &[(&str, String)], filter: impl Fn(&str, &str) -> String) -> String {
    let encoded = |value: &String| utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
    key.iter().map(|(column, value)| filter(column, &encoded(value))).collect::<Vec<_>>().join("&")
}

/// Random streams of several categories with everything that a table can have, at random positions and instants: of each row that there was at some
/// time, whether it is there, and what it is.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the seed is printed with the output of a test that fails")]
async fn streams_tell_what_a_past_build_and_a_plain_model_say() {
    const STREAMS: [&str; 4] = ["box-1", "box-2", "crate-1", "-1"];
    let seed: u64 = std::env::var("GNOMON_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("GNOMON_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let database = TestDatabase::create().await;
    let mut settings = ServerSettings::default();
    settings.past.snapshot_every = *[1, 3, 100].choose(&mut random).unwrap();
    let boxes = Keyed::start(&database, "boxes", settings).await;
    boxes.deploy("boxes").await;
    let mut events = Vec::new();
    for _ in 0..12 {
        let group: Vec<_> = (0..random.random_range(1..10))
            .map(|_| {
                let stream = *STREAMS.choose(&mut random).unwrap();
                (stream, random.random_bool(0.8).then(|| fields(&mut random)))
            })
            .collect();
        let appended = group.iter().map(|(stream, kept)| match kept {
            Some((event, _)) => ((*stream).to_owned(), "Kept", event.clone()),
            None => ((*stream).to_owned(), "Emptied", json!({})),
        });
        boxes.api.host.append(appended).await;
        events.extend(group);
    }
    boxes.api.host.caught_up(&boxes.name).await;
    let stamps: Vec<PgTimestamp> = sqlx::query_scalar("SELECT recorded_at FROM gnomon.events ORDER BY position")
        .fetch_all(boxes.api.pool())
        .await
        .unwrap();

    // The rows after each position, and each key that there ever was.
    let mut now: BTreeMap<&str, (u64, Rows)> = BTreeMap::new();
    let (mut after, mut keys) = (vec![BTreeMap::new()], BTreeMap::new());
    for (stream, kept) in &events {
        let (version, rows) = now.entry(stream).or_default();
        *version += 1;
        fold(rows, stream, *version, kept.as_ref().map(|(_, row)| row));
        keys.extend(rows.iter().map(|((table, known), row)| ((*table, known.clone()), key(table, row))));
        let all = now.values().flat_map(|(_, rows)| rows.clone());
        after.push(all.collect::<BTreeMap<_, _>>());
    }

    for _ in 0..4 {
        let (moment, position) = if random.random_bool(0.5) {
            let position = random.random_range(0..=events.len());
            (position.to_string(), position)
        } else {
            let at = stamps.choose(&mut random).unwrap().0 + random.random_range(-1..=1);
            (Instant(at).to_string(), stamps.iter().filter(|stamp| stamp.0 <= at).count())
        };
        let what = format!("seed {seed}: {moment}");
        for ((table, known), key) in &keys {
            let expected: Vec<&Value> = after[position].get(&(*table, known.clone())).into_iter().collect();
            let (named, unnamed) = (named(key), unnamed(key));
            let answer = boxes.get(table, &format!("{named}&as_of={moment}")).await;
            assert!(is_replayed(&answer), "{what}: {table} {named}");
            assert_eq!(answer.json(), json!(expected), "{what}: {table} {named}");
            let headers = ["gnomon-position", "gnomon-version", "gnomon-build"].map(|name| answer.header(name));
            assert_eq!(headers, [&position.to_string(), "1", ""], "{what}");
            let by_build = boxes.get(table, &format!("{unnamed}&as_of={moment}")).await;
            assert!(!is_replayed(&by_build), "{what}: {unnamed}");
            assert_eq!(answer.text(), by_build.text(), "{what}: {table} {named}");
        }
        // A key that no stream has ever had, though its stream is there: only a build knows.
        for (table, key) in
            [("boxes", vec![("stream", "box-7".to_owned())]), ("boxes", vec![("stream", "1".to_owned())])]
        {
            let answer = boxes.get(table, &format!("{}&as_of={moment}", named(&key))).await;
            assert_eq!((is_replayed(&answer), answer.json()), (false, json!([])), "{what}");
        }
    }
    boxes.api.host.projector.stop().await;
}

/// Each form of a query on the same rows.
#[tokio::test(flavor = "multi_thread")]
async fn the_whole_grammar_is_answered_as_by_a_past_build() {
    let database = TestDatabase::create().await;
    let boxes = Keyed::start(&database, "boxes", ServerSettings::default()).await;
    boxes.deploy("boxes").await;
    let mut random = StdRng::seed_from_u64(7);
    let kept = (1..=6).map(|number| (format!("box-{number}"), "Kept", fields(&mut random).0));
    boxes.api.host.append(kept.chain([("box-1".to_owned(), "Emptied", json!({}))])).await;
    let named = "stream=in.(box-1,box-2,box-3,box-4)";
    let unnamed = "or=(stream.eq.box-1,stream.eq.box-2,stream.eq.box-3,stream.eq.box-4)";
    let headers: [&[(&str, &str)]; 5] = [
        &[],
        &[("accept", "text/csv")],
        &[("prefer", "count=exact")],
        &[("prefer", "timezone=Asia/Tokyo"), ("range", "1-2")],
        &[("accept", "application/vnd.pgrst.array+json;nulls=stripped")],
    ];
    for query in [
        "",
        "order=stream.desc&limit=2",
        "order=decimal,stream&offset=1",
        "select=s:stream,decimal::text,json-%3Ea,json-%3E%3En,tags-%3E0,at::date",
        "select=city,count(),decimal.max()&order=city",
        "city=eq.OSLO&order=stream",
        "tags=cs.%7BNULL%7D",
        "or=(flag.is.true,small.lt.0)&order=small.nullsfirst,stream",
        "label=like.*%C3%A9*",
        "limit=0",
    ] {
        for headers in headers {
            let headers = [headers, &[("prefer", "wait=60")]].concat();
            for (method, as_of) in [("GET", 6), ("HEAD", 6), ("GET", 7)] {
                let ask = async |filter: &str| {
                    boxes.ask(method, "boxes", &format!("{filter}&{query}&as_of={as_of}"), &headers).await
                };
                let (replayed, built) = (ask(named).await, ask(unnamed).await);
                assert!(is_replayed(&replayed) && !is_replayed(&built), "{query} {headers:?}: {}", replayed.text());
                assert_eq!((replayed.status, replayed.text()), (built.status, built.text()), "{query} {headers:?}");
                for name in ["content-range", "content-type", "content-length", "preference-applied", "gnomon-position"]
                {
                    assert_eq!(replayed.header(name), built.header(name), "{query} {headers:?} {name}");
                }
                // A cursor is one of its own query.
                let next = [&replayed, &built].map(|answer| answer.header("gnomon-next").is_empty());
                assert_eq!(next[0], next[1], "{query} {headers:?}");
            }
        }
    }
    let object = [("accept", "application/vnd.pgrst.object+json")];
    let one = boxes.ask("GET", "boxes", "stream=eq.box-2&select=version&as_of=6", &object).await;
    assert_eq!((is_replayed(&one), one.json()), (true, json!({"version": 1})));
    let none = boxes.ask("GET", "boxes", "stream=eq.box-1&as_of=7", &object).await;
    assert!(none.problem().starts_with("406 PGRST116"), "{}", none.text());
    for (query, problem) in [
        ("stream=eq.box-2&small=eq.x&as_of=6", "400 22P02"),
        ("stream=eq.box-2&nothing=eq.x&as_of=6", "400 42703"),
        ("stream=eq.box-2&as_of=8", "409 position_beyond_head"),
        ("stream=eq.box-2&as_of=6&version=9", "404 module_not_found"),
    ] {
        let refused = boxes.ask("GET", "boxes", query, &[]).await;
        assert!(refused.problem().starts_with(problem), "{query}: {}", refused.text());
    }
    // As many rows as were counted, though Postgres expects some other number.
    let planned = boxes.ask("GET", "boxes", &format!("{named}&as_of=6&limit=1"), &[("prefer", "count=planned")]).await;
    assert_eq!((planned.header("content-range"), is_replayed(&planned)), ("0-0/4", true));
    // Files and plans are made of tables.
    let file = boxes
        .ask(
            "GET",
            "boxes",
            "stream=eq.box-2&as_of=6",
            &[("accept", "application/vnd.apache.parquet"), ("prefer", "wait=60")],
        )
        .await;
    assert_eq!((file.status, is_replayed(&file)), (StatusCode::OK, false));
    boxes.api.host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_from_streams_says_what_it_is_and_leads_to_the_same_again() {
    let database = TestDatabase::create().await;
    let boxes = Keyed::start(&database, "boxes", ServerSettings::default()).await;
    boxes.deploy("boxes").await;
    let mut random = StdRng::seed_from_u64(7);
    let kept = (1..=4).map(|number| (format!("box-{number}"), "Kept", fields(&mut random).0));
    boxes.api.host.append(kept).await;
    boxes.api.host.caught_up(&boxes.name).await;
    let query = "stream=in.(box-1,box-2,box-3)&select=stream,version&limit=2&as_of=3";
    let session = [("gnomon-session", "s2-0.boxes=1"), ("gnomon-min-position", "4")];
    let answer = boxes.ask("GET", "boxes", query, &session).await;
    assert_eq!(answer.json(), json!([{"stream": "box-1", "version": 1}, {"stream": "box-2", "version": 1}]));
    for (name, value) in [
        ("gnomon-position", "3"),
        ("gnomon-version", "1"),
        ("gnomon-past-build", ""),
        ("gnomon-build", ""),
        ("gnomon-session", "s2-0.boxes=1"),
        ("cache-control", "no-cache"),
        ("vary", "Accept, Prefer, Range, Gnomon-As-Of"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let link = answer.header("link").to_owned();
    let next = link.strip_prefix('<').and_then(|link| link.split_once('>')).unwrap().0;
    assert!(next.contains("as_of=3&version=1"), "{link}");
    let next = boxes.api.get(next).await;
    assert_eq!((is_replayed(&next), next.json()), (true, json!([{"stream": "box-3", "version": 1}])));
    let again = boxes.api.get(answer.header("content-location")).await;
    assert_eq!((is_replayed(&again), &again.body), (true, &answer.body));

    let tag = answer.header("etag").to_owned();
    let known = [("if-none-match", tag.as_str())];
    let unchanged = boxes.ask("GET", "boxes", query, &known).await;
    assert_eq!((unchanged.status, unchanged.header("gnomon-version")), (StatusCode::NOT_MODIFIED, "1"));
    for other in
        [query.replace("as_of=3", "as_of=4"), query.replace("limit=2", "limit=1"), query.replace("&as_of=3", "")]
    {
        assert_eq!(boxes.ask("GET", "boxes", &other, &known).await.status, StatusCode::OK, "{other}");
    }
    // Who does not wait has it all the same, and so has who asks by a body.
    let at_once = boxes.ask("GET", "boxes", query, &[("prefer", "wait=0")]).await;
    assert_eq!((at_once.status, &at_once.body), (StatusCode::OK, &answer.body));
    let body = json!({"stream": "eq.box-2", "select": "stream", "as_of": "3"});
    let posted = boxes.api.post("/v1/read-models/boxes/boxes/query", body.to_string()).await;
    assert_eq!((posted.status, is_replayed(&posted)), (StatusCode::OK, true), "{}", posted.text());
    assert_eq!(boxes.past_builds().await, 0);
    boxes.api.host.projector.stop().await;
}

/// Each version tells by its own code and upcasters, also when its builds were replaced or are retired.
#[tokio::test(flavor = "multi_thread")]
async fn each_version_and_its_upcasters_tell_the_past_as_its_past_build_does() {
    let database = TestDatabase::create().await;
    let tally = Keyed::start(&database, "tally", ServerSettings::default()).await;
    tally.deploy("tally_by_stream").await;
    let operations = &tally.api.host.operations;
    let append = async |events: &[(&str, i64)]| {
        let events = events.iter().map(|(event_type, n)| ("count-1".to_owned(), *event_type, json!({"n": n})));
        tally.api.host.append(events).await;
    };
    append(&[("Counted", 1), ("Added", 20), ("Counted", 300)]).await;
    tally.api.host.caught_up(&tally.name).await;
    let both = async |query: &str| {
        let named = tally.get("tallies", &format!("stream=eq.1&{query}")).await;
        let built = tally.get("tallies", &format!("stream=gte.1&stream=lte.1&{query}")).await;
        assert!(is_replayed(&named) && !is_replayed(&built), "{query}");
        assert_eq!(named.text(), built.text(), "{query}");
        assert_eq!(named.header("gnomon-version"), built.header("gnomon-version"), "{query}");
        named.json()[0].clone()
    };
    let row =
        |sum: i64, events: i64, last: i64| json!({"stream": "1", "sum": sum, "events": events, "last_version": last});
    assert_eq!(both("as_of=2").await, row(1, 1, 1));
    // An upcaster makes numbers of other events: another build of the same version replaces the first.
    let added = Identifier::new("added").unwrap();
    operations.upload(&added, test_support::upcaster("added"), Activation::Auto).await.unwrap();
    operations.activate_upcaster(&added, None).await.unwrap();
    tally.api.host.caught_up(&tally.name).await;
    test_support::until("the build with the upcaster is active", async || {
        tally.get("tallies", "stream=eq.1").await.json()[0]["sum"] == 321
    })
    .await;
    assert_eq!(both("as_of=2").await, row(21, 2, 2));
    assert_eq!(both("as_of=2&version=1").await, row(21, 2, 2));
    // The next version, with other columns.
    tally.deploy("counts").await;
    append(&[("Added", 4000)]).await;
    assert_eq!(both("as_of=4").await, json!({"stream": "1", "events": 4, "last": 4000}));
    assert_eq!(both("as_of=1").await, json!({"stream": "1", "events": 1, "last": 1}));
    assert_eq!(both("as_of=4&version=1").await, row(4321, 4, 4));
    for number in [1, 2] {
        operations.retire(&tally.name, crate::builds::BuildNumber(number)).await.unwrap();
    }
    assert_eq!(both("as_of=3&version=1").await, row(321, 3, 3));
    tally.api.host.projector.stop().await;
}

/// What a stream does not tell, a past build does, or says why it does not.
#[tokio::test(flavor = "multi_thread")]
async fn what_streams_do_not_tell_a_past_build_does() {
    let database = TestDatabase::create().await;
    let tally = Keyed::start(&database, "tally", ServerSettings::default()).await;
    tally.deploy("tally_by_stream").await;
    let count = async |stream: &str, data: Value| tally.api.host.append([(stream.to_owned(), "Counted", data)]).await;
    count("count-1", json!({"n": 1})).await;
    // The row `all` is of two streams, though the version says that there is none: so no stream is named so.
    count("count-1", json!({"n": 2, "shared": true})).await;
    let shared = tally.get("tallies", "stream=eq.all&as_of=2").await;
    assert_eq!((is_replayed(&shared), &shared.json()[0]["sum"]), (false, &json!(2)));
    // It halts at an event: as a past build does.
    count("count-1", json!({"n": 4, "poison": true})).await;
    count("count-2", json!({"n": 8})).await;
    assert_eq!(tally.get("tallies", "stream=eq.1&as_of=2").await.json()[0]["sum"], 3);
    let halted = tally.ask("GET", "tallies", "stream=eq.1&as_of=3", &[("prefer", "wait=60")]).await;
    assert!(halted.problem().starts_with("409 past_build_stopped"), "{}", halted.text());
    // Another stream does not.
    let other = tally.get("tallies", "stream=eq.2&as_of=4").await;
    assert_eq!((is_replayed(&other), &other.json()[0]["sum"]), (true, &json!(8)));
    // Where the events are set aside, the rest of the stream goes on.
    tally.api.host.operations.set_on_failure(&tally.name, crate::subscriptions::OnFailure::Skip).await.unwrap();
    count("count-1", json!({"n": 16})).await;
    let rest = tally.get("tallies", "stream=eq.1&as_of=5").await;
    assert_eq!((is_replayed(&rest), &rest.json()[0]["sum"]), (true, &json!(19)));
    // Filters that do not name the key.
    for query in
        ["as_of=1", "sum=gt.0&as_of=1", "stream=neq.2&as_of=1", "stream=eq.1&select=stream&as_of=1&or=(stream.eq.1)"]
    {
        let answer = tally.get("tallies", query).await;
        assert_eq!(
            (is_replayed(&answer), answer.json().as_array().map(Vec::len)),
            (query.starts_with("stream=eq"), Some(1)),
            "{query}"
        );
    }
    tally.api.host.projector.stop().await;
}
