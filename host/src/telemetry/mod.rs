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
    let colours = std::io::stderr().is_terminal() && !is_set(std::env::var_os("NO_COLOR").as_deref());
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    let started = match options.log_format {
        LogFormat::Text => builder.compact().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // It fails if it was started before, as in tests.
    drop(started);
    Ok(())
}

/// Whether `NO_COLOR` asks for none: it is set, and not empty (<https://no-color.org>).
fn is_set(no_color: Option<&std::ffi::OsStr>) -> bool {
    no_color.is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_counts_when_it_is_not_empty() {
        assert!(is_set(Some("1".as_ref())) && is_set(Some("0".as_ref())));
        assert!(!is_set(Some("".as_ref())) && !is_set(None));
    }
}
