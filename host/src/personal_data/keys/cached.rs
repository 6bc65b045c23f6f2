//! The keys that this host has looked up, for some seconds.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;
use tokio::time::Instant;
use uuid::Uuid;

use super::found::FoundKey;
use crate::personal_data::{cipher::SubjectKey, ttl::PERSONAL_DATA_TTL};

/// Keys that are known at the same time, by id, and again by subject.
pub const MAX_CACHED_KEYS: usize = 16_384;

/// What was looked up.
#[derive(Debug)]
pub(super) struct Cached {
    by_id: Mutex<LruCache<Uuid, (FoundKey, Instant)>>,
    by_subject: Mutex<LruCache<String, (Arc<SubjectKey>, Instant)>>,
}

impl Default for Cached {
    fn default() -> Self {
        let size = NonZeroUsize::new(MAX_CACHED_KEYS).unwrap_or(NonZeroUsize::MIN);
        Self { by_id: Mutex::new(LruCache::new(size)), by_subject: Mutex::new(LruCache::new(size)) }
    }
}

impl Cached {
    pub(super) fn of_id(&self, id: Uuid, now: Instant) -> Option<FoundKey> {
        let mut keys = lock(&self.by_id);
        keys.get(&id).filter(|(_, found)| now < *found + PERSONAL_DATA_TTL).map(|(key, _)| key.clone())
    }

    pub(super) fn of_subject(&self, subject: &str, now: Instant) -> Option<Arc<SubjectKey>> {
        let mut keys = lock(&self.by_subject);
        keys.get(subject).filter(|(_, found)| now < *found + PERSONAL_DATA_TTL).map(|(key, _)| Arc::clone(key))
    }

    pub(super) fn keep_id(&self, id: Uuid, key: FoundKey, now: Instant) {
        lock(&self.by_id).put(id, (key, now));
    }

    pub(super) fn keep_subject(&self, subject: &str, key: Arc<SubjectKey>, now: Instant) {
        lock(&self.by_subject).put(subject.to_owned(), (key, now));
    }

    /// Forgets all.
    pub(super) fn forget(&self) {
        lock(&self.by_id).clear();
        lock(&self.by_subject).clear();
    }
}

/// What is kept is replaced as a whole, so a panic leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_is_known_for_a_while_and_they_are_bounded() {
        let (cached, now) = (Cached::default(), Instant::now());
        let key = |id: u128| Arc::new(SubjectKey::new(Uuid::from_u128(id), &[7; 32]).unwrap());
        cached.keep_subject("a", key(1), now);
        cached.keep_id(Uuid::from_u128(1), FoundKey::Destroyed, now);
        let late = now + PERSONAL_DATA_TTL;
        assert!(cached.of_subject("a", now).is_some() && cached.of_subject("a", late).is_none());
        assert!(cached.of_subject("b", now).is_none());
        let id = Uuid::from_u128(1);
        assert!(matches!(cached.of_id(id, now), Some(FoundKey::Destroyed)) && cached.of_id(id, late).is_none());
        for id in 0..2 * MAX_CACHED_KEYS as u128 {
            cached.keep_id(Uuid::from_u128(id), FoundKey::Destroyed, now);
        }
        assert_eq!(lock(&cached.by_id).len(), MAX_CACHED_KEYS);
        cached.forget();
        assert!(cached.of_subject("a", now).is_none());
    }
}
