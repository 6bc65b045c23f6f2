//! What the host says of itself.

use clap::{Args, ValueEnum};

/// What the host says of itself, on stderr.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// What to log: a level, or levels by target such as `info,gnomon::guest=debug`
    #[arg(
        long,
        env = "GNOMON_LOG",
        value_name = "FILTER",
        global = true,
        default_value = "info",
        hide_short_help = true
    )]
    pub log: String,

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
