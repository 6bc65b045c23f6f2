//! How much a rehearsal of a reactor may take.

use std::time::Duration;

/// How much a rehearsal may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RehearsalLimits {
    /// Positions whose effects are shown, from the first to the last.
    pub positions: u64,
    /// Bytes of the rows and of the effects of a version that are kept in memory.
    pub bytes: usize,
    /// How long it may take.
    pub timeout: Duration,
}

impl RehearsalLimits {
    /// Those of every host.
    pub const DEFAULT: Self = Self { positions: 10_000, bytes: 256 << 20, timeout: Duration::from_secs(60) };
}

impl Default for RehearsalLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
