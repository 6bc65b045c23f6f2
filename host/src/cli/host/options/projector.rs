//! Working on builds.

use clap::Args;

use super::seconds::Seconds;
use crate::{projector::ProjectorSettings, subscriptions::BatchSize};

/// Working on builds.
#[derive(Args, Clone, Debug)]
pub(super) struct ProjectorOptions {
    /// Events that a module gets at once, at most
    #[arg(long, env = "GNOMON_BATCH_EVENTS", value_name = "NUMBER", default_value_t = BatchSize::default().max_events,
        value_parser = positive)]
    batch_events: usize,

    /// Bytes of events that a module gets at once, about
    #[arg(long, env = "GNOMON_BATCH_BYTES", value_name = "BYTES", default_value_t = BatchSize::default().max_bytes)]
    batch_bytes: usize,

    /// Seconds after which another host takes over the builds of one that hangs
    #[arg(long, env = "GNOMON_LEASE", value_name = "SECONDS", default_value_t = Seconds(ProjectorSettings::default().lease))]
    lease: Seconds,

    /// Seconds that a build is kept, and kept up to date, after another one took its place
    #[arg(long, env = "GNOMON_KEEP_REPLACED", value_name = "SECONDS",
        default_value_t = Seconds(ProjectorSettings::default().keep_replaced))]
    keep_replaced: Seconds,

    /// Events that a build may set aside before it is halted
    #[arg(long, env = "GNOMON_MAX_DEAD_LETTERS", value_name = "NUMBER",
        default_value_t = ProjectorSettings::default().max_dead_letters)]
    max_dead_letters: u64,
}

impl ProjectorOptions {
    pub(super) fn settings(&self) -> ProjectorSettings {
        ProjectorSettings {
            batch: BatchSize { max_events: self.batch_events, max_bytes: self.batch_bytes },
            lease: self.lease.0,
            keep_replaced: self.keep_replaced.0,
            max_dead_letters: self.max_dead_letters,
        }
    }
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "a number above 0 is needed".to_owned())
}
