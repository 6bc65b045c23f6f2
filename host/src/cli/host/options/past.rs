//! What the past of streams may cost.

use clap::Args;

use super::{range::between, seconds::Seconds};
use crate::past::PastSettings;

/// What the past of streams may cost.
#[derive(Args, Clone, Debug)]
pub(super) struct PastOptions {
    /// Events of a stream from one snapshot to the next, at least. They are further apart where the rows take more bytes than the events
    #[arg(long, env = "GNOMON_SNAPSHOT_EVERY", value_name = "NUMBER",
        default_value_t = PastSettings::default().snapshot_every, value_parser = between::<usize>(1, 1_000_000_000))]
    snapshot_every: usize,

    /// Maximum bytes of all snapshots in the database; those not used for longest are removed
    #[arg(long, env = "GNOMON_MAX_SNAPSHOTS_BYTES", value_name = "BYTES",
        default_value_t = PastSettings::default().max_snapshots_bytes, value_parser = between::<u64>(0, 1 << 50))]
    max_snapshots_bytes: u64,

    /// Maximum bytes of memory that the rows of one stream take while its past is asked for
    #[arg(long, env = "GNOMON_MAX_FOLD_BYTES", value_name = "BYTES",
        default_value_t = PastSettings::default().max_fold_bytes, value_parser = between::<usize>(1000, 1 << 40))]
    max_fold_bytes: usize,

    /// Seconds for which the events of a stream may be folded for one answer about its past
    #[arg(long, env = "GNOMON_PAST_TIMEOUT", value_name = "SECONDS",
        default_value_t = Seconds(PastSettings::default().past_timeout), value_parser = Seconds::between(0.1, 3600.0))]
    past_timeout: Seconds,

    /// Maximum answers about the past of streams that are folded at once; others wait
    #[arg(long, env = "GNOMON_MAX_FOLDS", value_name = "NUMBER",
        default_value_t = PastSettings::default().max_folds, value_parser = between::<usize>(1, 10_000))]
    max_folds: usize,
}

impl PastOptions {
    pub(super) fn settings(&self) -> PastSettings {
        let Self { snapshot_every, max_snapshots_bytes, max_fold_bytes, past_timeout, max_folds } = *self;
        PastSettings { snapshot_every, max_snapshots_bytes, max_fold_bytes, past_timeout: past_timeout.0, max_folds }
    }
}
