//! What costs too much to be looked up whenever somebody asks.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::time::timeout;
use tracing::debug;

/// How long a look-up may take. It goes on while nobody waits for it.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A value that is looked up again after a while, and is remembered until then.
#[derive(Debug)]
pub(in crate::http) struct Seldom<T> {
    every: Duration,
    state: Arc<Mutex<State<T>>>,
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    /// Whether the last look-up has ended well.
    is_current: bool,
    /// When the last one began.
    began: Option<Instant>,
}

impl<T: Clone + Send + 'static> Seldom<T> {
    pub(in crate::http) fn new(every: Duration) -> Self {
        Self { every, state: Arc::new(Mutex::new(State { value: None, is_current: false, began: None })) }
    }

    /// Whether there is a value, old or not.
    pub(in crate::http) fn is_known(&self) -> bool {
        lock(&self.state).value.is_some()
    }

    /// The value, and whether it is current. If it is too old, `look_up` begins, and is waited for as long as `wait`.
    pub(in crate::http) async fn get(
        &self,
        wait: Duration,
        look_up: impl Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    ) -> (Option<T>, bool) {
        let is_due = {
            let mut state = lock(&self.state);
            let is_due = state.began.is_none_or(|began| began.elapsed() >= self.every);
            if is_due {
                state.began = Some(Instant::now());
            }
            is_due
        };
        if is_due {
            let state = Arc::clone(&self.state);
            let looking = tokio::spawn(async move {
                let found = match timeout(TIMEOUT, look_up).await {
                    Ok(Ok(found)) => Some(found),
                    Ok(Err(error)) => {
                        debug!(%error, "what is looked up seldom cannot be looked up");
                        None
                    }
                    Err(_) => None,
                };
                let mut state = lock(&state);
                state.is_current = found.is_some();
                state.value = found.or(state.value.take());
            });
            let _ = timeout(wait, looking).await;
        }
        let state = lock(&self.state);
        (state.value.clone(), state.is_current)
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_looked_up_when_it_is_old_and_remembered_when_that_fails() {
        let wait = Duration::from_secs(10);
        let seldom = Seldom::new(Duration::from_secs(3600));
        let failed = || async { Err(sqlx::Error::PoolTimedOut) };
        assert_eq!(seldom.get(wait, failed()).await, (None, false));
        assert_eq!(seldom.get(wait, async { Ok(1) }).await, (None, false), "it is not due");
        let seldom = Seldom::new(Duration::ZERO);
        assert_eq!(seldom.get(wait, async { Ok(2) }).await, (Some(2), true));
        assert_eq!(seldom.get(wait, failed()).await, (Some(2), false));
    }

    #[tokio::test]
    async fn who_asks_does_not_wait_for_a_look_up_that_lasts() {
        let seldom = Seldom::new(Duration::from_secs(3600));
        let (tell, told) = tokio::sync::oneshot::channel();
        let look_up = async move { told.await.map_err(|_| sqlx::Error::WorkerCrashed) };
        assert_eq!(seldom.get(Duration::from_millis(1), look_up).await, (None, false));
        tell.send(7).unwrap();
        test_support::until("the value is there", async || {
            seldom.get(Duration::ZERO, std::future::pending()).await == (Some(7), true)
        })
        .await;
    }
}
