//! The threads on which modules fold.

use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// The most batches that are folded at once. A build folds one at a time, and there are fewer builds.
const MAX_THREADS: usize = 1024;

/// Threads for nothing but folding: it never waits for a thread that compiles an upload, rewrites events for readers, or reads files, as it
/// would among the blocking threads of the host. A thread is started when it is needed, and ends after ten seconds without work.
#[derive(Debug)]
pub(super) struct FoldingThreads {
    /// Only its blocking threads are used. `None` while this is dropped.
    pool: Option<Runtime>,
}

impl FoldingThreads {
    /// # Errors
    /// The system refuses what a runtime needs.
    pub(super) fn start() -> std::io::Result<Self> {
        let pool = Builder::new_current_thread().max_blocking_threads(MAX_THREADS).thread_name("fold").build()?;
        Ok(Self { pool: Some(pool) })
    }

    /// Does work that blocks.
    pub(super) fn run<A: Send + 'static>(&self, work: impl FnOnce() -> A + Send + 'static) -> JoinHandle<A> {
        match &self.pool {
            Some(pool) => pool.spawn_blocking(work),
            None => tokio::task::spawn_blocking(work),
        }
    }
}

impl Drop for FoldingThreads {
    fn drop(&mut self) {
        // A module that computes without end must not keep the host from ending.
        if let Some(pool) = self.pool.take() {
            pool.shutdown_background();
        }
    }
}
