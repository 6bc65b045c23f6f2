//! How many bytes of answers are in memory at once.
//!
//! An answer is in memory until its client has read it, and clients may be slow, or read nothing at all.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that are counted as one.
const UNIT: usize = 256;

/// So many bytes of answers may be in memory together. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct ByteBudget {
    all: u32,
    left: Arc<Semaphore>,
}

/// A part of a budget. It is given back with this value.
#[derive(Debug)]
pub struct Reserved(OwnedSemaphorePermit);

impl ByteBudget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let all = units(bytes).max(1);
        Self { all, left: Arc::new(Semaphore::new(all as usize)) }
    }

    /// Waits until so many bytes are left. More than there are altogether count as all of them.
    pub async fn reserve(&self, bytes: usize) -> Reserved {
        let units = units(bytes).min(self.all);
        match Arc::clone(&self.left).acquire_many_owned(units).await {
            Ok(permit) => Reserved(permit),
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// The bytes that are reserved.
    #[must_use]
    pub fn in_use(&self) -> usize {
        (self.all as usize - self.left.available_permits()) * UNIT
    }
}

impl Reserved {
    /// Gives back what is more than so many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        let more = self.0.num_permits().saturating_sub(units(bytes) as usize);
        drop(self.0.split(more));
    }

    /// Bytes that count until the last handle on them is dropped.
    #[must_use]
    pub fn hold(self, bytes: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        Bytes::from_owner(Held { bytes, _reserved: self })
    }
}

struct Held<B> {
    bytes: B,
    _reserved: Reserved,
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Held<B> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_count_until_they_are_dropped() {
        let budget = ByteBudget::new(1024);
        let mut reserved = budget.reserve(1000).await;
        assert_eq!(budget.in_use(), 1024);
        reserved.shrink(300);
        assert_eq!(budget.in_use(), 512);
        let held = reserved.hold(vec![7; 300]);
        let clone = held.clone();
        drop(held);
        assert_eq!((budget.in_use(), clone.len()), (512, 300));
        drop(clone);
        assert_eq!(budget.in_use(), 0);
        // What is larger than the budget is all of it, so that it is not waited for without end.
        assert_eq!(budget.reserve(1_000_000).await.0.num_permits(), 4);
    }
}
