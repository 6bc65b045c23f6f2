//! Traces over OTLP, off until the environment says where they go.
//!
//! Whoever works makes spans of the target [`TRACE`] with `tracing`. While traces are off, nothing listens to that target, and a span costs a
//! comparison. Spans wait in a bounded queue; when it is full, because the collector is slow or away, they are lost, and nobody waits.

use std::sync::OnceLock;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use super::{
    otlp::{OtlpError, SERVICE, Settings},
    queue::Counted,
    signal::Signal,
};

/// The target of spans that are parts of traces.
pub const TRACE: &str = "gnomon::trace";

/// What sends the spans of this process, from the first on.
pub(super) static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// What listens to spans, if traces are on. `runtime` sends them.
///
/// # Errors
/// See [`OtlpError`].
pub(super) fn layer<S>(runtime: Handle) -> Result<Option<impl Layer<S> + Send + Sync>, OtlpError>
where
    S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
{
    let Some(settings) = Settings::of(Signal::Traces)? else { return Ok(None) };
    let exporter = SpanExporter::builder().with_http().with_http_client(settings.sender(runtime)?);
    // The endpoint and the headers are those of the environment, and so is the sampler below.
    let exporter = exporter.with_protocol(Protocol::HttpBinary).build().map_err(|error| settings.refused(error))?;
    let queue = settings.queue();
    let batches = BatchSpanProcessor::builder(Counted::new(exporter, &queue))
        .with_batch_config(BatchConfigBuilder::default().with_max_queue_size(queue.max()).build())
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(Counted::new(batches, &queue))
        .with_resource(settings.resource())
        .build();
    let tracer = provider.tracer(SERVICE);
    // It fails if traces were started before, as in tests.
    let _ = PROVIDER.set(provider);
    let spans = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    // What modules log becomes events of the span in which they fold.
    let targets = Targets::new().with_target(TRACE, Level::INFO).with_target("gnomon::guest", Level::INFO);
    Ok(Some(spans.with_filter(targets)))
}
