//! Threads on which modules work through the log.

use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// The most batches that are folded at once. A build folds one at a time, and there are fewer builds.
pub(crate) const MAX_FOLDING_THREADS: usize = 1024;

/// Threads for nothing but folding: it never waits for a thread that compiles an upload, rewrites events for readers, or reads files, as it
/// would among the blocking threads of the host. A thread is started when it is needed, and ends after ten seconds without work.
#[derive(Debug)]
pub(crate) struct FoldingThreads {
    /// Only its blocking threads are used. `None` while this is dropped.
    pool: Option<Runtime>,
}

impl FoldingThreads {
    /// At most so many threads: what is folded beyond them waits for one.
    ///
    /// # Errors
    /// The system refuses what a runtime needs.
    pub(crate) fn start(max: usize) -> std::io::Result<Self> {
        let pool = Builder::new_current_thread().max_blocking_threads(max.max(1)).thread_name("fold").build()?;
        Ok(Self { pool: Some(pool) })
    }

    /// Threads that get the processor when no other thread of the host wants it.
    ///
    /// # Errors
    /// The system refuses what a runtime needs.
    pub(crate) fn start_nice(max: usize) -> std::io::Result<Self> {
        let mut builder = Builder::new_current_thread();
        builder.max_blocking_threads(max.max(1)).thread_name("fold-past").on_thread_start(be_nice);
        Ok(Self { pool: Some(builder.build()?) })
    }

    /// Does work that blocks.
    pub(crate) fn run<A: Send + 'static>(&self, work: impl FnOnce() -> A + Send + 'static) -> JoinHandle<A> {
        match &self.pool {
            Some(pool) => pool.spawn_blocking(work),
            None => tokio::task::spawn_blocking(work),
        }
    }
}

/// On Linux this concerns the calling thread; elsewhere it would concern the whole process.
fn be_nice() {
    #[cfg(target_os = "linux")]
    // It is as good without: the system may refuse it in a container.
    let _ = rustix::process::nice(10);
}

impl Drop for FoldingThreads {
    fn drop(&mut self) {
        // A module that computes without end must not keep the host from ending.
        if let Some(pool) = self.pool.take() {
            pool.shutdown_background();
        }
    }
}
