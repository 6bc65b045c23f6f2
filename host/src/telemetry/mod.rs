//! The host's log, and its traces.

mod logs;
mod module_lines;
mod of_events;
mod otlp;
mod queue;
mod sender;
mod signal;
mod span;
mod stop;
mod trace_context;
mod traces;

use std::io::IsTerminal;

use tokio::runtime::Handle;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, ParseError, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

pub use self::{
    otlp::OtlpError,
    span::{Entered, Recorded, Span},
    stop::stop_sending,
    trace_context::{TRACEPARENT, TraceContext},
};
use crate::config::{LogFormat, LogOptions};

/// Why nothing is logged or traced.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The filter of the log cannot be read.
    #[error(transparent)]
    Filter(#[from] ParseError),
    /// Traces or logs cannot be sent as the environment says.
    #[error(transparent)]
    Otlp(#[from] OtlpError),
}

/// Starts to write log lines to stderr, filtered by `default_filter` unless the options name a filter; and to send traces and log records
/// from `sent_from`, if one is given and the environment says where they go. Later calls in one process change nothing.
///
/// # Errors
/// See [`StartError`].
pub fn start(options: &LogOptions, default_filter: &str, sent_from: Option<Handle>) -> Result<(), StartError> {
    let filter = filter(options.log.as_deref().unwrap_or(default_filter))?;
    let colours = std::io::stderr().is_terminal() && !is_set(std::env::var_os("NO_COLOR").as_deref());
    let traces = sent_from.clone().map(traces::layer).transpose()?.flatten();
    let records = sent_from.map(|runtime| logs::layer(runtime, &filter)).transpose()?.flatten();
    let sent = tracing_subscriber::registry().with(traces).with(records);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    let started = match options.log_format {
        LogFormat::Text => sent.with(lines.compact().with_filter(filter)).try_init(),
        LogFormat::Json => sent.with(lines.json().flatten_event(true).with_filter(filter)).try_init(),
    };
    // It fails if it was started before, as in tests.
    drop(started);
    Ok(())
}

/// Checks certificates for clients. What it finds wrong it logs as an error, and returns as well, to who says what it means.
const VERIFIER: &str = "rustls_platform_verifier";

/// The filter that a text describes: levels and targets, with commas between them. `EnvFilter` reads values of spans' fields as well, for
/// which it brings an engine of regular expressions.
fn filter(text: &str) -> Result<Targets, ParseError> {
    let directives: Vec<&str> = text.split(',').map(str::trim).filter(|directive| !directive.is_empty()).collect();
    let asks_for_verifier = directives.iter().any(|directive| directive.starts_with(VERIFIER));
    let targets: Targets = directives.join(",").parse()?;
    Ok(if asks_for_verifier { targets } else { targets.with_target(VERIFIER, LevelFilter::OFF) })
}

/// Whether `NO_COLOR` asks for none: it is set, and not empty (<https://no-color.org>).
fn is_set(no_color: Option<&std::ffi::OsStr>) -> bool {
    no_color.is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_filter_is_a_level_or_levels_by_target() {
        let logs = |text: &str, target: &str, level: Level| filter(text).unwrap().would_enable(target, &level);
        assert!(logs("info", "gnomon::server", Level::INFO) && !logs("info", "gnomon::server", Level::DEBUG));
        let text = "info, gnomon::guest=debug,,sqlx=off,";
        assert!(logs(text, "gnomon::guest", Level::DEBUG) && !logs(text, "gnomon::guest", Level::TRACE));
        assert!(logs(text, "gnomon::server", Level::INFO) && !logs(text, "gnomon::server", Level::DEBUG));
        assert!(!logs(text, "sqlx::query", Level::ERROR));
        // A target by itself is logged with all levels.
        assert!(logs("gnomon::guest", "gnomon::guest", Level::TRACE) && !logs("gnomon::guest", "sqlx", Level::ERROR));
        assert!(filter("gnomon::guest=loud").is_err() && filter("a=b=c").is_err());
    }

    #[test]
    fn no_color_counts_when_it_is_not_empty() {
        assert!(is_set(Some("1".as_ref())) && is_set(Some("0".as_ref())));
        assert!(!is_set(Some("".as_ref())) && !is_set(None));
    }
}
