//! The lanes for work with modules: each kind of work waits for its own kind only.
//!
//! Uploads come from anybody, and may take long to compile. What builds need never waits for them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Stored modules that are loaded at once. Most take milliseconds, but `describe` may compute for as long as a batch may.
const LOADS: usize = 4;
/// Answers to readers that upcasters rewrite at once.
const UPCASTS: usize = 8;

/// Turns at compiling, each of which uses all processors and much memory: an upload at a time, and a stored module at a time. Clones are
/// handles on the same turns. Hosts that are in one process share them; a host asks for one upload at a time, and for as many stored modules as
/// it loads at once, so each comes to its turn whatever the others upload.
#[derive(Clone, Debug)]
pub struct CompileTurns {
    upload: Arc<Semaphore>,
    stored: Arc<Semaphore>,
}

impl Default for CompileTurns {
    fn default() -> Self {
        Self { upload: Arc::new(Semaphore::new(1)), stored: Arc::new(Semaphore::new(1)) }
    }
}

/// The lanes. Clones are handles on the same ones.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    max_uploads: usize,
    /// A place for each upload, from before its body is read to its answer.
    places: Arc<Semaphore>,
    /// One upload is checked at a time.
    pub(super) checking: Arc<Semaphore>,
    pub(super) compiling_upload: Arc<Semaphore>,
    pub(super) loading: Arc<Semaphore>,
    /// One stored module is compiled at a time: that uses all processors.
    pub(super) compiling_stored: Arc<Semaphore>,
    pub(super) upcasting: Arc<Semaphore>,
}

/// The place of an upload among those that the host takes at once. It is free again when this is dropped.
#[derive(Debug)]
pub struct UploadPlace(#[expect(dead_code, reason = "it is held")] OwnedSemaphorePermit);

impl Lanes {
    pub(super) fn new(max_uploads: usize, turns: CompileTurns) -> Self {
        let permits = |count| Arc::new(Semaphore::new(count));
        Self {
            max_uploads,
            places: permits(max_uploads),
            checking: permits(1),
            compiling_upload: turns.upload,
            loading: permits(LOADS),
            compiling_stored: turns.stored,
            upcasting: permits(UPCASTS),
        }
    }

    /// A place for an upload.
    ///
    /// # Errors
    /// There is none; the number of places.
    pub(super) fn place(&self) -> Result<UploadPlace, usize> {
        Arc::clone(&self.places).try_acquire_owned().map(UploadPlace).map_err(|_| self.max_uploads)
    }
}
