//! The addresses of the hosts, and which hosts may fail now.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

/// The address of a host, across its restarts.
struct Address {
    url: Mutex<String>,
    /// Counts the begin and the end of each fault: odd while the host may fail.
    faults: AtomicU64,
}

/// The addresses of the hosts.
pub(super) struct Addresses(Vec<Address>);

/// The address of a host and its faults, as they are before a request.
pub(super) struct Target {
    index: usize,
    faults: u64,
    pub(super) url: String,
}

impl Addresses {
    pub(super) fn new(urls: impl IntoIterator<Item = String>) -> Self {
        let addresses = urls.into_iter().map(|url| Address { url: Mutex::new(url), faults: AtomicU64::new(0) });
        Self(addresses.collect())
    }

    /// From now on a host may fail.
    pub(super) fn begin_fault(&self, index: usize) {
        self.0[index].faults.fetch_add(1, Ordering::SeqCst);
    }

    /// From now on it may not fail any more.
    pub(super) fn end_fault(&self, index: usize) {
        self.0[index].faults.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn move_to(&self, index: usize, url: &str) {
        url.clone_into(&mut self.0[index].url.lock().unwrap());
    }

    /// The host for a request; any number will do.
    pub(super) fn target(&self, number: usize) -> Target {
        let index = number % self.0.len();
        let faults = self.0[index].faults.load(Ordering::SeqCst);
        Target { index, faults, url: self.0[index].url.lock().unwrap().clone() }
    }

    /// Whether no fault has kept the host from answering since then.
    pub(super) fn had_no_fault(&self, target: &Target) -> bool {
        target.faults.is_multiple_of(2) && self.0[target.index].faults.load(Ordering::SeqCst) == target.faults
    }
}
