//! The memory that all instances of a host share.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

/// How long an instance waits for memory that others have. Instances that are idle give theirs up at once, and the others at the end of
/// their batch, which lasts about as long at most.
const WAIT: Duration = Duration::from_secs(10);

/// Counts the bytes of the linear memories of all instances of a host. Clones are handles on one count.
#[derive(Clone, Debug)]
pub struct HostMemory {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    max: usize,
    wait: Duration,
    state: Mutex<State>,
    /// Notified when memory is given back.
    freed: Condvar,
    /// Whether somebody waits for memory.
    short: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    used: usize,
    waiting: usize,
}

/// What a host says that has no memory left.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::runtime) struct NoMemory(pub(in crate::runtime) String);

impl HostMemory {
    /// So many bytes, of which none is used.
    pub(in crate::runtime) fn new(max: usize) -> Self {
        Self::with_wait(max, WAIT)
    }

    fn with_wait(max: usize, wait: Duration) -> Self {
        let (state, freed, short) = (Mutex::default(), Condvar::new(), watch::Sender::new(false));
        Self { shared: Arc::new(Shared { max, wait, state, freed, short }) }
    }

    /// The bytes that there are.
    #[must_use]
    pub fn max(&self) -> usize {
        self.shared.max
    }

    /// The bytes that are used.
    #[must_use]
    pub fn used(&self) -> usize {
        self.lock().used
    }

    /// How many instances wait for memory.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// Takes bytes. Waits for others to give some back if there are not enough.
    ///
    /// # Errors
    /// There are still not enough after ten seconds.
    pub(in crate::runtime) fn take(&self, bytes: usize) -> Result<(), NoMemory> {
        let Shared { max, wait, freed, short, .. } = &*self.shared;
        let fits = |state: &State| state.used.checked_add(bytes).is_some_and(|wanted| wanted <= *max);
        let mut state = self.lock();
        if !fits(&state) {
            state.waiting += 1;
            short.send_replace(true);
            let waited = freed.wait_timeout_while(state, *wait, |state| !fits(state));
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
            short.send_replace(state.waiting > 0);
        }
        if !fits(&state) {
            let used = state.used;
            return Err(NoMemory(format!(
                "it needs {bytes} bytes more, and the modules of the host use {used} of the {max} that they may have together, the \
                 limit max_total_memory_bytes"
            )));
        }
        state.used += bytes;
        Ok(())
    }

    /// Gives bytes back that were taken.
    pub(in crate::runtime) fn give_back(&self, bytes: usize) {
        let mut state = self.lock();
        state.used = state.used.saturating_sub(bytes);
        drop(state);
        self.shared.freed.notify_all();
    }

    /// Whether a module waits for memory. Then nobody should keep memory that is only to make the next batch faster.
    #[must_use]
    pub fn is_short(&self) -> bool {
        *self.shared.short.borrow()
    }

    /// Waits until a module waits for memory.
    pub async fn until_short(&self) {
        // The sender lives as long as this handle.
        let _ = self.shared.short.subscribe().wait_for(|short| *short).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_refused_with_what_is_used() {
        let memory = HostMemory::with_wait(100, Duration::ZERO);
        memory.take(60).unwrap();
        let NoMemory(message) = memory.take(41).unwrap_err();
        assert_eq!(
            message,
            "it needs 41 bytes more, and the modules of the host use 60 of the 100 that they may have together, the limit \
             max_total_memory_bytes"
        );
        assert!(!memory.is_short(), "nobody waits any more");
        memory.take(40).unwrap();
        memory.give_back(60);
        memory.take(60).unwrap();
        assert!(memory.take(usize::MAX).is_err());
    }

    #[tokio::test]
    async fn who_waits_gets_what_others_give_back_when_they_hear_of_it() {
        let memory = HostMemory::with_wait(100, Duration::from_secs(600));
        memory.take(100).unwrap();
        let waiting = memory.clone();
        let waiting = std::thread::spawn(move || waiting.take(100));
        memory.until_short().await;
        assert!(memory.is_short());
        memory.give_back(100);
        assert_eq!(waiting.join().unwrap(), Ok(()));
        assert!(!memory.is_short());
    }
}
