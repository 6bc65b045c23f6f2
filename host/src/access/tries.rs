//! How often clients may be wrong.
//!
//! No token is found by trying: they have 256 random bits. Each try that this host does not know costs a question to Postgres, though, and those
//! are what is bounded, for each address: who tries many from one keeps nobody else out. A token that this host has seen in a while is looked up
//! whatever others try.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use lru::LruCache;
use tokio::time::Instant;

/// Tokens from one address that are looked up in a second and are not there, at most. Of IPv6, a network of 64 bits counts as one: a single client
/// has as many.
pub const MAX_FAILED_PER_SECOND: u32 = 100;
/// Addresses whose tries are remembered.
pub const MAX_ADDRESSES: usize = 4096;

/// The tries that have failed, by address; each with the second that they are of.
#[derive(Debug)]
pub(super) struct Tries(Mutex<LruCache<Option<IpAddr>, (Instant, u32)>>);

impl Default for Tries {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(NonZeroUsize::new(MAX_ADDRESSES).unwrap_or(NonZeroUsize::MIN))))
    }
}

impl Tries {
    /// Whether one more may be looked up.
    pub(super) fn allow(&self, from: Option<IpAddr>, now: Instant) -> bool {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries
            .get(&from.map(counted_as))
            .is_none_or(|(began, failed)| *failed < MAX_FAILED_PER_SECOND || is_over(*began, now))
    }

    /// One has failed.
    pub(super) fn failed(&self, from: Option<IpAddr>, now: Instant) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, failed) = tries.get_or_insert_mut(from.map(counted_as), || (now, 0));
        if is_over(*began, now) {
            (*began, *failed) = (now, 0);
        }
        *failed = failed.saturating_add(1);
    }
}

fn counted_as(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

fn is_over(began: Instant, now: Instant) -> bool {
    now.saturating_duration_since(began) >= Duration::from_secs(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[tokio::test]
    async fn after_a_second_of_many_others_are_looked_up_again() {
        let (tries, now) = (Tries::default(), Instant::now());
        for _ in 0..MAX_FAILED_PER_SECOND {
            assert!(tries.allow(None, now));
            tries.failed(None, now);
        }
        assert!(!tries.allow(None, now) && !tries.allow(None, now + Duration::from_millis(999)));
        let next = now + Duration::from_secs(1);
        assert!(tries.allow(None, next));
        tries.failed(None, next);
        assert!(tries.allow(None, next));
    }

    #[tokio::test]
    async fn who_tries_many_keeps_nobody_else_out() {
        let (tries, now) = (Tries::default(), Instant::now());
        for number in 0..MAX_FAILED_PER_SECOND {
            tries.failed(from("192.0.2.1"), now);
            tries.failed(from(&format!("2001:db8::{number:x}")), now);
        }
        assert!(!tries.allow(from("192.0.2.1"), now) && tries.allow(from("192.0.2.2"), now) && tries.allow(None, now));
        assert!(!tries.allow(from("2001:db8::ffff:1"), now) && tries.allow(from("2001:db8:0:1::"), now));
    }
}
