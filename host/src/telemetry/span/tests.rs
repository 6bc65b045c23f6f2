use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Sampler, SdkTracerProvider, SpanData, SpanProcessor},
};

use super::*;

/// Keeps the spans that have ended.
#[derive(Clone, Debug, Default)]
struct Ended(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Ended {
    fn on_start(&self, _: &mut SdkSpan, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap().push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl Ended {
    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|span| span.name.to_string()).collect()
    }
}

fn tracer(sampler: Sampler) -> (Ended, SdkTracerProvider) {
    let ended = Ended::default();
    (ended.clone(), SdkTracerProvider::builder().with_sampler(sampler).with_span_processor(ended).build())
}

fn client(flags: &str) -> TraceContext {
    TraceContext::parse(&format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}")).unwrap()
}

/// The ids that a log record would have.
fn current() -> Option<(String, String)> {
    Context::map_current(|current| {
        let (has_span, span) = (current.has_active_span(), current.span());
        has_span.then(|| (span.span_context().trace_id().to_string(), span.span_context().span_id().to_string()))
    })
}

#[test]
fn nothing_is_said_of_a_span_that_is_not_recorded_and_none_is_within_it() {
    let (ended, provider) = tracer(Sampler::AlwaysOff);
    let tracer = provider.tracer("test");
    let unsaid = |_: &mut Recorded<'_>| panic!("nobody wants to know");
    let request = first(&tracer, SpanBuilder::from_name("request"), None, unsaid);
    let entered = request.clone().enter();
    let of_request = current().expect("its log records have its ids");
    let inner = request.within_by(&tracer, "append", unsaid).enter();
    assert_eq!(current(), Some(of_request));
    drop((inner, entered));
    assert_eq!(current(), None);
    request.answered(200);
    drop(request);
    assert!(ended.names().is_empty());
}

#[test]
fn a_client_that_has_decided_is_followed() {
    let (ended, provider) = tracer(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)));
    let tracer = provider.tracer("test");
    for (flags, is_recorded) in [("01", true), ("00", false)] {
        let mut said = false;
        let request = first(&tracer, SpanBuilder::from_name("request"), Some(&client(flags)), |_| said = true);
        assert_eq!(said, is_recorded);
        let entered = request.enter();
        assert_eq!(current().map(|(trace, _)| trace).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        drop(entered);
    }
    let ended = ended.0.lock().unwrap();
    let [span] = &ended[..] else { panic!("{ended:?}") };
    assert_eq!(span.parent_span_id.to_string(), "00f067aa0ba902b7");
    assert!(span.parent_span_is_remote);
}

#[tokio::test]
async fn a_span_has_what_was_said_of_it_and_ends_with_its_work() {
    let (ended, provider) = tracer(Sampler::AlwaysOn);
    let tracer = provider.tracer("test");
    let request = first(&tracer, SpanBuilder::from_name("request").with_kind(SpanKind::Server), None, |span| {
        span.name("GET /v1/modules".to_owned());
        span.attribute("http.route", "/v1/modules".to_owned());
        span.number("events", u64::MAX);
        span.link(client("01"));
    });
    let work = async { request.within_by(&tracer, "append", |_| {}).scope(async { current() }).await };
    let (trace, append) = request.scope(work).await.expect("a future is in its span");
    assert_eq!((ended.names(), current()), (vec!["append".to_owned()], None));
    request.answered(500);
    drop(request);
    let ended = ended.0.lock().unwrap();
    let [inner, outer] = &ended[..] else { panic!("{ended:?}") };
    assert_eq!((inner.span_context.trace_id().to_string(), inner.span_context.span_id().to_string()), (trace, append));
    assert_eq!((inner.parent_span_id, outer.name.as_ref()), (outer.span_context.span_id(), "GET /v1/modules"));
    let said: Vec<String> =
        outer.attributes.iter().map(|attribute| format!("{}={}", attribute.key, attribute.value)).collect();
    assert_eq!(said, ["http.route=/v1/modules", &format!("events={}", i64::MAX), "http.response.status_code=500"]);
    assert_eq!((outer.status.clone(), outer.links.len(), &outer.span_kind), (Status::error(""), 1, &SpanKind::Server));
}

#[test]
fn a_host_that_has_stopped_sending_begins_no_more_spans() {
    let (_, provider) = tracer(Sampler::AlwaysOn);
    provider.shutdown().unwrap();
    let span = first(&provider.tracer("test"), SpanBuilder::from_name("request"), None, |_| {});
    let entered = span.enter();
    assert_eq!(current(), None);
    drop(entered);
}

#[test]
fn what_failed_says_why() {
    let (ended, provider) = tracer(Sampler::AlwaysOn);
    let fold = first(&provider.tracer("test"), SpanBuilder::from_name("fold"), None, |_| {});
    fold.failed("no such account");
    drop(fold);
    let ended = ended.0.lock().unwrap();
    assert_eq!(ended[0].status, Status::error("no such account"));
}
