//! `GET /metrics` of a real host, read by a strict reader of the text format.

use std::{
    collections::BTreeMap,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use axum::http::Method;

use super::*;
use crate::{
    builds::Activation,
    metrics::{Kind, Measure, names},
    postgres::test_proxy::SlowProxy,
    read_model::Identifier,
};

type Labels = BTreeMap<String, String>;

/// An answer, taken apart.
#[derive(Debug, Default)]
struct Scrape {
    types: BTreeMap<String, String>,
    samples: BTreeMap<(String, Labels), f64>,
}

impl Scrape {
    /// Reads an answer. Panics at what Prometheus would not take, or would take for something else.
    fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "it ends within a line");
        let mut scrape = Self::default();
        let mut family = String::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, meaning) = help.split_once(' ').unwrap();
                assert!(!meaning.is_empty() && !scrape.types.contains_key(name), "{line}");
                family = name.to_owned();
            } else if let Some(of_type) = line.strip_prefix("# TYPE ") {
                let (name, kind) = of_type.split_once(' ').unwrap();
                assert_eq!(name, family, "a type stands behind its help");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                scrape.types.insert(name.to_owned(), kind.to_owned());
            } else {
                let (name, labels, value) = sample(line);
                let suffixes: &[&str] =
                    if scrape.types[&family] == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
                assert!(suffixes.iter().any(|suffix| name == format!("{family}{suffix}")), "{line} in {family}");
                assert!(scrape.samples.insert((name, labels), value).is_none(), "{line} twice");
            }
        }
        scrape.check_histograms();
        scrape
    }

    fn check_histograms(&self) {
        let mut buckets: BTreeMap<(String, Labels), Vec<(f64, f64)>> = BTreeMap::new();
        for ((name, labels), value) in &self.samples {
            if let Some(family) = name.strip_suffix("_bucket") {
                let mut labels = labels.clone();
                let bound = labels.remove("le").unwrap().replace("+Inf", "inf").parse().unwrap();
                buckets.entry((family.to_owned(), labels)).or_default().push((bound, *value));
            }
        }
        for ((family, labels), mut buckets) in buckets {
            buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
            assert!(buckets.is_sorted_by(|one, next| one.1 <= next.1), "{family} {labels:?}: {buckets:?}");
            let last = buckets.last().unwrap();
            assert_eq!(last.0, f64::INFINITY);
            assert_eq!(Some(&last.1), self.samples.get(&(format!("{family}_count"), labels.clone())));
            assert!(self.samples.contains_key(&(format!("{family}_sum"), labels)));
        }
    }

    /// The value of a measure's series, if it is shown.
    fn find(&self, measure: &Measure, labels: &[&str]) -> Option<f64> {
        let suffix = if measure.kind.buckets().is_empty() { "" } else { "_count" };
        let names = measure.labels.iter().map(|label| (*label).to_owned());
        let labels = names.zip(labels.iter().map(|value| (*value).to_owned())).collect();
        self.samples.get(&(format!("{}{suffix}", measure.name), labels)).copied()
    }

    fn value(&self, measure: &Measure, labels: &[&str]) -> f64 {
        self.find(measure, labels).unwrap_or_else(|| panic!("no {} {labels:?} in {self:#?}", measure.name))
    }

    /// How much a counter has grown since another answer.
    fn since(&self, before: &Self, measure: &Measure, labels: &[&str]) -> f64 {
        self.value(measure, labels) - before.find(measure, labels).unwrap_or_default()
    }
}

/// `name{label="value"} 1.5`
fn sample(line: &str) -> (String, Labels, f64) {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{line}");
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").unwrap();
            let mut value = String::new();
            let mut chars = after.char_indices();
            rest = loop {
                match chars.next().unwrap() {
                    (at, '"') => break &after[at + 1..],
                    (_, '\\') => value.push(match chars.next().unwrap().1 {
                        'n' => '\n',
                        escaped @ ('\\' | '"') => escaped,
                        other => panic!("\\{other} in {line}"),
                    }),
                    (_, plain) => value.push(plain),
                }
            };
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').unwrap_or_else(|| panic!("{line}"));
    }
    let value = rest.strip_prefix(' ').unwrap().parse().unwrap_or_else(|error| panic!("{error}: {line}"));
    (name.to_owned(), labels, value)
}

