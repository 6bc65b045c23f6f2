//! The memory that bodies of requests take, together: what is read is counted until its request is answered, and what does not fit is refused.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::{Code, Problem};

tokio::task_local! {
    /// The body of the request that the current task answers, if it has one.
    static CURRENT: Option<Arc<HeldBody>>;
}

/// How many bytes bodies may take together. Clones are handles on one.
#[derive(Clone, Debug)]
pub(super) struct BodyMemory {
    free: Arc<Semaphore>,
    max: usize,
}

/// What the body of one request takes. It is given back with this value.
#[derive(Debug)]
pub(super) struct HeldBody {
    memory: BodyMemory,
    held: Mutex<Option<OwnedSemaphorePermit>>,
    /// Whether the client is waited for.
    reading: AtomicBool,
}

impl BodyMemory {
    pub(super) fn new(max: usize) -> Self {
        let max = max.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(max)), max }
    }

    /// For a new request.
    pub(super) fn begin(&self) -> Arc<HeldBody> {
        Arc::new(HeldBody { memory: self.clone(), held: Mutex::default(), reading: AtomicBool::new(false) })
    }
}

impl HeldBody {
    /// Whether the host waits for bytes of the client.
    pub(super) fn is_reading(&self) -> bool {
        self.reading.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> Result<(), Problem> {
        let full = || {
            let max = self.memory.max;
            let detail =
                format!("the bodies of requests take the {max} bytes that the host has for them; try again soon");
            Problem::new(Code::Overloaded, detail).with("limit", "max_bodies_bytes").with("max", max)
        };
        let bytes = u32::try_from(bytes).map_err(|_| full())?;
        let taken = Arc::clone(&self.memory.free).try_acquire_many_owned(bytes).map_err(|_| full())?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *held {
            Some(held) => held.merge(taken),
            None => *held = Some(taken),
        }
        Ok(())
    }
}

/// Runs `answer` as part of the request with this body.
pub(super) async fn scope<T>(body: Option<Arc<HeldBody>>, answer: impl Future<Output = T>) -> T {
    CURRENT.scope(body, answer).await
}

/// Counts bytes of the current request's body, which are in memory from now on.
pub(super) fn take(bytes: usize) -> Result<(), Problem> {
    match CURRENT.try_with(Clone::clone) {
        Ok(Some(held)) => held.take(bytes),
        // Without a body there is nothing to count.
        Ok(None) | Err(_) => Ok(()),
    }
}

/// Notes that the current request waits for its client, or does no more.
pub(super) fn set_reading(reading: bool) {
    let _ = CURRENT.try_with(|held| {
        if let Some(held) = held {
            held.reading.store(reading, Ordering::Relaxed);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_is_refused_until_another_request_has_ended() {
        let memory = BodyMemory::new(10);
        let (first, second) = (memory.begin(), memory.begin());
        scope(Some(Arc::clone(&first)), async { take(4).and(take(3)).unwrap() }).await;
        let refused = scope(Some(Arc::clone(&second)), async { take(4) }).await.unwrap_err();
        assert_eq!(refused.get("limit").unwrap(), "max_bodies_bytes");
        drop(first);
        // The last handle on the second is the scope's.
        scope(Some(second), async { take(10).unwrap() }).await;
        assert!(memory.begin().take(10).is_ok(), "an ended request holds nothing");
    }
}
