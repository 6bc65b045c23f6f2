//! Where the hosts are found, and which of them may fail now.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

/// Where one host is found, from one of its lives to the next.
struct Door {
    url: Mutex<String>,
    /// Goes up when a fault begins and when it is mended: odd while the host may fail.
    faults: AtomicU64,
}

/// Where the hosts are found.
pub(super) struct Doors(Vec<Door>);

/// A look at a host before a request.
pub(super) struct Glance {
    place: usize,
    faults: u64,
    pub(super) url: String,
}

impl Doors {
    pub(super) fn new(urls: impl IntoIterator<Item = String>) -> Self {
        let doors = urls.into_iter().map(|url| Door { url: Mutex::new(url), faults: AtomicU64::new(0) });
        Self(doors.collect())
    }

    /// From here on a host may fail.
    pub(super) fn break_down(&self, place: usize) {
        self.0[place].faults.fetch_add(1, Ordering::SeqCst);
    }

    /// From here on it may not.
    pub(super) fn mend(&self, place: usize) {
        self.0[place].faults.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn move_to(&self, place: usize, url: &str) {
        url.clone_into(&mut self.0[place].url.lock().unwrap());
    }

    pub(super) fn glance(&self, number: usize) -> Glance {
        let place = number % self.0.len();
        let faults = self.0[place].faults.load(Ordering::SeqCst);
        Glance { place, faults, url: self.0[place].url.lock().unwrap().clone() }
    }

    /// Whether nothing has kept the host from answering since.
    pub(super) fn was_sound(&self, glance: &Glance) -> bool {
        glance.faults.is_multiple_of(2) && self.0[glance.place].faults.load(Ordering::SeqCst) == glance.faults
    }
}
