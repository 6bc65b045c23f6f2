use std::sync::{Condvar, Mutex};

use opentelemetry::{
    KeyValue,
    logs::{AnyValue, Logger as _, LoggerProvider as _},
    trace::{Link, SpanKind, TraceId, TraceState, Tracer as _, TracerProvider as _},
};
use opentelemetry_sdk::{
    error::OTelSdkError,
    logs::{BatchConfigBuilder, SdkLoggerProvider},
    trace::{self, SdkTracerProvider},
};

use super::*;

/// A collector that takes nothing until it is told to, and then all or nothing.
#[derive(Clone, Debug, Default)]
struct Slow {
    /// Whether it takes what it gets, once it is told.
    takes: Arc<(Mutex<Option<bool>>, Condvar)>,
    got: Arc<Mutex<Vec<String>>>,
    service: Arc<Mutex<Option<String>>>,
}

impl Slow {
    fn tell(&self, takes: bool) {
        *self.takes.0.lock().unwrap() = Some(takes);
        self.takes.1.notify_all();
    }

    fn take(&self, items: Vec<String>) -> OTelSdkResult {
        let (told, changed) = &*self.takes;
        let takes = changed.wait_while(told.lock().unwrap(), |told| told.is_none()).unwrap();
        if *takes != Some(true) {
            return Err(OTelSdkError::InternalFailure("no".to_owned()));
        }
        self.got.lock().unwrap().extend(items);
        Ok(())
    }

    fn resource(&self, resource: &Resource) {
        let name = resource.get(&opentelemetry::Key::from_static_str("service.name"));
        *self.service.lock().unwrap() = name.map(|name| name.to_string());
    }
}

impl LogExporter for Slow {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let text = |record: &SdkLogRecord| match record.body() {
            Some(AnyValue::String(text)) if record.event_name() == Some("") && record.timestamp().is_some() => {
                text.to_string()
            }
            other => format!("{other:?} of {:?}", record.event_name()),
        };
        self.take(batch.iter().map(|(record, _)| text(record)).collect())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource(resource);
    }
}

impl SpanExporter for Slow {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.take(batch.into_iter().map(|span| span.name.into_owned()).collect())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource(resource);
    }
}

fn queue(max: usize) -> Queue {
    Queue { max, waiting: Arc::default(), lost: Counter::default() }
}

fn resource() -> Resource {
    Resource::builder_empty().with_service_name("shop").build()
}

fn texts(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

/// A queue of four, with logs that come out at a slow collector.
fn logs(collector: &Slow) -> (Queue, SdkLoggerProvider) {
    let queue = queue(4);
    let batches = BatchLogProcessor::builder(Counted::new(collector.clone(), &queue))
        .with_batch_config(BatchConfigBuilder::default().with_max_queue_size(queue.max()).build())
        .build();
    let logs = SdkLoggerProvider::builder()
        .with_log_processor(Counted::new(batches, &queue))
        .with_resource(resource())
        .build();
    (queue, logs)
}

fn log(logs: &SdkLoggerProvider, numbers: std::ops::Range<usize>) {
    let logger = logs.logger("test");
    for text in texts(numbers) {
        let mut record = logger.create_log_record();
        record.set_event_name("event host/src/lib.rs:7");
        record.set_body(text.into());
        logger.emit(record);
    }
}

#[test]
fn records_beyond_the_queue_are_lost_and_counted_and_nobody_waits() {
    let collector = Slow::default();
    let (queue, logs) = logs(&collector);
    // The collector takes none of them meanwhile.
    log(&logs, 0..10);
    assert_eq!((queue.waiting.load(Ordering::Relaxed), queue.lost.get()), (4, 6));
    collector.tell(true);
    logs.force_flush().unwrap();
    assert_eq!((queue.waiting.load(Ordering::Relaxed), queue.lost.get()), (0, 6));
    log(&logs, 10..12);
    logs.shutdown().unwrap();
    assert_eq!(*collector.got.lock().unwrap(), [texts(0..4), texts(10..12)].concat());
    assert_eq!(queue.lost.get(), 6);
    assert_eq!(collector.service.lock().unwrap().as_deref(), Some("shop"));
}

#[test]
fn records_that_a_collector_does_not_take_are_lost_and_make_room() {
    let collector = Slow::default();
    let (queue, logs) = logs(&collector);
    collector.tell(false);
    log(&logs, 0..3);
    let _ = logs.force_flush();
    assert_eq!((queue.waiting.load(Ordering::Relaxed), queue.lost.get()), (0, 3));
    collector.tell(true);
    log(&logs, 3..7);
    logs.shutdown().unwrap();
    assert_eq!(*collector.got.lock().unwrap(), texts(3..7));
    assert_eq!(queue.lost.get(), 3);
}

#[test]
fn spans_are_counted_as_records_are() {
    let (collector, queue) = (Slow::default(), queue(4));
    let batches = BatchSpanProcessor::builder(Counted::new(collector.clone(), &queue))
        .with_batch_config(trace::BatchConfigBuilder::default().with_max_queue_size(queue.max()).build())
        .build();
    let spans = SdkTracerProvider::builder()
        .with_span_processor(Counted::new(batches, &queue))
        .with_resource(resource())
        .build();
    let tracer = spans.tracer("test");
    texts(0..10).into_iter().for_each(|name| drop(tracer.start(name)));
    assert_eq!((queue.waiting.load(Ordering::Relaxed), queue.lost.get()), (4, 6));
    collector.tell(true);
    spans.force_flush().unwrap();
    assert_eq!(queue.waiting.load(Ordering::Relaxed), 0);
    collector.tell(false);
    drop(tracer.start("refused"));
    let _ = spans.shutdown();
    assert_eq!(*collector.got.lock().unwrap(), texts(0..4));
    assert_eq!((queue.waiting.load(Ordering::Relaxed), queue.lost.get()), (0, 7));
    assert_eq!(collector.service.lock().unwrap().as_deref(), Some("shop"));
}

/// Has spans recorded, and none sent.
#[derive(Clone, Debug)]
struct RecordOnly;

impl trace::ShouldSample for RecordOnly {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> trace::SamplingResult {
        let (attributes, trace_state) = (Vec::new(), TraceState::default());
        trace::SamplingResult { decision: trace::SamplingDecision::RecordOnly, attributes, trace_state }
    }
}

#[test]
fn spans_that_are_not_sampled_take_no_place() {
    let (collector, queue) = (Slow::default(), queue(4));
    let batches = BatchSpanProcessor::builder(Counted::new(collector.clone(), &queue)).build();
    let spans = SdkTracerProvider::builder()
        .with_sampler(RecordOnly)
        .with_span_processor(Counted::new(batches, &queue))
        .build();
    let tracer = spans.tracer("test");
    texts(0..10).into_iter().for_each(|name| drop(tracer.start(name)));
    assert_eq!((queue.waiting.load(Ordering::Relaxed), queue.lost.get()), (0, 0));
}
