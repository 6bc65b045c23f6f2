//! Running modules without logging what they log: they have logged it before.

use tracing::subscriber::NoSubscriber;

/// Runs work without logging what modules log in it.
pub(crate) fn silently<T>(work: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(NoSubscriber::default(), work)
}
