//! The turns of explanations, each of which computes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Explanations that a host makes at once.
const AT_ONCE: usize = 2;

/// A turn, which is over when nobody holds it any more.
pub(super) type Turn = Arc<OwnedSemaphorePermit>;

/// The turns of a host.
pub(in crate::operations) fn turns() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(AT_ONCE))
}
