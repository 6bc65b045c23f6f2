//! The tables of past builds that this host remembers.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;
use uuid::Uuid;

use crate::builds::{ActiveBuild, BuildId};

/// Past builds whose tables are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// A past build, and its contents: after a restore another build may have the same key, and has other contents.
type Key = (BuildId, Uuid);

/// The tables of past builds, as their versions describe them.
#[derive(Debug)]
pub(super) struct PastTables(Mutex<LruCache<Key, Arc<ActiveBuild>>>);

impl Default for PastTables {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl PastTables {
    pub(super) fn get(&self, key: Key) -> Option<Arc<ActiveBuild>> {
        self.remembered().get(&key).cloned()
    }

    pub(super) fn put(&self, key: Key, build: Arc<ActiveBuild>) {
        self.remembered().put(key, build);
    }

    fn remembered(&self) -> MutexGuard<'_, LruCache<Key, Arc<ActiveBuild>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
