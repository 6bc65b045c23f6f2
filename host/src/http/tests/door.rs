//! Who may come in, what a request may bring, and how many there may be at once.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};

use super::*;
use crate::http::openapi::routes;

impl TestApi {
    /// The same host with other settings of its API.
    fn with(mut self, settings: HttpSettings) -> Self {
        self.router = router(self.host.api(settings, self.closing.clone()));
        self
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A transaction that holds a lock on a table until it is dropped.
    async fn locking(&self, table: &str) -> PgConnection {
        let options = self.pool().connect_options();
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
            .execute(&mut connection)
            .await
            .unwrap();
        connection
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_the_hosts_is_refused_on_every_path() {
    let allowed_hosts = vec!["gnomon.example".parse().unwrap()];
    let api = TestApi::start().await.with(HttpSettings { allowed_hosts, ..HttpSettings::default() });
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/health/live"),
        ("GET", "/v1/events"),
        ("GET", "/v1/read-models/bank/accounts"),
        ("POST", "/v1/streams/a-1/events"),
        ("PUT", "/v1/modules/bank"),
        ("GET", "/nothing"),
    ] {
        let answer = api.ask(method, path, &[("host", "evil.example:7070")]).await;
        let problem = answer.problem();
        assert!(problem.starts_with("421 host_not_allowed: "), "{method} {path}: {problem}");
        assert!(problem.contains("--allowed-host evil.example (GNOMON_ALLOWED_HOST)"), "{problem}");
    }
    for host in ["gnomon.example", "127.0.0.1:7070", "[::1]:7070", "localhost", "a.localhost:7070"] {
        assert_eq!(api.ask("GET", "/v1/events", &[("host", host)]).await.status, StatusCode::OK, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_changes_nothing_not_even_one_that_may_read() {
    let cors_origins = vec!["https://app.example".parse().unwrap(), "*".parse().unwrap()];
    let api = TestApi::start().await.with(HttpSettings { cors_origins, ..HttpSettings::default() });
    let foreign: [&[(&str, &str)]; 3] =
        [&[("origin", "https://app.example")], &[("origin", "null")], &[("sec-fetch-site", "cross-site")]];
    for headers in foreign {
        let headers = [&[("host", "127.0.0.1:7070")], headers].concat();
        for (method, path) in [
            ("POST", "/v1/projections/bank/pause"),
            ("POST", "/v1/projections/bank/rebuild"),
            ("DELETE", "/v1/projections/bank"),
            ("PUT", "/v1/modules/bank"),
            ("POST", "/v1/events"),
        ] {
            let problem = api.ask(method, path, &headers).await.problem();
            assert!(problem.starts_with("403 origin_not_allowed: "), "{method} {path} {headers:?}: {problem}");
        }
        assert_eq!(api.ask("GET", "/v1/events", &headers).await.status, StatusCode::OK, "reading is for CORS to say");
    }
    let own = [("host", "127.0.0.1:7070"), ("origin", "http://127.0.0.1:7070"), ("sec-fetch-site", "same-origin")];
    let problem = api.ask("POST", "/v1/projections/bank/pause", &own).await.problem();
    assert!(problem.starts_with("404 projection_not_found"), "{problem}");
}

/// A path of a route, with names that do not exist.
pub(super) fn example(path: &str) -> String {
    let part = |part: &str| match part {
        "{version}" | "{build}" | "{verification}" | "{past_build}" | "{position}" => "1".to_owned(),
        "{code}" => "starting".to_owned(),
        part if part.starts_with('{') => "nobody".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_ignores_a_body_or_a_parameter() {
    let api = TestApi::start().await;
    for operation in routes() {
        let (method, path) = (operation.method.to_ascii_uppercase(), example(operation.path));
        let at = format!("{method} {path}");
        let send = async |uri: &str, body: &str| {
            let request =
                Request::builder().method(method.as_str()).uri(uri).header("content-type", "application/json");
            api.send(request.body(Body::from(body.to_owned())).unwrap()).await
        };
        if !operation.takes_body() {
            for body in [r#"{"activate": "manual"}"#, "x", &" ".repeat(100_000)] {
                let problem = send(&path, body).await.problem();
                assert!(problem.starts_with(&format!("422 invalid_body: {at} takes no body")), "{at}: {problem}");
            }
            for body in ["", "{}", " {}\n"] {
                let answer = send(&path, body).await;
                assert!(!answer.text().contains("takes no body"), "{at}: {}", answer.text());
            }
        }
        // Any other name is a column there, of a table that does not exist here.
        if operation.path == "/v1/read-models/{projection}/{table}" {
            continue;
        }
        let problem = send(&format!("{path}?surely_unknown=1"), "").await.problem();
        let wanted = "400 invalid_query: query string: unknown parameter `surely_unknown`";
        // An upload is refused for its type, and an append for its parameter.
        assert!(problem.starts_with(wanted), "{at}: {problem}");
    }
    assert!(api.is_empty().await);
}

fn working(work: WorkSettings) -> HttpSettings {
    HttpSettings { work, ..HttpSettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_hangs_ends_and_says_what_may_have_happened() {
    let request_timeout = Duration::from_millis(300);
    let api = TestApi::start().await.with(working(WorkSettings { request_timeout, ..WorkSettings::default() }));
    let lock = api.locking("gnomon.module_versions, gnomon.head").await;
    let read = api.get("/v1/modules").await.problem();
    assert_eq!(read, "503 timed_out: the host did not answer within 0.3 s (request_timeout)");
    let append = api.append("a-1", json!({"events": [event("A")]})).await.problem();
    assert!(append.starts_with("503 append_unknown: the host did not answer within 0.3 s"), "{append}");
    drop(lock);
    test_support::until("reads are answered again", async || api.get("/v1/modules").await.status == StatusCode::OK)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_a_bound_work_is_refused_at_once_and_no_kind_keeps_out_another() {
    let bounds = WorkSettings {
        max_appends: 2,
        max_reads: 2,
        max_waits: 2,
        max_operations: 2,
        max_followers: 2,
        ..WorkSettings::default()
    };
    let api = TestApi::start().await.with(working(bounds));
    let lock = api.locking("gnomon.module_versions").await;
    let overloaded = |answer: &Answer| {
        answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.problem().starts_with("503 overloaded: ")
    };
    let refused = {
        let reads = || api.get("/v1/modules");
        let (first, second) = (reads(), reads());
        let more = async {
            let mut refused = None;
            test_support::until("two reads are under way", async || {
                let third = tokio::time::timeout(Duration::from_secs(1), reads()).await;
                refused = third.ok().filter(overloaded);
                refused.is_some()
            })
            .await;
            // Each other kind is let in.
            assert_eq!(api.get("/health/ready").await.status, StatusCode::OK);
            assert_eq!(api.append("a-1", json!({"events": [event("A")]})).await.status, StatusCode::CREATED);
            let follow = Request::get("/v1/events").header("accept", "text/event-stream").body(Body::empty()).unwrap();
            assert_eq!(api.router.clone().oneshot(follow).await.unwrap().status(), StatusCode::OK);
            drop(lock);
            refused.unwrap()
        };
        let (first, second, refused) = tokio::join!(first, second, more);
        assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK));
        refused
    };
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!((&refused.json()["limit"], &refused.json()["max"]), (&json!("max_reads"), &json!(2)));
    assert_eq!(api.get("/v1/modules").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_a_path_does_not_take_is_refused_as_such_whatever_its_body() {
    let api = TestApi::start().await;
    for (method, path) in
        [("TRACE", "/v1/events"), ("PUT", "/v1/projections/bank"), ("DELETE", "/v1/streams/a-1/events")]
    {
        let request = Request::builder().method(method).uri(path).body(Body::from("{\"a\": 1}")).unwrap();
        assert_eq!(api.send(request).await.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
    }
    let head = Request::head("/v1/streams").body(Body::from("{\"a\": 1}")).unwrap();
    assert_eq!(api.router.clone().oneshot(head).await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_takes_its_place_until_it_leaves() {
    let api = TestApi::start().await.with(working(WorkSettings { max_followers: 1, ..WorkSettings::default() }));
    let follow = async || {
        let request = Request::get("/v1/events").header("accept", "text/event-stream").body(Body::empty()).unwrap();
        api.router.clone().oneshot(request).await.unwrap()
    };
    let first = follow().await;
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(follow().await.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(first);
    assert_eq!(follow().await.status(), StatusCode::OK);
}
