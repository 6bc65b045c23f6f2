//! The host's log over OTLP, beside the lines on stderr; off until the environment says where it goes.
//!
//! Records are the lines that stderr gets: of the host, and of modules. What a line has as members, a record has as attributes, and the ids of
//! the trace and of the span in which it was written, if traces are on. Records wait in a bounded queue; when it is full, because the
//! collector is slow or away, they are lost, and nobody waits.

use std::sync::OnceLock;

use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::logs::{BatchConfigBuilder, BatchLogProcessor, SdkLoggerProvider};
use tokio::runtime::Handle;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use super::{
    otlp::{OtlpError, Settings},
    queue::Counted,
    signal::Signal,
};

/// What sends the records of this process, from the first on.
pub(super) static PROVIDER: OnceLock<SdkLoggerProvider> = OnceLock::new();

/// Who works when records are sent. At the level `debug` each request to a collector would make records for the next one.
const SENDERS: [&str; 6] = ["h2", "hyper", "hyper_util", "opentelemetry", "reqwest", "rustls"];

/// What makes records of what is logged, if the environment says where they go. `lines` is the filter of the lines on stderr, and `runtime`
/// sends.
///
/// # Errors
/// See [`OtlpError`].
pub(super) fn layer<S>(runtime: Handle, lines: &Targets) -> Result<Option<impl Layer<S> + Send + Sync>, OtlpError>
where
    S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
{
    let Some(settings) = Settings::of(Signal::Logs)? else { return Ok(None) };
    let exporter = LogExporter::builder().with_http().with_http_client(settings.sender(runtime)?);
    // The endpoint and the headers are those of the environment.
    let exporter = exporter.with_protocol(Protocol::HttpBinary).build().map_err(|error| settings.refused(error))?;
    let queue = settings.queue();
    let batches = BatchLogProcessor::builder(Counted::new(exporter, &queue))
        .with_batch_config(BatchConfigBuilder::default().with_max_queue_size(queue.max()).build())
        .build();
    let provider = SdkLoggerProvider::builder()
        .with_log_processor(Counted::new(batches, &queue))
        .with_resource(settings.resource())
        .build();
    let records = OpenTelemetryTracingBridge::new(&provider);
    // It fails if logs were started before, as in tests.
    let _ = PROVIDER.set(provider);
    Ok(Some(records.with_filter(filter(lines))))
}

fn filter(lines: &Targets) -> Targets {
    lines.clone().with_targets(SENDERS.map(|sender| (sender, LevelFilter::OFF)))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn records_are_the_lines_but_for_those_that_sending_makes() {
        let lines: Targets = "debug,gnomon::guest=trace".parse().unwrap();
        let records = filter(&lines);
        for (target, level) in
            [("gnomon::server", Level::DEBUG), ("gnomon::guest", Level::TRACE), ("sqlx", Level::INFO)]
        {
            assert!(lines.would_enable(target, &level) && records.would_enable(target, &level), "{target}");
        }
        assert!(!records.would_enable("gnomon::server", &Level::TRACE));
        for target in ["hyper_util::client", "hyper::proto", "reqwest::connect", "opentelemetry_sdk"] {
            assert!(
                lines.would_enable(target, &Level::DEBUG) && !records.would_enable(target, &Level::ERROR),
                "{target}"
            );
        }
    }
}
