//! Traces: what a collector gets of a real host.

use gnomon::postgres::test_database::TestDatabase;
use nix::sys::signal::Signal;
use opentelemetry_proto::tonic::trace::v1::Span;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    collector::{Collector, hex},
    support::{Host, Launch, until},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT: &str = "00f067aa0ba902b7";

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let found: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {:?}", spans.iter().map(|span| &span.name).collect::<Vec<_>>());
    found[0]
}

async fn host(database: &TestDatabase, endpoint: &str, arguments: &[&str]) -> Host {
    let mut launch = Launch::new(&database.url(), arguments);
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_SERVICE_NAME", "shop-log"),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ];
    launch.environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    launch.start().await
}

/// Appends an event in a span of the client.
async fn append(host: &Host, client: &str, event: &Value) -> test_support::Answer {
    let request = host.request(Method::POST, "/v1/streams/count-1/events");
    let request = request.header("traceparent", format!("00-{TRACE}-{client}-01"));
    host.send(request.json(&json!({ "events": [event] }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_append_to_the_query() {
    let database = TestDatabase::create().await;
    let collector = Collector::default();
    let host = host(&database, &collector.start().await, &[]).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    let event = json!({"id": "0190f3c2-0000-7000-8000-000000000001", "type": "Counted", "data": {"n": 1}, "metadata": {"user": "ada"}});
    let answer = append(&host, CLIENT, &event).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let query = host
        .request(Method::GET, "/v1/read-models/tally/tallies")
        .header("traceparent", format!("00-{TRACE}-{CLIENT}-01"))
        .header("gnomon-min-position", "1")
        .header("prefer", "wait=60");
    assert_eq!(host.send(query).await.status, 200);

    let names = [
        "POST /v1/streams/{stream}/events",
        "append",
        "batch",
        "fold",
        "commit",
        "GET /v1/read-models/{projection}/{table}",
        "query",
    ];
    until("the collector has the trace", async || {
        let spans = collector.spans(TRACE);
        names.iter().all(|name| spans.iter().any(|span| span.name == *name))
    })
    .await;
    let spans = collector.spans(TRACE);
    let parent = |name| hex(&named(&spans, name).parent_span_id);
    let id = |name| hex(&named(&spans, name).span_id);
    assert_eq!([parent(names[0]), parent("batch"), parent(names[5])], [CLIENT; 3]);
    assert_eq!(parent("append"), id(names[0]));
    assert_eq!([parent("fold"), parent("commit")], [id("batch"), id("batch")]);
    assert_eq!(parent("query"), id(names[5]));
    assert_eq!(spans.len(), names.len());
    let links: Vec<String> = named(&spans, "batch").links.iter().map(|link| hex(&link.span_id)).collect();
    assert_eq!(links, [CLIENT]);
    assert_eq!(collector.services_of_spans(), ["shop-log"]);
    // The order of things: the commit is within the batch, which begins after the append.
    assert!(named(&spans, "batch").end_time_unix_nano >= named(&spans, "commit").end_time_unix_nano);
    assert!(named(&spans, "fold").start_time_unix_nano >= named(&spans, names[0]).start_time_unix_nano);

    // The event keeps the trace beside what its writer wrote, and the same event in another span is the same event.
    let kept = host.json("/v1/events").await["events"][0]["metadata"].clone();
    assert_eq!(kept, json!({"user": "ada", "traceparent": format!("00-{TRACE}-{CLIENT}-01")}));
    assert_eq!(append(&host, "00f067aa0ba902b8", &event).await.status, 200);
    let own = json!({"type": "Counted", "data": {"n": 1}, "metadata": {"traceparent": "mine"}});
    assert_eq!(append(&host, CLIENT, &own).await.status, 201);
    assert_eq!(host.json("/v1/events").await["events"][1]["metadata"], json!({"traceparent": "mine"}));
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

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_ends_sends_its_last_spans() {
    let database = TestDatabase::create().await;
    let collector = Collector::default();
    let mut launch = Launch::new(&database.url(), &[]);
    // It would send nothing by itself before the test ends.
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.start().await), ("OTEL_BSP_SCHEDULE_DELAY", "3600000".to_owned())];
    launch.environment = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let host = launch.start().await;
    assert_eq!(append(&host, CLIENT, &json!({"type": "Counted", "data": {"n": 1}})).await.status, 201);
    assert!(collector.spans(TRACE).is_empty());
    assert_eq!(end(host).await, Some(0));
    named(&collector.spans(TRACE), "append");
    assert_eq!(collector.services_of_spans(), ["gnomon"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_or_silent_keeps_nobody_waiting() {
    let database = TestDatabase::create().await;
    // Takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Nobody listens there.
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [silent.local_addr().unwrap(), away] {
        let host = host(&database, &format!("http://{address}"), &["--shutdown-timeout", "16"]).await;
        for _ in 0..50 {
            assert_eq!(append(&host, CLIENT, &json!({"type": "Counted", "data": {"n": 1}})).await.status, 201);
        }
        if address == away {
            until("the log says it", async || host.has_logged("traces cannot be sent")).await;
        }
        // In order, which it is not beyond the shutdown timeout.
        assert_eq!(end(host).await, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protocol_that_is_not_there_is_refused_at_the_start() {
    let mut command = crate::support::gnomon();
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317");
    command.env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`"), "{said}");
}
