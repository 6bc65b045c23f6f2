//! The levels of log lines.

/// The level of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}
