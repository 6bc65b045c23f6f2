//! How a host works on builds and reactors.

use clap::Args;

use super::{range::between, seconds::Seconds};
use crate::{
    operations::PastLimits, projector::ProjectorSettings, reactor_engine::ReactorSettings, subscriptions::BatchSize,
};

/// How a host works on builds and reactors.
#[derive(Args, Clone, Debug)]
pub(super) struct ProjectorOptions {
    /// Maximum events of one batch; a reactor gets 4,096 at most
    #[arg(long, env = "GNOMON_BATCH_EVENTS", value_name = "NUMBER", default_value_t = BatchSize::default().max_events,
        value_parser = between::<usize>(1, 1_000_000))]
    batch_events: usize,

    /// Maximum bytes of events of one batch, approximately
    #[arg(long, env = "GNOMON_BATCH_BYTES", value_name = "BYTES", default_value_t = BatchSize::default().max_bytes,
        value_parser = between::<usize>(1, 1 << 30))]
    batch_bytes: usize,

    /// Maximum threads that fold a build while it replays, if its projection is partitioned by stream; all builds together have as many,
    /// beside one each [default: the cores of the machine]
    #[arg(long, env = "GNOMON_REPLAY_THREADS", value_name = "NUMBER", value_parser = between::<usize>(1, 1024))]
    replay_threads: Option<usize>,

    /// Seconds after which the builds and reactors of a host that does not renew its leases go to another host
    #[arg(long, env = "GNOMON_LEASE", value_name = "SECONDS", default_value_t = Seconds(ProjectorSettings::default().lease),
        value_parser = Seconds::between(0.5, 3600.0))]
    lease: Seconds,

    /// Seconds that a replaced build is kept, and kept up to date, for a rollback
    #[arg(long, env = "GNOMON_KEEP_REPLACED", value_name = "SECONDS",
        default_value_t = Seconds(ProjectorSettings::default().keep_replaced),
        value_parser = Seconds::between(0.0, 315_360_000.0))]
    keep_replaced: Seconds,

    /// Maximum events that a build or a reactor may set aside; with more, it halts
    #[arg(long, env = "GNOMON_MAX_DEAD_LETTERS", value_name = "NUMBER",
        default_value_t = ProjectorSettings::default().max_dead_letters,
        value_parser = between::<u64>(0, 1_000_000_000))]
    max_dead_letters: u64,

    /// Maximum bytes of rows that builds keep in memory so as not to read again what they have written, for all together
    #[arg(long, env = "GNOMON_MAX_KEPT_ROWS_BYTES", value_name = "BYTES",
        default_value_t = ProjectorSettings::default().max_kept_rows_bytes,
        value_parser = between::<usize>(0, 1 << 40))]
    max_kept_rows_bytes: usize,
}

impl ProjectorOptions {
    pub(super) fn settings(&self, past: PastLimits) -> ProjectorSettings {
        let default = ProjectorSettings::default();
        ProjectorSettings {
            replay_threads: self.replay_threads.unwrap_or(default.replay_threads),
            folding_threads: default.folding_threads,
            batch: BatchSize { max_events: self.batch_events, max_bytes: self.batch_bytes },
            lease: self.lease.0,
            keep_replaced: self.keep_replaced.0,
            max_dead_letters: self.max_dead_letters,
            max_kept_rows_bytes: self.max_kept_rows_bytes,
            past,
        }
    }
    pub(super) fn reactors(&self) -> ReactorSettings {
        let default = ReactorSettings::default();
        ReactorSettings {
            batch: BatchSize {
                max_events: self.batch_events.min(default.batch.max_events),
                max_bytes: self.batch_bytes.min(default.batch.max_bytes),
            },
            lease: self.lease.0,
            max_dead_letters: self.max_dead_letters,
            max_kept_rows_bytes: default.max_kept_rows_bytes,
            folding_threads: default.folding_threads,
        }
    }
}
