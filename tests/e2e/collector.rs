//! A collector of traces and logs, as far as a host needs one.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, routing::post};
use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, KeyValue, any_value::Value},
    logs::v1::LogRecord,
    resource::v1::Resource,
    trace::v1::Span,
};
use prost::Message as _;
use tokio::net::TcpListener;

/// Keeps what it gets.
#[derive(Clone, Default)]
pub(crate) struct Collector {
    traces: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    logs: Arc<Mutex<Vec<ExportLogsServiceRequest>>>,
}

/// A log record with its scope, which is the target of its line.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) target: String,
    pub(crate) record: LogRecord,
}

impl Record {
    /// The message.
    pub(crate) fn message(&self) -> String {
        text(self.record.body.as_ref())
    }

    /// An attribute as a text; empty if there is none.
    pub(crate) fn attribute(&self, name: &str) -> String {
        let found: Vec<&KeyValue> = self.record.attributes.iter().filter(|attribute| attribute.key == name).collect();
        assert!(found.len() <= 1, "{name} twice: {self:?}");
        found.first().map_or_else(String::new, |attribute| text(attribute.value.as_ref()))
    }
}

impl Collector {
    /// Starts it; returns its URL.
    pub(crate) async fn start(&self) -> String {
        async fn take_traces(State(collector): State<Collector>, body: Bytes) {
            let request = ExportTraceServiceRequest::decode(body).unwrap();
            collector.traces.lock().unwrap().push(request);
        }
        async fn take_logs(State(collector): State<Collector>, body: Bytes) {
            let request = ExportLogsServiceRequest::decode(body).unwrap();
            collector.logs.lock().unwrap().push(request);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/v1/traces", post(take_traces))
            .route("/v1/logs", post(take_logs))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// The spans of a trace.
    pub(crate) fn spans(&self, trace: &str) -> Vec<Span> {
        let got = self.traces.lock().unwrap();
        let spans = got.iter().flat_map(|request| &request.resource_spans).flat_map(|resource| &resource.scope_spans);
        spans.flat_map(|scope| &scope.spans).filter(|span| hex(&span.trace_id) == trace).cloned().collect()
    }

    /// All log records, in the order in which they came.
    pub(crate) fn records(&self) -> Vec<Record> {
        let got = self.logs.lock().unwrap();
        let scopes = got.iter().flat_map(|request| &request.resource_logs).flat_map(|resource| &resource.scope_logs);
        let target = |scope: &Option<opentelemetry_proto::tonic::common::v1::InstrumentationScope>| {
            scope.as_ref().map_or_else(String::new, |scope| scope.name.clone())
        };
        scopes
            .flat_map(|scope| {
                scope.log_records.iter().map(|record| Record { target: target(&scope.scope), record: record.clone() })
            })
            .collect()
    }

    /// The names of the services that have sent spans.
    pub(crate) fn services_of_spans(&self) -> Vec<String> {
        let got = self.traces.lock().unwrap();
        services(got.iter().flat_map(|request| &request.resource_spans).filter_map(|spans| spans.resource.as_ref()))
    }

    /// The names of the services that have sent log records.
    pub(crate) fn services_of_records(&self) -> Vec<String> {
        let got = self.logs.lock().unwrap();
        services(got.iter().flat_map(|request| &request.resource_logs).filter_map(|logs| logs.resource.as_ref()))
    }
}

fn services<'r>(resources: impl Iterator<Item = &'r Resource>) -> Vec<String> {
    let names = resources.flat_map(|resource| &resource.attributes).filter(|attribute| attribute.key == "service.name");
    let mut names: Vec<String> = names.map(|attribute| text(attribute.value.as_ref())).collect();
    names.dedup();
    names
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(is_so)) => is_so.to_string(),
        None => String::new(),
        other => panic!("a value of another kind: {other:?}"),
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
