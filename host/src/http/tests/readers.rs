//! What readers may cost: time, memory, connections.

use std::time::Duration;

use futures_util::{StreamExt, future::join_all};
use sqlx::{Connection, PgConnection};

use super::*;
use crate::{
    builds::{
        Work,
        tests::{TestBuilds, rows, step},
    },
    queries::CacheSettings,
    read_model::{ColumnType, Identifier, Value as Cell},
};

/// A read model `totals` with a table `sums` of texts of so many bytes, on which no host works.
pub(super) async fn texts(bytes: &[usize]) -> TestBuilds {
    let builds = TestBuilds::create().await;
    let (build, tables) = builds.build_with(1, &[("t", ColumnType::Text), ("ta", ColumnType::TextArray)]).await;
    builds.live(build).await;
    let lease = builds.lease(build).await;
    let row = |(id, bytes): (usize, &usize)| {
        vec![Cell::I64(id as i64), Cell::Text("x".repeat(*bytes)), Cell::TextArray(vec!["a".to_owned()])]
    };
    builds.commit(lease, &tables, step(0, 1), rows(&tables, bytes.iter().enumerate().map(row))).await.unwrap();
    builds.activate(build, &tables).await;
    builds.set(build, |kept| kept.work = Work::Paused).await;
    builds
}

impl TestApi {
    /// An API with these settings on a database that has something in it. It keeps no answers, so each query reads rows.
    async fn with_settings(database: &TestDatabase, http: HttpSettings) -> Self {
        let answers = CacheSettings { cache_bytes: 0, ..CacheSettings::default() };
        Self::of(TestHost::start_with(database, ServerSettings { answers, ..ServerSettings::default() }).await, http)
    }
}

/// Holds a lock on a table of the build, so that nobody can read it until it is dropped.
pub(super) async fn lock(builds: &TestBuilds) -> PgConnection {
    let table: String = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE tablename = 'sums' ORDER BY 1 LIMIT 1",
    )
    .fetch_one(&builds.pool)
    .await
    .unwrap();
    let mut connection = PgConnection::connect_with(&builds.database.connect_options()).await.unwrap();
    sqlx::raw_sql(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}

