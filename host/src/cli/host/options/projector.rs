//! How a host works on builds.

use clap::Args;

use super::seconds::Seconds;
use crate::{projector::ProjectorSettings, subscriptions::BatchSize};

/// How a host works on builds.
#[derive(Args, Clone, Debug)]
pub(super) struct ProjectorOptions {
    /// Maximum events of one batch
    #[arg(long, env = "GNOMON_BATCH_EVENTS", value_name = "NUMBER", default_value_t = BatchSize::default().max_events,
        value_parser = positive)]
    batch_events: usize,

    /// Maximum bytes of events of one batch, approximately
    #[arg(long, env = "GNOMON_BATCH_BYTES", value_name = "BYTES", default_value_t = BatchSize::default().max_bytes)]
    batch_bytes: usize,

    /// Seconds after which the builds of a host that does not renew its leases go to another host
    #[arg(long, env = "GNOMON_LEASE", value_name = "SECONDS", default_value_t = Seconds(ProjectorSettings::default().lease))]
    lease: Seconds,

    /// Seconds that a replaced build is kept, and kept up to date, for a rollback
    #[arg(long, env = "GNOMON_KEEP_REPLACED", value_name = "SECONDS",
        default_value_t = Seconds(ProjectorSettings::default().keep_replaced))]
    keep_replaced: Seconds,

    /// Maximum events that a build may set aside; with more, it halts
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
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "give a number above 0".to_owned())
}