impl TestApi {
    async fn scrape(&self) -> Scrape {
        let answer = self.get("/metrics").await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, crate::metrics::MEDIA_TYPE));
        Scrape::read(answer.text())
    }

    /// Scrapes until what is read, which may be half a second old, is as it must be.
    async fn scrape_until(&self, what: &str, done: impl Fn(&Scrape) -> bool) -> Scrape {
        let mut last = Scrape::default();
        test_support::until(what, async || {
            last = self.scrape().await;
            done(&last)
        })
        .await;
        last
    }
}

/// Opens an account of the bank, which events with money need.
async fn open_account(api: &TestApi, account: u64) {
    let opened = json!({"owner": "Ada", "currency": "EUR"});
    api.host.append([(format!("account-{account}"), "AccountOpened", opened)]).await;
}

/// Other tests of this process count as well: what is counted grows at least by what happens here.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_shows_what_it_has_done_and_how_it_stands() {
    let api = TestApi::start_for_modules().await;
    let before = api.scrape().await;
    let events = json!({"expected_version": "no_stream", "events": [event("SeenByMeasures"), event("SeenByMeasures")]});
    assert_eq!(api.append("measured-1", events.clone()).await.status, StatusCode::CREATED);
    assert_eq!(api.append("measured-1", events).await.status, StatusCode::CONFLICT);
    open_account(&api, 7).await;
    let bank = Identifier::new("bank").unwrap();
    api.host.deploy(&bank, test_support::component("bank"), Activation::Auto).await;
    api.host.caught_up(&bank).await;
    let query = api.get("/v1/read-models/bank/accounts").await;
    assert_eq!(query.status, StatusCode::OK, "{:?}", query.body);
    assert_eq!(api.get("/v1/nowhere").await.status, StatusCode::NOT_FOUND);

    let after = api
        .scrape_until("the build is shown, and the size of the log", |scrape| {
            scrape.find(names::PROJECTION_LAG_POSITIONS, &["bank"]) == Some(0.0)
                && scrape.find(names::SCRAPE_ERROR, &["size"]) == Some(0.0)
                && scrape.find(names::SCRAPE_ERROR, &["aggregates"]) == Some(0.0)
        })
        .await;
    for (measure, labels, at_least) in [
        (names::EVENTS_APPENDED, &["SeenByMeasures"] as &[&str], 2.0),
        (names::CONFLICTS, &[], 1.0),
        (names::APPEND_FAILURES, &["conflict"], 1.0),
        (names::SAVE_DURATION, &[], 1.0),
        (names::APPEND_GROUP_REQUESTS, &[], 2.0),
        (names::APPEND_GROUP_EVENTS, &[], 2.0),
        (names::APPEND_COMMIT_DURATION, &[], 2.0),
        (names::APPEND_GROUPS, &["locked_head"], 1.0),
        (names::APPEND_HEAD_WAIT, &[], 1.0),
        (names::REPLAYS_ENDED, &["true"], 1.0),
        (names::REPLAY_DURATION, &[], 1.0),
        (names::HANDLER_DURATION, &["bank"], 1.0),
        (names::HANDLED_EVENTS, &["bank"], 1.0),
        (names::SET_ASIDE_EVENTS, &["bank"], 0.0),
        (names::BATCH_EVENTS, &[], 1.0),
        (names::BATCH_DURATION, &["read"], 1.0),
        (names::BATCH_DURATION, &["fold"], 1.0),
        (names::BATCH_DURATION, &["commit"], 1.0),
        (names::LEASES_TAKEN, &[], 1.0),
        (names::MODULE_LOADS, &["compiler"], 1.0),
        (names::COMPILE_DURATION, &[], 1.0),
        (names::ACTIVE_BUILD_LOOKUPS, &["database"], 1.0),
        (names::HTTP_REQUESTS, &["POST", "/v1/streams/{stream}/events", "201"], 1.0),
        (names::HTTP_REQUESTS, &["POST", "/v1/streams/{stream}/events", "409"], 1.0),
        (names::HTTP_REQUESTS, &["GET", "other", "404"], 1.0),
        (names::HTTP_DURATION, &["GET", "/v1/read-models/{projection}/{table}"], 1.0),
    ] {
        let grown = after.since(&before, measure, labels);
        assert!(grown >= at_least, "{} {labels:?} has grown by {grown}", measure.name);
    }
    for (measure, labels, value) in [
        (names::HEAD_POSITION, &[] as &[&str], 3.0),
        (names::EVENTS_BY_AGGREGATE, &["measured-1"], 2.0),
        (names::BUILDS, &["active"], 1.0),
        (names::BUILDS, &["halted"], 0.0),
        (names::BUILD_STATE, &["bank", "1", "1", "active", "active"], 1.0),
        (names::BUILD_CHECKPOINT, &["bank", "1"], 3.0),
        (names::BUILD_LAG_SECONDS, &["bank", "1"], 0.0),
        (names::BUILD_DEAD_LETTERS, &["bank", "1"], 0.0),
        (names::BUILD_LEASED, &["bank", "1"], 1.0),
        (names::BUILD_BLOCKED, &["bank", "1"], 0.0),
        (names::HOSTS, &[], 1.0),
        (names::POSTGRES_UP, &[], 1.0),
        (names::APPENDS_POSSIBLE, &[], 1.0),
        (names::SCRAPE_ERROR, &["builds"], 0.0),
        (names::POSTGRES_MAX_CONNECTIONS, &["queries"], 10.0),
        (names::HTTP_MAX_UNDER_WAY, &["followers"], 2048.0),
        (names::INFO, &[env!("CARGO_PKG_VERSION")], 1.0),
    ] {
        assert_eq!(after.value(measure, labels), value, "{} {labels:?}", measure.name);
    }
    assert!(after.value(names::STORE_SIZE, &[]) > 50_000.0);
    if cfg!(target_os = "linux") {
        let process = |measure| after.value(measure, &[]);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        assert!(
            (now - 3600.0..=now + 1.0).contains(&process(names::PROCESS_START)),
            "the test was started in the last hour"
        );
        assert!(process(names::PROCESS_CPU) > 0.0 && process(names::PROCESS_THREADS) >= 2.0);
        assert!((1e6..process(names::PROCESS_VIRTUAL)).contains(&process(names::PROCESS_RESIDENT)));
        assert!((3.0..process(names::PROCESS_MAX_FILES)).contains(&process(names::PROCESS_FILES)));
        assert_eq!(after.types["process_cpu_seconds_total"], "counter");
    }
    assert!(after.value(names::HEAD_AGE, &[]) >= 0.0);
    assert!(after.value(names::POSTGRES_CLOCK_OFFSET, &[]).abs() < 10.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_shown_is_in_the_table() {
    let api = TestApi::start().await;
    let scrape = api.scrape().await;
    for (family, kind) in &scrape.types {
        let measure = names::ALL.iter().find(|measure| measure.name == family);
        let measure = measure.unwrap_or_else(|| panic!("{family} is not in the table"));
        let expected = match measure.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Seconds(_) | Kind::Sizes(_) => "histogram",
        };
        assert_eq!(kind, expected, "{family}");
        for (name, labels) in scrape.samples.keys().filter(|(name, _)| name.starts_with(family.as_str())) {
            let found: Vec<&str> = labels.keys().map(String::as_str).filter(|label| *label != "le").collect();
            let mut expected = measure.labels.to_vec();
            expected.sort_unstable();
            assert!(name != family || found == expected, "{name}: {found:?}");
        }
    }
}

