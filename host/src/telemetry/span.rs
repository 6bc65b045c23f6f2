//! Spans: what was worked on, from when to when, as a part of a trace.
//!
//! The sampler decides before anything is said of a span. Of one that is not recorded only its ids are there, for log records; it has no
//! attributes, and no spans within it. While traces are off, a span costs a comparison.
//!
//! Spans are made with OpenTelemetry itself. As spans of `tracing` they would be kept twice, and each poll of a future would look both up.

use std::sync::OnceLock;

use futures_util::future::Either;
use opentelemetry::{
    Context, ContextGuard, KeyValue, Value,
    trace::{FutureExt as _, Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _},
};
use opentelemetry_sdk::trace::{SdkTracer, Span as SdkSpan};

use super::trace_context::TraceContext;

/// What makes spans, from when traces are on.
pub(super) static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// A span, which ends when its last clone is dropped; or nothing, while traces are off.
#[derive(Clone, Debug, Default)]
pub struct Span(Option<Begun>);

#[derive(Clone, Debug)]
struct Begun {
    /// Has the span, or only its ids if it is not recorded.
    context: Context,
    is_recorded: bool,
}

/// Keeps a span the current one of a thread, and the span from ending.
#[must_use = "the span is no longer the current one when this is dropped"]
#[derive(Debug)]
pub struct Entered {
    _guard: Option<ContextGuard>,
}

/// A span that has just begun and is recorded.
#[derive(Debug)]
pub struct Recorded<'s>(&'s mut SdkSpan);

impl Span {
    /// Whether traces are on, and so whether it is worth looking for the trace of what begins.
    #[must_use]
    pub fn are_on() -> bool {
        TRACER.get().is_some()
    }

    /// No span.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Answers a request: a span in the trace of the client, or the first of a trace. What it is, `describe` says if it is recorded.
    pub fn of_request(
        name: &'static str,
        client: Option<&TraceContext>,
        describe: impl FnOnce(&mut Recorded<'_>),
    ) -> Self {
        let Some(tracer) = TRACER.get() else { return Self::none() };
        first(tracer, SpanBuilder::from_name(name).with_kind(SpanKind::Server), client, describe)
    }

    /// Does some work: a span in a trace that was begun elsewhere, or the first of a trace.
    pub fn of_work(
        name: &'static str,
        begun_by: Option<&TraceContext>,
        describe: impl FnOnce(&mut Recorded<'_>),
    ) -> Self {
        let Some(tracer) = TRACER.get() else { return Self::none() };
        first(tracer, SpanBuilder::from_name(name), begun_by, describe)
    }

    /// Sends something to another program: a span in a trace that was begun elsewhere, or the first of a trace.
    pub fn of_sending(
        name: &'static str,
        begun_by: Option<&TraceContext>,
        describe: impl FnOnce(&mut Recorded<'_>),
    ) -> Self {
        let Some(tracer) = TRACER.get() else { return Self::none() };
        first(tracer, SpanBuilder::from_name(name).with_kind(SpanKind::Client), begun_by, describe)
    }

    /// The span as those to whom something is sent may know it, also if it is not recorded; `None` while traces are off.
    #[must_use]
    pub fn to_context(&self) -> Option<TraceContext> {
        let Self(Some(begun)) = self else { return None };
        Some(TraceContext(begun.context.span().span_context().clone()))
    }

    /// A span within this one.
    pub fn within(&self, name: &'static str, describe: impl FnOnce(&mut Recorded<'_>)) -> Self {
        TRACER.get().map_or_else(Self::none, |tracer| self.within_by(tracer, name, describe))
    }

    /// A span within the current one of this task or thread; nothing if there is none, or it is not recorded.
    pub fn within_current(name: &'static str, describe: impl FnOnce(&mut Recorded<'_>)) -> Self {
        let Some(tracer) = TRACER.get() else { return Self::none() };
        Context::map_current(|current| {
            // No sampler of the environment records a span that it does not sample.
            match current.span().span_context().is_sampled() {
                true => begin(tracer, SpanBuilder::from_name(name), current, describe),
                false => Self::none(),
            }
        })
    }

    fn within_by(&self, tracer: &SdkTracer, name: &'static str, describe: impl FnOnce(&mut Recorded<'_>)) -> Self {
        match &self.0 {
            Some(begun) if begun.is_recorded => begin(tracer, SpanBuilder::from_name(name), &begun.context, describe),
            // What is logged has the ids of the span that is not recorded.
            _ => self.clone(),
        }
    }

    /// The work of a future, whose spans are within this one, and whose log records have its ids.
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        match &self.0 {
            Some(begun) => Either::Left(future.with_context(begun.context.clone())),
            None => Either::Right(future),
        }
    }

    /// Makes it the current span of this thread.
    pub fn enter(self) -> Entered {
        Entered { _guard: self.0.map(|begun| begun.context.attach()) }
    }

    /// What was worked on could not be done, and why.
    pub fn failed(&self, reason: impl std::fmt::Display) {
        let Some(Begun { context, is_recorded: true }) = &self.0 else { return };
        context.span().set_status(Status::error(reason.to_string()));
    }

    /// A request was answered.
    pub fn answered(&self, status: u16) {
        let Some(Begun { context, is_recorded: true }) = &self.0 else { return };
        let span = context.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            span.set_status(Status::error(""));
        }
    }
}

impl Recorded<'_> {
    /// Its name, if it is not known when the sampler decides.
    pub fn name(&mut self, name: String) {
        self.0.update_name(name);
    }

    /// Says something of it.
    pub fn attribute(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.set_attribute(KeyValue::new(name, value));
    }

    /// Says a number of it.
    pub fn number(&mut self, name: &'static str, number: impl TryInto<i64>) {
        self.attribute(name, number.try_into().unwrap_or(i64::MAX));
    }

    /// Links it to a span.
    pub fn link(&mut self, TraceContext(to): TraceContext) {
        self.0.add_link(to, Vec::new());
    }
}

fn first(
    tracer: &SdkTracer,
    builder: SpanBuilder,
    parent: Option<&TraceContext>,
    describe: impl FnOnce(&mut Recorded<'_>),
) -> Span {
    let parent = parent
        .map_or_else(Context::new, |TraceContext(parent)| Context::new().with_remote_span_context(parent.clone()));
    begin(tracer, builder, &parent, describe)
}

fn begin(tracer: &SdkTracer, builder: SpanBuilder, parent: &Context, describe: impl FnOnce(&mut Recorded<'_>)) -> Span {
    let mut span = tracer.build_with_context(builder, parent);
    // A host that stops begins no more.
    if !span.span_context().is_valid() {
        return Span::none();
    }
    let is_recorded = span.is_recording();
    let context = if is_recorded {
        describe(&mut Recorded(&mut span));
        parent.with_span(span)
    } else {
        parent.with_remote_span_context(span.span_context().clone())
    };
    Span(Some(Begun { context, is_recorded }))
}

#[cfg(test)]
mod tests;
