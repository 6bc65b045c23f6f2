//! Traces of reactors: from the append to what a sink gets.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Uri},
    routing::any,
};
use gnomon::postgres::test_database::TestDatabase;
use opentelemetry_proto::tonic::{common::v1::any_value, trace::v1::Span};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    collector::{Collector, hex},
    support::{Host, Launch, until},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT: &str = "00f067aa0ba902b7";

/// What a receiver got: the path, the header `traceparent`, and the body.
type Got = Arc<Mutex<Vec<(String, String, Value)>>>;

/// Starts a receiver, which takes all. Returns its URL.
async fn receiver(got: &Got) -> String {
    async fn take(State(got): State<Got>, uri: Uri, headers: HeaderMap, body: String) -> &'static str {
        let trace = headers.get("traceparent").map_or("", |trace| trace.to_str().unwrap()).to_owned();
        got.lock().unwrap().push((uri.path().to_owned(), trace, serde_json::from_str(&body).unwrap()));
        "true"
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(any(take)).with_state(Arc::clone(got));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A host with a reactor and its sinks, which sends its traces to a collector, if there is one.
async fn host(database: &TestDatabase, collector: Option<&str>, receiver: &str) -> Host {
    let mut launch = Launch::new(&database.url(), &[]);
    let secret = ("GNOMON_SECRET_MAIL", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    let traces = collector
        .map(|endpoint| [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "20")])
        .into_iter()
        .flatten();
    launch.environment = traces.chain([secret]).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let host = launch.start().await;
    for (sink, settings) in [
        ("mail", json!({"kind": "webhook", "url": format!("{receiver}/mail"), "secret": format!("env:{}", secret.0)})),
        ("bank", json!({"kind": "endpoint", "url": format!("{receiver}/bank")})),
    ] {
        let answer = host.send(host.request(Method::PUT, &format!("/v1/sinks/{sink}")).json(&settings)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }
    assert!(host.upload("obeys", test_support::guest("obeys"), "").await.status.is_success());
    host
}

/// Tells the reactor to send a message and to make a call, in a span of the client.
async fn tell(host: &Host) {
    let orders = json!([{"publish": "told"}, {"call": "pay"}]);
    let request = host.request(Method::POST, "/v1/streams/told-1/events");
    let request = request.header("traceparent", format!("00-{TRACE}-{CLIENT}-01"));
    let answer = host.send(request.json(&json!({"events": [{"type": "Told", "data": orders}]}))).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
}

/// An attribute of a span that is a text; empty if it has none.
fn attribute<'s>(span: &'s Span, name: &str) -> &'s str {
    let found = span.attributes.iter().find(|attribute| attribute.key == name);
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text,
        _ => "",
    }
}

/// What came to a path: the header and the body.
fn came(got: &Got, path: &str) -> (String, Value) {
    let found = got.lock().unwrap().iter().find(|(at, ..)| at == path).cloned();
    let (_, trace, body) = found.unwrap_or_else(|| panic!("nothing came to {path}"));
    (trace, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_append_to_the_sinks() {
    let (database, collector, got) = (TestDatabase::create().await, Collector::default(), Got::default());
    let host = host(&database, Some(&collector.start().await), &receiver(&got).await).await;
    tell(&host).await;
    let of_reactor = |spans: &[Span]| {
        let names = ["batch", "fold", "commit", "deliver"];
        spans.iter().filter(|span| names.contains(&span.name.as_str())).cloned().collect::<Vec<_>>()
    };
    until("the collector has the trace", async || of_reactor(&collector.spans(TRACE)).len() >= 5).await;
    let spans = of_reactor(&collector.spans(TRACE));
    assert_eq!(spans.len(), 5);
    let one = |name: &str, sink: &str| {
        let found = spans.iter().filter(|span| span.name == name && attribute(span, "sink") == sink);
        let found: Vec<&Span> = found.collect();
        assert_eq!(found.len(), 1, "{name} {sink}");
        found[0]
    };
    let batch = one("batch", "");
    assert_eq!((hex(&batch.parent_span_id).as_str(), attribute(batch, "reactor")), (CLIENT, "obeys"));
    let links: Vec<String> = batch.links.iter().map(|link| hex(&link.span_id)).collect();
    assert_eq!(links, [CLIENT]);
    for name in ["fold", "commit"] {
        assert_eq!(one(name, "").parent_span_id, batch.span_id, "{name}");
    }
    assert!(batch.end_time_unix_nano >= one("commit", "").end_time_unix_nano);
    for sink in ["mail", "bank"] {
        let deliver = one("deliver", sink);
        assert_eq!((hex(&deliver.parent_span_id).as_str(), attribute(deliver, "reactor")), (CLIENT, "obeys"));
        // The receiver goes on from the delivery.
        let (trace, _) = came(&got, &format!("/{sink}"));
        assert_eq!(trace, format!("00-{TRACE}-{}-01", hex(&deliver.span_id)));
    }
    // The CloudEvent says where it comes from.
    assert_eq!(came(&got, "/mail").1["traceparent"], format!("00-{TRACE}-{CLIENT}-01"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_traces_hands_on_those_of_its_clients() {
    let (database, got) = (TestDatabase::create().await, Got::default());
    let host = host(&database, None, &receiver(&got).await).await;
    tell(&host).await;
    until("both have come", async || got.lock().unwrap().len() == 2).await;
    for path in ["/mail", "/bank"] {
        assert_eq!(came(&got, path).0, format!("00-{TRACE}-{CLIENT}-01"), "{path}");
    }
    // What belongs to no trace says so.
    host.append_one("told-1", "Told", json!([{"publish": "told"}])).await;
    until("it has come", async || got.lock().unwrap().len() == 3).await;
    let (_, trace, body) = got.lock().unwrap()[2].clone();
    assert_eq!((trace.as_str(), body.get("traceparent")), ("", None));
}
