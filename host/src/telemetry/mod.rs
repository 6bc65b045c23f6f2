//! The host's log.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, filter::ParseError, fmt};

use crate::config::{LogFormat, LogOptions};

/// Starts to write log lines to stderr, those of `usual` if the options do not say which. Only the first call counts.
///
/// # Errors
/// The filter cannot be read.
pub fn start(options: &LogOptions, usual: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(options.log.as_deref().unwrap_or(usual))?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let started = match options.log_format {
        LogFormat::Text => builder.compact().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // A second start in one process (tests do that) keeps the first.
    drop(started);
    Ok(())
}
