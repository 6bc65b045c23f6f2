//! What the past of read models may cost.

use clap::Args;

use super::{range::between, seconds::Seconds};
use crate::operations::PastLimits;

/// What the past of read models may cost.
#[derive(Args, Clone, Debug)]
pub(super) struct PastBuildOptions {
    /// Maximum past builds of one projection: one for each position that is asked for with `as_of`
    #[arg(long, env = "GNOMON_MAX_PAST_BUILDS", value_name = "NUMBER",
        default_value_t = PastLimits::default().max_past_builds,
        value_parser = between::<usize>(1, 10_000))]
    max_past_builds: usize,

    /// Maximum past builds of all projections together
    #[arg(long, env = "GNOMON_MAX_ALL_PAST_BUILDS", value_name = "NUMBER",
        default_value_t = PastLimits::default().max_all_past_builds,
        value_parser = between::<usize>(1, 10_000))]
    max_all_past_builds: usize,

    /// Maximum bytes that the tables of all past builds take
    #[arg(long, env = "GNOMON_MAX_PAST_BYTES", value_name = "BYTES",
        default_value_t = PastLimits::default().max_past_bytes,
        value_parser = between::<u64>(1, 1 << 50))]
    max_past_bytes: u64,

    /// Seconds that a past build is kept after somebody has asked for it
    #[arg(long, env = "GNOMON_KEEP_PAST", value_name = "SECONDS", default_value_t = Seconds(PastLimits::default().keep_past),
        value_parser = Seconds::between(20.0, 315_360_000.0))]
    keep_past: Seconds,
}

impl PastBuildOptions {
    pub(super) fn limits(&self) -> PastLimits {
        PastLimits {
            max_past_builds: self.max_past_builds,
            max_all_past_builds: self.max_all_past_builds,
            max_past_bytes: self.max_past_bytes,
            keep_past: self.keep_past.0,
        }
    }
}
