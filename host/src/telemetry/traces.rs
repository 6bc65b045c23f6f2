//! Traces over OTLP, off until the environment says where they go.
//!
//! Whoever works makes spans of the target [`TRACE`] with `tracing`. While traces are off, nothing listens to that target, and a span costs a
//! comparison. Spans wait in a bounded queue of the SDK; when it is full, because the collector is slow or away, they are lost, and nobody waits.

use std::{env, sync::OnceLock, time::Duration};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use super::sender::Sender;

/// The target of spans that are parts of traces.
pub const TRACE: &str = "gnomon::trace";

/// The default of `OTEL_SERVICE_NAME`.
const SERVICE: &str = "gnomon";
/// The default of `OTEL_EXPORTER_OTLP_TIMEOUT`.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What sends the spans of this process, from the first on.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Why spans cannot be sent as the environment says.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// A protocol that this program does not have.
    #[error(
        "OTEL_EXPORTER_OTLP_PROTOCOL is `{0}`, and this program sends `http/protobuf` only, usually to port 4318 of a collector"
    )]
    Protocol(String),
    /// A variable cannot be read, or the client cannot be made.
    #[error("traces cannot be sent as the variables OTEL_… say: {0}")]
    Exporter(String),
}

/// A variable that is set, and not empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// One of a variable for traces and a variable for all signals.
fn variable_of_traces(name: &str) -> Option<String> {
    variable(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}")).or_else(|| variable(&format!("OTEL_EXPORTER_OTLP_{name}")))
}

/// Whether the environment says where traces go, and does not turn them off.
fn is_on() -> bool {
    let is_disabled = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let is_none = variable("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    variable_of_traces("ENDPOINT").is_some() && !is_disabled && !is_none
}

/// What listens to spans, if traces are on. `runtime` sends them.
///
/// # Errors
/// See [`TracesError`].
pub(super) fn layer<S>(runtime: Handle) -> Result<Option<impl Layer<S> + Send + Sync>, TracesError>
where
    S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
{
    if !is_on() {
        return Ok(None);
    }
    if let Some(other) = variable_of_traces("PROTOCOL").filter(|protocol| protocol != "http/protobuf") {
        return Err(TracesError::Protocol(other));
    }
    let timeout = variable_of_traces("TIMEOUT").and_then(|milliseconds| milliseconds.parse().ok());
    let timeout = timeout.map_or(TIMEOUT, Duration::from_millis);
    let failed = |error: &dyn std::fmt::Display| TracesError::Exporter(error.to_string());
    let sender = Sender::new(runtime, timeout).map_err(|error| failed(&error))?;
    // The endpoint and the headers are those of the environment, and so are the sampler, the queue and the resource below.
    let exporter = SpanExporter::builder().with_http().with_http_client(sender).with_protocol(Protocol::HttpBinary);
    let exporter = exporter.build().map_err(|error| failed(&error))?;
    let resource = match variable("OTEL_SERVICE_NAME") {
        Some(_) => Resource::builder(),
        None => Resource::builder().with_service_name(SERVICE),
    };
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
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

/// Sends the spans that wait, within a time. Spans that end later are lost.
pub async fn stop_traces(within: Duration) {
    let Some(provider) = PROVIDER.get().cloned() else { return };
    // It blocks, and the runtime sends meanwhile.
    let stopping = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(within));
    match tokio::time::timeout(within, stopping).await {
        Ok(Ok(Ok(()))) => {}
        _ => tracing::warn!("the last spans were not sent within {} s", within.as_secs_f64()),
    }
}
