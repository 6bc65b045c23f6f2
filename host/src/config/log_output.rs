//! The host's log.

use clap::{Args, ValueEnum};

/// The host's log, on stderr.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// What to log: a level, or levels by target such as `info,gnomon::guest=debug` [default: info for `serve` and
    /// `migrate`, else warn]
    #[arg(long, env = "GNOMON_LOG", value_name = "FILTER", global = true, hide_short_help = true)]
    pub log: Option<String>,

    /// How to write it
    #[arg(
        long,
        env = "GNOMON_LOG_FORMAT",
        value_name = "FORMAT",
        global = true,
        default_value = "text",
        hide_short_help = true
    )]
    pub log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line, for machines.
    Json,
}
