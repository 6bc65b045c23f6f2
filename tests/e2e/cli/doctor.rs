//! `doctor`: what it finds at a real Postgres and a real host, and what it says where there is neither.

use axum::{Json, Router, http::StatusCode, routing::get};
use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};

use super::Said;
use crate::support::{Host, gnomon, until};

/// What it found, as JSON, with its exit code.
async fn examine(database: Option<&str>, host: Option<&str>) -> (Value, Said) {
    let mut command = gnomon();
    command.args(["doctor", "--json"]).args(host.into_iter().flat_map(|url| ["--url", url]));
    if let Some(url) = database {
        command.env("DATABASE_URL", url);
    }
    let folder = tempfile::tempdir().unwrap();
    command.arg("--data-dir").arg(folder.path());
    let said = Said::from(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap());
    (serde_json::from_str(&said.out).unwrap_or_default(), said)
}

fn level<'f>(report: &'f Value, area: &str, check: &str) -> &'f str {
    let findings = report["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|finding| finding["area"] == area && finding["check"].as_str().unwrap().starts_with(check));
    found.unwrap_or_else(|| panic!("no {area}: {check} in {report:#}"))["level"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_and_its_host_are_examined() {
    let database = TestDatabase::create().await;
    // Before a host has made the schema.
    let (report, said) = examine(Some(&database.url()), None).await;
    assert_eq!(level(&report, "versions", "schema gnomon"), "warning", "{}", said.err);
    let host = Host::start(&database).await;
    host.append_one("order-1", "OrderPlaced", json!({})).await;
    let (report, said) = examine(Some(&database.url()), Some(host.url())).await;
    for (area, check) in [
        ("reachability", "Postgres"),
        ("versions", "Postgres"),
        ("versions", "schema gnomon"),
        ("settings", "idle timeouts"),
        ("permissions", "migrate"),
        ("permissions", "create schemas"),
        ("permissions", "listen"),
        ("permissions", "end own sessions"),
        ("clock", "clock of this machine"),
        ("clock", "clock of http"),
        ("disk", "log"),
        ("hosts", "hosts on the database"),
        ("hosts", "version of http"),
        ("hosts", "readiness of http"),
        ("hosts", "log of http"),
        ("hosts", "builds of http"),
        ("reactors", "reactors of http"),
        ("outbox", "messages of http"),
    ] {
        assert_eq!(level(&report, area, check), "ok", "{area}: {check}");
    }
    // Whatever else this Postgres is like: each that is not ok says why and what to do, and the exit code tells of problems.
    let findings = report["findings"].as_array().unwrap();
    let count = |level: &str| findings.iter().filter(|finding| finding["level"] == level).count();
    assert_eq!(
        (report["problems"].as_u64(), report["warnings"].as_u64()),
        (Some(count("problem") as u64), Some(count("warning") as u64))
    );
    assert_eq!(said.code, Some(i32::from(count("problem") > 0)), "{}", said.err);
    for finding in
        findings.iter().filter(|finding| ["problem", "warning"].contains(&finding["level"].as_str().unwrap()))
    {
        assert!(finding["why"].is_string() && finding["advice"].is_string(), "{finding}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_a_problem_and_an_exit_code() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.append_one("count-1", "Counted", json!({"n": 1, "poison": true})).await;
    host.until_state("tally", build, "halted").await;
    let name = database.connect_options().get_database().unwrap().to_owned();
    let admin = database.admin_pool().await;
    let set = format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = on");
    sqlx::query(&set).execute(&admin).await.unwrap();
    let (report, said) = examine(Some(&database.url()), Some(host.url())).await;
    assert_eq!(level(&report, "settings", "default_transaction_read_only"), "problem");
    assert_eq!(level(&report, "permissions", "create schemas"), "problem");
    assert_eq!(level(&report, "hosts", "builds of http"), "problem");
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("problems, "), "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_on_another_database_is_told_from_the_one_that_was_examined() {
    let (database, other) = (TestDatabase::create().await, TestDatabase::create().await);
    let (host, elsewhere) = (Host::start(&database).await, Host::start(&other).await);
    let (report, said) = examine(Some(&database.url()), Some(elsewhere.url())).await;
    assert_eq!((level(&report, "hosts", "log of http"), said.code), ("problem", Some(1)), "{}", said.out);
    // Without a database, the hosts are compared with each other.
    let urls = format!("{},{}", host.url(), elsewhere.url());
    let (report, said) = examine(None, Some(&urls)).await;
    assert_eq!(level(&report, "hosts", &format!("log of {}", host.url())), "ok");
    assert_eq!(level(&report, "hosts", &format!("log of {}", elsewhere.url())), "problem");
    assert!(said.out.contains(&format!("{} has another log, ", host.url())), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reactor_that_stopped_and_messages_that_do_not_arrive_are_problems() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    assert!(host.upload("obeys", test_support::guest("obeys"), "").await.status.is_success());
    let tell = async |orders: Value| host.append_one("told-1", "Told", orders).await;
    // A port that was just free, so nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = json!({"kind": "endpoint", "url": format!("http://127.0.0.1:{port}/"), "max_tries": 1});
    for sink in ["mail", "bank"] {
        let made = host.request(reqwest::Method::PUT, &format!("/v1/sinks/{sink}")).json(&settings);
        assert_eq!(host.send(made).await.status, 201);
    }
    let failed = async |sink: &str| {
        until("it has failed", async || {
            let found = host.json(&format!("/v1/outbox?sink={sink}&state=failed")).await;
            found["messages"].as_array().is_some_and(|found| !found.is_empty())
        })
        .await;
    };
    // Neither takes anything. Of the call that has failed, the reactor knows.
    tell(json!([{"publish": "told"}, {"call": "pay"}])).await;
    failed("mail").await;
    failed("bank").await;
    let removed = host.send(host.request(reqwest::Method::DELETE, "/v1/sinks/mail")).await;
    assert_eq!(removed.status, 204, "{removed:?}");
    tell(json!([{"publish": "told"}])).await;
    tell(json!([{"fail_up_to": 9}])).await;
    until("the reactor has halted", async || host.json("/v1/reactors/obeys").await["state"] == "halted").await;
    // Measures are kept for a moment.
    until("doctor has found it", async || {
        let (report, said) = examine(Some(&database.url()), Some(host.url())).await;
        assert_eq!((level(&report, "reactors", "reactor obeys of http"), said.code), ("problem", Some(1)));
        let text = said.out;
        text.contains("failed messages to sink mail") && text.contains("nobody has made it; 1 message not delivered")
    })
    .await;
    let (report, said) = examine(Some(&database.url()), Some(host.url())).await;
    assert_eq!(level(&report, "outbox", "sink mail of http"), "problem");
    for advice in ["gnomon reactors retry obeys", "gnomon sinks put mail", "gnomon outbox --sink mail --state failed"] {
        assert!(said.out.contains(advice), "{advice}: {}", said.out);
    }
    assert!(!said.out.contains("sink bank"), "{}", said.out);
}

/// As one does whose process is frozen: its connections are taken, and nothing is answered. What was found of Postgres is said all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_takes_connections_and_answers_nothing_is_a_problem() {
    let database = TestDatabase::create().await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let (report, said) = examine(Some(&database.url()), Some(&url)).await;
    assert_eq!(level(&report, "reachability", "Postgres"), "ok", "{}", said.err);
    assert_eq!(level(&report, "hosts", "host at http"), "problem");
    assert!(said.out.contains("it does not answer within 15 s"), "{}", said.out);
    assert_eq!(said.code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_and_a_host_it_says_so() {
    // A port that was just free.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let (_, said) = examine(None, Some(&url)).await;
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    for part in
        ["there is nothing to look at", "no database is given", &format!("no host answers at {url}"), "--database-url"]
    {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    // One of the two is enough.
    let database = TestDatabase::create().await;
    let (report, _) = examine(Some(&database.url()), Some(&url)).await;
    assert_eq!(level(&report, "hosts", "host at http"), "problem");
    let (report, said) = examine(Some("postgres://nobody@127.0.0.1:1/none"), Some(&url)).await;
    assert_eq!((level(&report, "reachability", "Postgres"), said.code), ("problem", Some(1)));
    let host = Host::start(&database).await;
    let (report, said) = examine(None, Some(host.url())).await;
    assert_eq!((level(&report, "reachability", "Postgres"), said.code), ("skipped", Some(0)), "{}", said.err);
    assert_eq!(level(&report, "hosts", "readiness of http"), "ok");
}

/// What answers as a host does, and is none that this program would have.
async fn other_host(name: &'static str, version: &'static str) -> String {
    let problem =
        json!({"type": "about:blank", "title": "Not ready", "status": 503, "code": "starting", "detail": "it starts"});
    let router = Router::new()
        .route("/", get(async move || Json(json!({"name": name, "version": version}))))
        .route("/health/ready", get(async move || (StatusCode::SERVICE_UNAVAILABLE, Json(problem.clone()))));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_another_program_another_version_or_not_ready_is_found() {
    for (name, version, wanted) in [
        ("gnomon", env!("CARGO_PKG_VERSION"), "ok"),
        ("gnomon", "0.0.1", "warning"),
        ("sundial", env!("CARGO_PKG_VERSION"), "problem"),
    ] {
        let url = other_host(name, version).await;
        let (report, said) = examine(None, Some(&url)).await;
        assert_eq!(level(&report, "hosts", "version of http"), wanted, "{report:#}");
        assert_eq!(level(&report, "hosts", "readiness of http"), "problem");
        // It has no measures.
        assert_eq!(level(&report, "hosts", "measures of http"), "skipped");
        assert_eq!(said.code, Some(1), "{}", said.err);
        let findings = report["findings"].as_array().unwrap();
        let ready =
            findings.iter().find(|finding| finding["check"].as_str().unwrap().starts_with("readiness")).unwrap();
        assert_eq!(ready["found"], "it starts");
        assert!(ready["advice"].as_str().unwrap().ends_with(&format!("{url}/errors/starting")), "{ready}");
    }
}
