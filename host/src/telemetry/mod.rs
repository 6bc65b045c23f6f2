//! The host's log.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, filter::ParseError, fmt};

use crate::config::{LogFormat, LogOptions};

/// Starts to write log lines to stderr, filtered by `default_filter` unless the options name a filter. Later calls in one process
/// change nothing.
///
/// # Errors
/// The filter cannot be read.
pub fn start(options: &LogOptions, default_filter: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(options.log.as_deref().unwrap_or(default_filter))?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let started = match options.log_format {
        LogFormat::Text => builder.compact().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // It fails if it was started before, as in tests.
    drop(started);
    Ok(())
}