/// A build that stands still has the lag that its rows have, and no other; what is retired is not shown.
#[tokio::test(flavor = "multi_thread")]
async fn lag_is_the_age_of_what_is_not_handled() {
    let api = TestApi::start_for_modules().await;
    let bank = Identifier::new("bank").unwrap();
    open_account(&api, 1).await;
    api.host.deploy(&bank, test_support::component("bank"), Activation::Auto).await;
    api.host.caught_up(&bank).await;
    let idle = api
        .scrape_until("the build has caught up", |scrape| {
            scrape.find(names::PROJECTION_LAG_POSITIONS, &["bank"]) == Some(0.0)
        })
        .await;
    assert_eq!(idle.value(names::PROJECTION_LAG_SECONDS, &["bank"]), 0.0, "however long nothing is appended");

    assert_eq!(api.post("/v1/projections/bank/pause?build=1", "").await.status, StatusCode::OK);
    api.host.deposit(1).await;
    api.host.deposit(1).await;
    let paused = api
        .scrape_until("the build is paused, and behind", |scrape| {
            scrape.find(names::BUILD_LAG_POSITIONS, &["bank", "1"]) == Some(2.0)
        })
        .await;
    assert_eq!(paused.value(names::BUILD_STATE, &["bank", "1", "1", "paused", "active"]), 1.0);
    assert_eq!(paused.find(names::BUILD_LEASED, &["bank", "1"]), None, "nobody is to work on it");
    let older = paused.value(names::PROJECTION_LAG_SECONDS, &["bank"]);
    assert!(older > 0.0);
    api.scrape_until("its oldest event grows older", |scrape| {
        scrape.value(names::PROJECTION_LAG_SECONDS, &["bank"]) > older
    })
    .await;

    assert!(api.post("/v1/projections/bank/rebuild", "").await.status.is_success());
    api.scrape_until("another build is active", |scrape| {
        scrape.find(names::BUILD_STATE, &["bank", "2", "1", "active", "active"]) == Some(1.0)
            && scrape.find(names::PROJECTION_LAG_SECONDS, &["bank"]) == Some(0.0)
    })
    .await;
    let retire = Request::delete("/v1/projections/bank/builds/1").body(Body::empty()).unwrap();
    assert!(api.send(retire).await.status.is_success());
    api.scrape_until("the retired build is not shown", |scrape| {
        scrape.find(names::BUILD_LAG_SECONDS, &["bank", "1"]).is_none()
            && scrape.find(names::BUILD_LAG_SECONDS, &["bank", "2"]).is_some()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_answers_whatever_postgres_does() {
    let database = TestDatabase::create().await;
    let proxy = SlowProxy::start(database.connect_options(), std::time::Duration::ZERO).await;
    let host = TestHost::start_on(proxy.through(&database.connect_options()), ServerSettings::default()).await;
    let api = TestApi::of(host, HttpSettings::default());
    assert_eq!(api.scrape().await.value(names::POSTGRES_UP, &[]), 1.0);
    proxy.silence();
    let began = Instant::now();
    let scrape = api.scrape_until("Postgres is not up", |scrape| scrape.value(names::POSTGRES_UP, &[]) == 0.0).await;
    assert!(began.elapsed() < std::time::Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(scrape.value(names::SCRAPE_ERROR, &["builds"]), 1.0);
    assert_eq!(scrape.value(names::APPENDS_POSSIBLE, &[]), 0.0);
    assert_eq!(scrape.find(names::BUILDS, &["active"]), None, "what is not known is left out");
    assert!(scrape.find(names::CONFLICTS, &[]).is_some(), "what the host counts is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_are_read_and_nothing_else() {
    let api = TestApi::start().await;
    let head = api.send(Request::head("/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let request = Request::builder().method(&method).uri("/metrics").body(Body::empty()).unwrap();
        let problem = api.send(request).await.problem();
        assert_eq!(problem, format!("405 method_not_allowed: /metrics does not take {method}"));
    }
    let by_name = Request::get("/metrics").header(header::HOST, "evil.example").body(Body::empty()).unwrap();
    assert!(api.send(by_name).await.problem().contains("host_not_allowed"));
    assert!(api.get("/metrics?format=json").await.problem().starts_with("400 invalid_query"));
}
