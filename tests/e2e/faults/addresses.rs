//! The addresses of the hosts, which hosts may fail now, and the step that the run has come to.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// The address of a host, across its restarts.
struct Address {
    url: Mutex<String>,
    /// Counts the begin and the end of each fault: odd while the host may fail.
    faults: AtomicU64,
}

/// The addresses of the hosts.
pub(super) struct Addresses {
    all: Vec<Address>,
    step: AtomicUsize,
}

/// The address of a host and its faults, as they are before a request.
pub(super) struct Target {
    index: usize,
    faults: u64,
    pub(super) url: String,
}

impl Addresses {
    pub(super) fn new(urls: impl IntoIterator<Item = String>) -> Self {
        let addresses = urls.into_iter().map(|url| Address { url: Mutex::new(url), faults: AtomicU64::new(0) });
        Self { all: addresses.collect(), step: AtomicUsize::new(0) }
    }

    /// From now on a host may fail.
    pub(super) fn begin_fault(&self, index: usize) {
        self.all[index].faults.fetch_add(1, Ordering::SeqCst);
    }

    /// From now on it may not fail any more.
    pub(super) fn end_fault(&self, index: usize) {
        self.all[index].faults.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn move_to(&self, index: usize, url: &str) {
        url.clone_into(&mut self.all[index].url.lock().unwrap());
    }

    /// The host for a request; any number will do.
    pub(super) fn target(&self, number: usize) -> Target {
        let index = number % self.all.len();
        let faults = self.all[index].faults.load(Ordering::SeqCst);
        Target { index, faults, url: self.all[index].url.lock().unwrap().clone() }
    }

    /// Whether no fault has kept the host from answering since then.
    pub(super) fn had_no_fault(&self, target: &Target) -> bool {
        target.faults.is_multiple_of(2) && self.all[target.index].faults.load(Ordering::SeqCst) == target.faults
    }

    pub(super) fn begin_step(&self, step: usize) {
        self.step.store(step, Ordering::SeqCst);
    }

    pub(super) fn step(&self) -> usize {
        self.step.load(Ordering::SeqCst)
    }
}
