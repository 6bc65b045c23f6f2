//! What waits to be sent to a collector: how much of it there is, and how much was lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use opentelemetry::{Context, InstrumentationScope, logs::LogRecord as _, logs::Severity};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{BatchLogProcessor, LogBatch, LogExporter, LogProcessor, SdkLogRecord},
    trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor},
};

use super::signal::Signal;
use crate::metrics::{self, Counter};

/// Places for what waits, that which is just being sent included. The queues of the SDK behind it have as many, so they are never full, and
/// what is lost is counted here.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    max: usize,
    waiting: Arc<AtomicUsize>,
    lost: Counter,
}

impl Queue {
    pub(super) fn new(signal: Signal, max: usize) -> Self {
        let lost = metrics::of_host().telemetry.lost(signal.word());
        Self { max, waiting: Arc::default(), lost }
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Takes a place. Without one, something is lost.
    fn enter(&self) -> bool {
        let one_more = |waiting: usize| (waiting < self.max).then_some(waiting + 1);
        let entered = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok();
        if !entered {
            self.lost.inc();
        }
        entered
    }

    /// So many were sent, or could not be.
    fn leave(&self, items: usize, result: &OTelSdkResult) {
        self.waiting.fetch_sub(items, Ordering::Relaxed);
        if result.is_err() {
            self.lost.inc_by(u64::try_from(items).unwrap_or(u64::MAX));
        }
    }
}

/// A part of the SDK at the entrance of a queue, or at its exit.
#[derive(Debug)]
pub(super) struct Counted<P> {
    part: P,
    queue: Queue,
}

impl<P> Counted<P> {
    pub(super) fn new(part: P, queue: &Queue) -> Self {
        Self { part, queue: queue.clone() }
    }
}

impl LogProcessor for Counted<BatchLogProcessor> {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        if self.queue.enter() {
            // The name is a line of the source, which says nothing to a reader and changes with each release.
            record.set_event_name("");
            if let Some(observed) = record.observed_timestamp() {
                record.set_timestamp(observed);
            }
            self.part.emit(record, scope);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.part.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.part.shutdown_with_timeout(timeout)
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.part.event_enabled(level, target, name)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.part.set_resource(resource);
    }
}

impl<E: LogExporter> LogExporter for Counted<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let records = batch.iter().count();
        let result = self.part.export(batch).await;
        self.queue.leave(records, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.part.shutdown_with_timeout(timeout)
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.part.event_enabled(level, target, name)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.part.set_resource(resource);
    }
}

impl SpanProcessor for Counted<BatchSpanProcessor> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.part.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        // Others are not to be sent.
        if span.span_context.is_sampled() && self.queue.enter() {
            self.part.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.part.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.part.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.part.set_resource(resource);
    }
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.part.export(batch).await;
        self.queue.leave(spans, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.part.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.part.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.part.set_resource(resource);
    }
}

#[cfg(test)]
mod tests;
