//! Keeps what was loaded for the next caller: each key is loaded once, and a bounded number is kept.

use std::{
    hash::Hash,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;
use tokio::sync::OnceCell;

use crate::metrics;

/// Values by key, each loaded when it is asked for first. At most `capacity` are kept; the least recently used one is dropped
/// first, and lives on with the clones that callers hold.
///
/// Clones are handles on the same values.
pub(super) struct Loaded<K, V> {
    values: Arc<Mutex<LruCache<K, Arc<OnceCell<V>>>>>,
}

/// The task that loaded a value ended without a result.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LoadInterrupted;

impl<K: Hash + Eq + Clone + Send + 'static, V: Clone + Send + Sync + 'static> Loaded<K, V> {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self { values: Arc::new(Mutex::new(LruCache::new(capacity))) }
    }

    /// The value of a key, by `load` if it is not kept. Callers that ask for the same key meanwhile wait for that one load; if
    /// it fails, its caller gets the error and the next caller loads again. A load goes on when its caller no longer waits.
    ///
    /// # Errors
    /// The error of `load`, or [`LoadInterrupted`] if its task panicked or the runtime shuts down.
    pub(super) async fn get_or_load<E>(
        &self,
        key: K,
        load: impl Future<Output = Result<V, E>> + Send + 'static,
    ) -> Result<Result<V, E>, LoadInterrupted>
    where
        E: Send + 'static,
    {
        let cell = Arc::clone(self.lock().get_or_insert(key.clone(), Arc::default));
        if let Some(value) = cell.get() {
            metrics::of_host().modules.in_memory();
            return Ok(Ok(value.clone()));
        }
        let this = self.clone();
        // In a task of its own, so that a caller that is dropped does not make those who wait start again.
        let loaded = tokio::spawn(async move {
            let loaded = cell.get_or_try_init(|| load).await.cloned();
            if loaded.is_err() {
                this.forget(&key, &cell);
            }
            loaded
        });
        loaded.await.map_err(|_| LoadInterrupted)
    }

    /// Drops the entry of a failed load, so that failures do not displace values, unless a later load has filled it.
    fn forget(&self, key: &K, cell: &Arc<OnceCell<V>>) {
        let mut values = self.lock();
        if values.peek(key).is_some_and(|kept| Arc::ptr_eq(kept, cell) && !kept.initialized()) {
            values.pop(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<K, Arc<OnceCell<V>>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Clone for Loaded<K, V> {
    fn clone(&self) -> Self {
        Self { values: Arc::clone(&self.values) }
    }
}

impl<K, V> std::fmt::Debug for Loaded<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    /// Counts loads, which wait until they are let through.
    #[derive(Clone)]
    struct Loader {
        loaded: Loaded<u32, Arc<String>>,
        loads: Arc<AtomicUsize>,
        gate: Arc<Semaphore>,
    }

    impl Loader {
        fn with_capacity(capacity: usize) -> Self {
            let loaded = Loaded::new(NonZeroUsize::new(capacity).unwrap());
            Self { loaded, loads: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
        }

        async fn get(&self, key: u32, fail: bool) -> Result<Arc<String>, String> {
            let (loads, gate) = (Arc::clone(&self.loads), Arc::clone(&self.gate));
            let load = async move {
                loads.fetch_add(1, Ordering::SeqCst);
                drop(gate.acquire().await.unwrap());
                if fail { Err(format!("{key} failed")) } else { Ok(Arc::new(key.to_string())) }
            };
            self.loaded.get_or_load(key, load).await.unwrap()
        }

        fn open(&self) {
            self.gate.add_permits(1);
        }

        fn loads(&self) -> usize {
            self.loads.load(Ordering::SeqCst)
        }

        /// Waits until so many loads have begun.
        async fn begun(&self, loads: usize) {
            while self.loads() < loads {
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn a_race_for_one_key_loads_it_once() {
        let loader = Loader::with_capacity(2);
        let calls: Vec<_> = (0..10)
            .map(|_| {
                let loader = loader.clone();
                tokio::spawn(async move { loader.get(7, false).await.unwrap() })
            })
            .collect();
        loader.begun(1).await;
        loader.open();
        let mut values = Vec::new();
        for call in calls {
            values.push(call.await.unwrap());
        }
        assert_eq!(loader.loads(), 1);
        assert!(values.iter().all(|value| Arc::ptr_eq(value, &values[0])));
    }

    #[tokio::test]
    async fn the_least_recently_used_value_is_dropped_and_lives_on_with_its_holder() {
        let loader = Loader::with_capacity(2);
        loader.open();
        let held = loader.get(1, false).await.unwrap();
        let _ = loader.get(2, false).await.unwrap();
        assert!(Arc::ptr_eq(&loader.get(1, false).await.unwrap(), &held));
        let dropped = Arc::downgrade(&loader.get(2, false).await.unwrap());
        let _ = loader.get(1, false).await.unwrap();
        for key in 3..100 {
            let _ = loader.get(key, false).await.unwrap();
        }
        assert_eq!(loader.loaded.lock().len(), 2);
        assert!(dropped.upgrade().is_none(), "nobody holds it");
        assert_eq!(held.as_str(), "1");
        assert_eq!(loader.loads(), 99);
        let again = loader.get(1, false).await.unwrap();
        assert!(!Arc::ptr_eq(&again, &held));
        assert_eq!(loader.loads(), 100);
    }

    #[tokio::test]
    async fn a_failed_load_is_not_kept() {
        let loader = Loader::with_capacity(1);
        loader.open();
        let kept = loader.get(1, false).await.unwrap();
        drop(kept);
        assert_eq!(loader.get(2, true).await, Err("2 failed".to_owned()));
        assert_eq!(loader.loaded.lock().len(), 0);
        assert_eq!(loader.get(2, false).await.unwrap().as_str(), "2");
    }

    #[tokio::test]
    async fn a_load_goes_on_when_its_caller_is_dropped() {
        let loader = Loader::with_capacity(1);
        let caller = loader.clone();
        let caller = tokio::spawn(async move { caller.get(1, false).await });
        loader.begun(1).await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        loader.open();
        assert_eq!(loader.get(1, false).await.unwrap().as_str(), "1");
        assert_eq!(loader.loads(), 1);
    }
}
