//! Traces over OTLP, off until the environment says where they go.
//!
//! Whoever works makes [spans](super::Span). They wait in a bounded queue; when it is full, because the collector is slow or away, they are lost,
//! and nobody waits.

use std::sync::OnceLock;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use super::{
    module_lines::{MODULES, ModuleLines},
    otlp::{OtlpError, SERVICE, Settings},
    queue::Counted,
    signal::Signal,
    span::TRACER,
};

/// What sends the spans of this process, from the first on.
pub(super) static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Starts to trace, if the environment says where spans go; returns what adds the lines of modules to them. `runtime` sends them.
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
    // Both fail if traces were started before, as in tests.
    let _ = TRACER.set(provider.tracer(SERVICE));
    let _ = PROVIDER.set(provider);
    Ok(Some(ModuleLines.with_filter(Targets::new().with_target(MODULES, Level::INFO))))
}
