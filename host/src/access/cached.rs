//! The callers that this host has looked up, for some seconds.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lru::LruCache;
use tokio::time::Instant;

use super::{caller::Caller, refusal::Refusal, secret::Hash};

/// How long a token is known without another look: at most so long after it was revoked, a host still takes it.
pub const CACHE_TTL: Duration = Duration::from_secs(5);
/// Tokens that are known at the same time.
pub const MAX_CACHED_TOKENS: usize = 4096;
/// Texts that are known to be no token of this host. They are apart, so that they push no token out.
pub const MAX_CACHED_UNKNOWN: usize = 1024;

/// What was looked up.
#[derive(Debug)]
pub(super) struct Cached {
    callers: Mutex<LruCache<Hash, (Caller, Instant)>>,
    /// With what is said of each.
    unknown: Mutex<LruCache<Hash, (Refusal, Instant)>>,
}

/// What is known of a hash.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// It is a token.
    Caller(Caller),
    /// It is not a token that this host takes.
    NotOne(Refusal),
    /// It was a token a while ago, and has to be looked up again.
    Old,
    /// Nothing.
    Nothing,
}

impl Default for Cached {
    fn default() -> Self {
        let size = |entries| NonZeroUsize::new(entries).unwrap_or(NonZeroUsize::MIN);
        Self {
            callers: Mutex::new(LruCache::new(size(MAX_CACHED_TOKENS))),
            unknown: Mutex::new(LruCache::new(size(MAX_CACHED_UNKNOWN))),
        }
    }
}

impl Cached {
    pub(super) fn get(&self, hash: &Hash, now: Instant) -> Known {
        if let Some((caller, found)) = lock(&self.callers).get(hash) {
            let is_valid = caller.expires().is_none_or(|expires| now < expires);
            return if is_valid && now < *found + CACHE_TTL { Known::Caller(caller.clone()) } else { Known::Old };
        }
        match lock(&self.unknown).get(hash) {
            Some((refusal, found)) if now < *found + CACHE_TTL => Known::NotOne(*refusal),
            _ => Known::Nothing,
        }
    }

    pub(super) fn keep(&self, hash: Hash, found: Result<&Caller, Refusal>, now: Instant) {
        match found {
            Ok(caller) => {
                lock(&self.unknown).pop(&hash);
                lock(&self.callers).put(hash, (caller.clone(), now));
            }
            Err(refusal) => {
                lock(&self.callers).pop(&hash);
                lock(&self.unknown).put(hash, (refusal, now));
            }
        }
    }
}

/// What is kept is replaced as a whole, so a panic leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grants, Who};

    fn hash(of: usize) -> Hash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&of.to_be_bytes());
        hash
    }

    #[tokio::test]
    async fn a_token_is_known_for_a_while_and_not_beyond_its_end() {
        let (cached, now) = (Cached::default(), Instant::now());
        assert!(matches!(cached.get(&hash(1), now), Known::Nothing));
        cached.keep(hash(1), Ok(&Caller::nobody()), now);
        assert!(matches!(cached.get(&hash(1), now), Known::Caller(_)));
        assert!(matches!(cached.get(&hash(1), now + CACHE_TTL), Known::Old));
        let ends = now + Duration::from_secs(1);
        cached.keep(hash(2), Ok(&Caller::new(Who::Nobody, Grants::default(), None, Some(ends))), now);
        assert!(matches!(cached.get(&hash(2), now), Known::Caller(_)));
        assert!(matches!(cached.get(&hash(2), ends), Known::Old));
        cached.keep(hash(1), Err(Refusal::Expired), now);
        assert!(matches!(cached.get(&hash(1), now), Known::NotOne(Refusal::Expired)));
        assert!(matches!(cached.get(&hash(1), now + CACHE_TTL), Known::Nothing));
    }

    #[tokio::test]
    async fn what_is_not_a_token_pushes_none_out() {
        let (cached, now) = (Cached::default(), Instant::now());
        cached.keep(hash(0), Ok(&Caller::nobody()), now);
        for of in 1..=2 * MAX_CACHED_TOKENS {
            cached.keep(hash(of), Err(Refusal::Unknown), now);
        }
        assert!(matches!(cached.get(&hash(0), now), Known::Caller(_)));
        assert_eq!(lock(&cached.unknown).len(), MAX_CACHED_UNKNOWN);
    }
}
