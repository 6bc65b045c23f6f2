//! The log over OTLP: what a collector gets of a real host.

use gnomon::postgres::test_database::TestDatabase;
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    collector::{Collector, Record, hex},
    support::{Host, Launch, until},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn host(database: &TestDatabase, arguments: &[&str], variables: &[(&str, &str)]) -> Host {
    let mut launch = Launch::new(&database.url(), arguments);
    launch.environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    launch.start().await
}

/// Waits until there is a record with this message.
async fn record(collector: &Collector, message: &str) -> Record {
    let find = || collector.records().into_iter().find(|record| record.message() == message);
    until(&format!("the collector has `{message}`"), async || find().is_some()).await;
    find().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_host_and_modules_log_comes_with_its_members_and_its_trace() {
    let database = TestDatabase::create().await;
    let collector = Collector::default();
    let endpoint = collector.start().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_SERVICE_NAME", "shop-log"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "20"),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ];
    let host = host(&database, &[], &variables).await;
    let build = host.deploy("print", test_support::guest("print"), "").await;
    host.until_state("print", build, "active").await;
    let append = host.request(Method::POST, "/v1/streams/order-1/events");
    let append = append.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let events = json!({"events": [{"type": "Other", "data": {}}, {"type": "Trigger", "data": {}}]});
    assert_eq!(host.send(append.json(&events)).await.status, 201);

    // A module's lines: what it is, the event, and the span in which it was folded.
    let said = record(&collector, "its log").await;
    assert_eq!(said.target, "gnomon::guest");
    assert_eq!(
        ["module", "version", "position", "stream"].map(|name| said.attribute(name)),
        ["print", "1", "2", "order-1"]
    );
    assert_eq!((said.record.severity_text.as_str(), said.record.severity_number), ("INFO", 9));
    assert!(said.record.event_name.is_empty() && said.record.time_unix_nano > 0, "{said:?}");
    assert_eq!(hex(&said.record.trace_id), TRACE);
    until("the collector has the span of the fold", async || {
        collector.spans(TRACE).iter().any(|span| span.name == "fold" && span.span_id == said.record.span_id)
    })
    .await;
    let on_stderr = record(&collector, "position 2 on stderr").await;
    assert_eq!((on_stderr.record.severity_text.as_str(), on_stderr.attribute("position")), ("WARN", "2".to_owned()));

    // A request that fails: its id, which the answer has, and its span.
    let sql = "alter table gnomon.module_versions rename to out_of_sight";
    sqlx::query(sql).execute(&database.pool().await).await.unwrap();
    let request = host.request(Method::GET, "/v1/modules").header("x-request-id", "checkout-17");
    let answer = host.send(request.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b8-01"))).await;
    assert_eq!(answer.status, 500, "{answer:?}");
    let failed = record(&collector, "a request failed").await;
    assert_eq!(failed.attribute("request_id"), "checkout-17");
    assert!(failed.attribute("error").contains("module_versions"), "{failed:?}");
    assert_eq!((failed.record.severity_text.as_str(), hex(&failed.record.trace_id).as_str()), ("ERROR", TRACE));
    until("the collector has the span of the request", async || {
        let spans = collector.spans(TRACE);
        spans.iter().any(|span| span.name == "GET /v1/modules" && span.span_id == failed.record.span_id)
    })
    .await;

    // Lines of the host are there as well, of no trace; and all of them are still on stderr.
    let listening = collector.records().into_iter().find(|record| record.target.starts_with("gnomon::server")).unwrap();
    assert!(listening.record.trace_id.is_empty(), "{listening:?}");
    assert!(host.has_logged("its log") && host.has_logged("a request failed"));
    assert_eq!(collector.services_of_records(), ["shop-log"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_go_without_traces_and_only_what_the_filter_lets_through() {
    let database = TestDatabase::create().await;
    let collector = Collector::default();
    let endpoint = collector.start().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "20"),
    ];
    let host = host(&database, &["--log", "debug,gnomon::guest=warn"], &variables).await;
    let build = host.deploy("print", test_support::guest("print"), "").await;
    host.until_state("print", build, "active").await;
    host.append_one("order-1", "Trigger", json!({})).await;
    let warned = record(&collector, "position 1 on stderr").await;
    assert!(warned.record.trace_id.is_empty() && warned.record.span_id.is_empty(), "{warned:?}");
    let records = collector.records();
    assert!(records.iter().all(|record| record.message() != "its log"), "modules log from WARN on");
    assert!(records.iter().any(|record| record.record.severity_text == "DEBUG"), "the host logs from DEBUG on");
    // Sending makes no records of its own, which would have to be sent in turn.
    let senders = ["hyper", "reqwest", "opentelemetry"];
    let own = records.iter().find(|record| senders.iter().any(|sender| record.target.starts_with(sender)));
    assert!(own.is_none(), "{own:?}");
    assert!(collector.spans(TRACE).is_empty() && collector.services_of_spans().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_ends_sends_its_last_records() {
    let database = TestDatabase::create().await;
    let collector = Collector::default();
    let endpoint = collector.start().await;
    // It would send nothing by itself before the test ends.
    let variables = [
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", endpoint.clone() + "/v1/logs"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "3600000".to_owned()),
    ];
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let host = host(&database, &[], &variables).await;
    assert!(collector.records().is_empty());
    assert_eq!(end(host).await, Some(0));
    assert!(collector.records().iter().any(|record| record.target.starts_with("gnomon::server")));
    assert_eq!(collector.services_of_records(), ["gnomon"]);
    // Only logs have an endpoint.
    assert!(collector.services_of_spans().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_silent_or_away_keeps_nobody_waiting_and_what_is_lost_is_counted() {
    let database = TestDatabase::create().await;
    // Takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Nobody listens there.
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [silent.local_addr().unwrap(), away] {
        let endpoint = format!("http://{address}");
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_BLRP_SCHEDULE_DELAY", "20"),
            ("OTEL_BLRP_MAX_QUEUE_SIZE", "3"),
        ];
        let host = host(&database, &["--log", "debug", "--shutdown-timeout", "16"], &variables).await;
        for _ in 0..20 {
            host.append_one("order-1", "Counted", json!({"n": 1})).await;
        }
        until("lost records are counted", async || lost(&host, "logs").await > 0).await;
        assert_eq!(lost(&host, "traces").await, 0);
        if address == away {
            until("the log says it", async || host.has_logged("logs cannot be sent; log records are lost")).await;
        }
        // In order, which it is not beyond the shutdown timeout.
        assert_eq!(end(host).await, Some(0));
    }
}

/// What a host says is lost of a signal.
async fn lost(host: &Host, signal: &str) -> u64 {
    let answer = host.send(host.request(Method::GET, "/metrics")).await;
    let name = format!("gnomon_telemetry_lost_total{{signal=\"{signal}\"}} ");
    let text = answer.body.as_str().unwrap();
    text.lines().find_map(|line| line.strip_prefix(&name)).unwrap_or_else(|| panic!("{name}in {text}")).parse().unwrap()
}

/// Ends a host, and waits for that.
async fn end(mut host: Host) -> Option<i32> {
    host.signal(Signal::SIGTERM);
    let mut status = None;
    until("the host ends", async || {
        status = host.try_wait();
        status.is_some()
    })
    .await;
    status.unwrap().code()
}
