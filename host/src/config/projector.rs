//! Working on builds.

use std::time::Duration;

use clap::Args;

/// Working on builds.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ProjectorOptions {
    /// Events that a module gets at once, at most
    #[arg(long, env = "GNOMON_BATCH_EVENTS", value_name = "NUMBER", default_value = "8192", value_parser = positive)]
    pub batch_events: usize,

    /// Bytes of events that a module gets at once, about
    #[arg(long, env = "GNOMON_BATCH_BYTES", value_name = "BYTES", default_value_t = 4 * 1024 * 1024)]
    pub batch_bytes: usize,

    /// Seconds after which another host takes over the builds of one that hangs
    #[arg(long, env = "GNOMON_LEASE", value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub lease: Duration,

    /// Seconds that a build is kept, and kept up to date, after another one took its place
    #[arg(long, env = "GNOMON_KEEP_REPLACED", value_name = "SECONDS", default_value = "86400", value_parser = seconds)]
    pub keep_replaced: Duration,

    /// Events that a build may set aside before it is halted
    #[arg(long, env = "GNOMON_MAX_DEAD_LETTERS", value_name = "NUMBER", default_value_t = 100_000)]
    pub max_dead_letters: u64,
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "a number above 0 is needed".to_owned())
}

/// A time in seconds, such as `10` or `0.5`.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds is needed".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
