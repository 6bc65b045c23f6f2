//! What operators may do.

use clap::Args;

use super::{range::between, seconds::Seconds};
use crate::operations::{BuildLimits, OperationsSettings, PastLimits, RehearsalLimits};

/// What operators may do.
#[derive(Args, Clone, Debug)]
pub(super) struct OperationsOptions {
    /// Seconds that an operation waits for a lock that another session of Postgres holds; then it is refused, and names the session
    #[arg(long, env = "GNOMON_LOCK_TIMEOUT", value_name = "SECONDS",
        default_value_t = Seconds(OperationsSettings::default().lock_timeout),
        value_parser = Seconds::between(0.1, 60.0))]
    lock_timeout: Seconds,

    /// Maximum builds of one projection that are not retired, verifications aside
    #[arg(long, env = "GNOMON_MAX_BUILDS", value_name = "NUMBER", default_value_t = BuildLimits::default().max_builds,
        value_parser = between::<usize>(2, 10_000))]
    max_builds: usize,

    /// Maximum verifications of one projection that have not ended
    #[arg(long, env = "GNOMON_MAX_VERIFICATIONS", value_name = "NUMBER",
        default_value_t = BuildLimits::default().max_verifications,
        value_parser = between::<usize>(1, 10_000))]
    max_verifications: usize,
}

impl OperationsOptions {
    pub(super) fn settings(&self, past: PastLimits) -> OperationsSettings {
        OperationsSettings {
            lock_timeout: self.lock_timeout.0,
            limits: BuildLimits { max_builds: self.max_builds, max_verifications: self.max_verifications },
            past,
            rehearsal: RehearsalLimits::default(),
        }
    }
}