/// The queries of readers that run in Postgres.
async fn running(builds: &TestBuilds) -> i64 {
    let found = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND state = 'active' AND query LIKE '/* gnomon reads */%'";
    sqlx::query_scalar(found).fetch_one(&builds.pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_takes_too_long_is_ended_in_postgres_too() {
    let builds = texts(&[10]).await;
    let api = TestApi::with_settings(
        &builds.database,
        HttpSettings { query_timeout: Duration::from_millis(300), ..HttpSettings::default() },
    )
    .await;
    let path = "/v1/read-models/totals/sums?select=id";
    assert_eq!(api.get(path).await.status, StatusCode::OK);
    let locked = lock(&builds).await;
    let answer = api.get(path).await;
    assert!(answer.problem().starts_with("504 query_timeout: the query took longer than 0.3 s (query_timeout)"));
    assert_eq!(answer.json()["message"], answer.json()["detail"]);
    test_support::until("the query ends", async || running(&builds).await == 0).await;
    drop(locked);
    test_support::until("it can be read", async || api.get(path).await.status == StatusCode::OK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_whose_reader_leaves_ends_in_postgres_too_and_gives_its_turn_to_others() {
    let builds = texts(&[10]).await;
    let api = TestApi::with_settings(&builds.database, HttpSettings::default()).await;
    let path = "/v1/read-models/totals/sums?select=id";
    assert_eq!(api.get(path).await.status, StatusCode::OK);
    let _locked = lock(&builds).await;
    {
        let readers = join_all((0..50).map(|_| api.get(path)));
        let until_all_run = test_support::until("all that may run do", async || running(&builds).await == 6);
        tokio::select! {
            _ = readers => panic!("the table is locked"),
            () = until_all_run => {}
        }
    }
    test_support::until("the queries end", async || running(&builds).await == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_one_projection_leave_connections_to_those_of_others() {
    let builds = texts(&[10]).await;
    let other = TestBuilds { name: Identifier::new("other").unwrap(), ..builds };
    let (build, tables) = other.build(1, &["n"]).await;
    other.live(build).await;
    other.activate(build, &tables).await;
    other.set(build, |kept| kept.work = Work::Paused).await;
    let api = TestApi::with_settings(&other.database, HttpSettings::default()).await;
    let _locked = lock(&other).await;
    let slow = join_all((0..50).map(|_| api.get("/v1/read-models/totals/sums?select=id")));
    let others = async {
        test_support::until("all that may run do", async || running(&other).await == 6).await;
        for _ in 0..20 {
            let answer = api.get("/v1/read-models/other/sums").await;
            assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        }
    };
    tokio::select! {
        _ = slow => panic!("the table is locked"),
        () = others => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_a_limit_and_says_how_many_rows_fit() {
    let builds = texts(&[20_000, 20_000, 20_000, 70_000]).await;
    let api = TestApi::with_settings(
        &builds.database,
        HttpSettings { max_answer_bytes: 64 * 1024, ..HttpSettings::default() },
    )
    .await;
    let read = async |query: &str| api.get(&format!("/v1/read-models/totals/sums?order=id&{query}")).await;
    let three = read("limit=3").await;
    assert_eq!((three.status, three.json().as_array().unwrap().len()), (StatusCode::OK, 3));
    assert_eq!(three.header("content-length"), three.body.len().to_string());
    let four = read("").await;
    assert_eq!(
        four.problem(),
        "413 answer_too_large: the answer has more than 65536 bytes (max_answer_bytes) with 4 of its rows; select fewer columns, or read \
         fewer rows at once with `limit`"
    );
    assert_eq!((&four.json()["limit"], &four.json()["max"]), (&json!("max_answer_bytes"), &json!(65536)));
    // Also a single row: of what it selects, and of what it selects again.
    for query in ["id=eq.3", "id=eq.0&select=a:t,b:t,c:t,d:t"] {
        let problem = read(query).await.problem();
        assert!(problem.starts_with("413 answer_too_large:") && problem.contains("with 1 of its rows"), "{problem}");
    }
    let again: Vec<String> = (0..900).map(|number| format!("a{number}:t")).collect();
    let problem = read(&format!("id=eq.0&select={}", again.join(","))).await.problem();
    assert_eq!(problem, "400 PGRST100: the query has too many columns that are selected again");
    test_support::until("no query runs on", async || running(&builds).await == 0).await;
    // What was refused or sent takes no memory.
    drop(three);
    assert_eq!(api.sending.reads.budget.in_use(), 0);
    assert_eq!(read("select=id").await.json(), json!([{"id": 0}, {"id": 1}, {"id": 2}, {"id": 3}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postgres_cannot_do_for_a_reader_is_an_error_of_the_reader() {
    let builds = texts(&[10]).await;
    let api = TestApi::with_settings(&builds.database, HttpSettings::default()).await;
    let brackets = |bracket: &str| bracket.repeat(1_900);
    for (query, wanted) in [
        ("ta=eq.{{{{{{{a}}}}}}}".to_owned(), "400 22P02: malformed array literal: \"{{{{{{{a}}}}}}}\""),
        (format!("t=fts.{}a", "!".repeat(40)), "400 PGRST100: the words to search for have too many operators !"),
        (format!("t=wfts.{}a", "-".repeat(40)), "400 PGRST100: the words to search for have too many operators -"),
        (format!("t=fts.{}", "a%7C".repeat(500)), "400 42601: "),
        (format!("t=fts.{}a", brackets("(")), "400 "),
        ("t=fts.%5C".to_owned(), "400 42601: there is no escaped character: \"\\\""),
        ("t=eq.%00".to_owned(), "400 22021: invalid byte sequence for encoding"),
        ("t=like.a%00".to_owned(), "400 22021: "),
        ("ta=cs.{%00}".to_owned(), "400 22021: "),
        ("or=(t.eq.%00)".to_owned(), "400 22021: "),
        (format!("t=like.{}", "*a".repeat(60)), "400 PGRST100: the pattern has too many wildcards"),
    ] {
        let problem = api.get(&format!("/v1/read-models/totals/sums?{query}")).await.problem();
        assert!(problem.starts_with(wanted), "{query}: {problem}");
    }
    let nul = api.get("/v1/read-models/totals/sums?t=eq.%00").await.json();
    assert_eq!(nul["hint"], json!("The character NUL (%00) is in no text of a table: leave it out."));
}

/// Wherever a text of a request could reach Postgres.
#[tokio::test(flavor = "multi_thread")]
async fn nul_is_an_error_of_the_client_everywhere() {
    let api = TestApi::start().await;
    let routes = crate::http::openapi::routes();
    for route in routes.iter().filter(|route| route.path.starts_with("/v1/")) {
        for accept in ["application/json", "text/event-stream"] {
            let method = route.method.to_ascii_uppercase();
            let mut paths = vec![format!("{}?after=%00", route.path.replace(['{', '}'], ""))];
            if route.path.contains('{') {
                let begin = &route.path[..route.path.find('{').unwrap()];
                paths.push(route.path.replacen('{', "%00{", 1).replace(['{', '}'], ""));
                assert!(paths[1].starts_with(begin));
            }
            for path in paths {
                let request = Request::builder().method(&*method).uri(&path).header("accept", accept);
                let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from("{}")).unwrap();
                let answer = api.send(request).await;
                assert!(answer.status.is_client_error(), "{method} {path}: {} {:?}", answer.status, answer.body);
                assert!(!answer.problem().contains("byte sequence"), "{}", answer.problem());
            }
        }
    }
    for (path, wanted) in [
        (
            "/v1/streams?after=a%00",
            "400 invalid_query: query string: `after` has the character NUL (%00), which no text may have",
        ),
        ("/v1/events?types=A,%00", "400 invalid_query: query string: `types` has the character NUL"),
        ("/v1/events?category=%00", "400 invalid_query: query string: `category` has the character NUL"),
        ("/v1/events?%00=1", "400 invalid_query: query string: the name of a parameter has the character NUL"),
        ("/v1/streams/a%00b/events", "400 invalid_path: the path has the character NUL (%00), which no name may have"),
    ] {
        for accept in ["application/json", "text/event-stream"] {
            let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
            let problem = api.send(request).await.problem();
            assert!(problem.starts_with(wanted), "{path}: {problem}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_large_events_ends_early_and_memory_for_pages_is_waited_for() {
    let database = TestDatabase::create().await;
    let http = HttpSettings { max_page_bytes: 100_000, max_sending_bytes: 400_000, ..HttpSettings::default() };
    let api = TestApi::with_settings(&database, http).await;
    let events: Vec<Value> = (0..10).map(|_| json!({"type": "Large", "data": "x".repeat(30_000)})).collect();
    assert_eq!(api.append("a-1", json!({"events": events})).await.status, StatusCode::CREATED);
    for (path, number) in [("/v1/events", "position"), ("/v1/streams/a-1/events", "version")] {
        let mut after = 0;
        let mut pages = Vec::new();
        while after < 10 {
            let page = api.get(&format!("{path}?limit=1000&after={after}")).await.json();
            let events = page["events"].as_array().unwrap();
            assert_eq!(events[0][number], json!(after + 1));
            pages.push(events.len());
            after = page["next"].as_u64().unwrap();
        }
        assert_eq!(pages, [4, 4, 2], "{path}");
    }
    // An answer that nobody reads keeps its memory, and others are refused until it is dropped.
    let unread = api.router.clone().oneshot(Request::get("/v1/events").body(Body::empty()).unwrap()).await.unwrap();
    let refused = api.get("/v1/events").await;
    assert!(refused.problem().starts_with("503 too_much_to_send: "), "{}", refused.problem());
    assert_eq!(refused.header("retry-after"), "1");
    drop(unread);
    assert_eq!(api.get("/v1/events").await.status, StatusCode::OK);
    assert_eq!(api.sending.reads.budget.in_use(), 0);
}

/// Followers that read nothing keep a page each until their connections are closed, and no more than all of them may have together. Others
/// get every event.
#[tokio::test(flavor = "multi_thread")]
async fn followers_that_read_nothing_take_a_bounded_memory_for_a_bounded_time() {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpSocket},
    };

    let database = TestDatabase::create().await;
    let settings = HttpSettings {
        max_sending_bytes: 1_000_000,
        connections: ConnectionSettings { write_timeout: Duration::from_secs(1), ..ConnectionSettings::default() },
        max_body_bytes: 20_000_000,
        ..HttpSettings::default()
    };
    let api = TestApi::with_settings(&database, settings.clone()).await;
    for _ in 0..20 {
        let events: Vec<Value> = (0..100).map(|_| json!({"type": "Large", "data": "x".repeat(9_000)})).collect();
        assert_eq!(api.append("a-1", json!({"events": events})).await.status, StatusCode::CREATED);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (served, gate) = (api.host.api(settings.clone(), api.closing.clone()), Gate::closed("a test"));
    let sending = served.sending.clone();
    gate.open(served);
    let serving =
        tokio::spawn(serve(listener, None, Way::Gate(gate.clone()), settings.connections.clone(), api.closing.clone()));
    let mut silent = Vec::new();
    for _ in 0..30 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut connection = socket.connect(address).await.unwrap();
        let request = "GET /v1/events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n";
        connection.write_all(request.as_bytes()).await.unwrap();
        silent.push(connection);
    }
    test_support::until("they take all the memory that they may have", async || {
        sending.followers_in_use() > 500_000 - 100_000
    })
    .await;
    assert!(sending.followers_in_use() <= 500_000 + 256, "{}", sending.followers_in_use());
    // One that reads gets all events all the same.
    let request = Request::get("/v1/events").header("accept", "text/event-stream").body(Body::empty()).unwrap();
    let mut body = Way::Gate(gate).router().oneshot(request).await.unwrap().into_body().into_data_stream();
    let mut ids = 0;
    while ids < 2000 {
        let piece = tokio::time::timeout(Duration::from_secs(60), body.next()).await.expect("events").unwrap().unwrap();
        assert!(sending.followers_in_use() <= 500_000 + 256);
        ids += std::str::from_utf8(&piece).unwrap().matches("\nid: ").count();
    }
    drop(body);
    test_support::until("their memory is free", async || sending.followers_in_use() == 0).await;
    for mut connection in silent {
        let mut buffer = vec![0; 1 << 20];
        // What is in the buffers of the sockets is read, and then there is an end.
        while connection.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
    }
    serving.abort();
}
