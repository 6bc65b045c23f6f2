//! The open connections of clients: which are idle, and how they are told to end.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// Every open connection. Clones are handles on one.
#[derive(Clone, Debug)]
pub(super) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    began: Instant,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// What all were told, and new ones are.
    told: u8,
    connections: HashMap<u64, Arc<State>>,
}

/// What is known of a connection.
#[derive(Debug)]
struct State {
    /// The requests under way. With HTTP/2 there may be several.
    under_way: AtomicU64,
    /// When an answer ended last, or when it was opened, in microseconds after the host's start. Of no meaning while a request is under way.
    idle_since: AtomicU64,
    told: AtomicU8,
    wake: Notify,
}

/// What a connection is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Told {
    /// To end after the answer under way.
    End = 1,
    /// To end at once.
    Break = 2,
}

/// A connection, as long as this value lives.
#[derive(Debug)]
pub(super) struct Connection {
    number: u64,
    state: Arc<State>,
    connections: Connections,
}

/// A request under way, until its answer is sent or given up.
#[derive(Debug)]
pub(super) struct UnderWay {
    state: Arc<State>,
    began: Instant,
}

impl Default for Connections {
    fn default() -> Self {
        Self(Arc::new(Shared { began: Instant::now(), open: Mutex::default() }))
    }
}

impl Connections {
    /// Notes a new connection.
    pub(super) fn opened(&self) -> Connection {
        let mut open = self.lock();
        let state = Arc::new(State {
            under_way: AtomicU64::new(0),
            idle_since: AtomicU64::new(micros_since(self.0.began)),
            told: AtomicU8::new(open.told),
            wake: Notify::new(),
        });
        if open.told > 0 {
            state.wake.notify_one();
        }
        let number = open.next;
        open.next += 1;
        open.connections.insert(number, Arc::clone(&state));
        Connection { number, state, connections: self.clone() }
    }

    /// Tells the connection that is idle for longest to end; returns whether there was one.
    ///
    /// All are looked at. This happens only when the host has as many as it may have, and costs microseconds.
    pub(super) fn end_longest_idle(&self) -> bool {
        let open = self.lock();
        let idle = open.connections.values().filter_map(|state| {
            let since = state.idle_since()?;
            (state.told.load(Ordering::Relaxed) == 0).then_some((since, state))
        });
        let Some((_, longest)) = idle.min_by_key(|(since, _)| *since) else { return false };
        longest.tell(Told::End);
        true
    }

    /// Tells every connection, and each that is opened from now on; returns how many there are.
    pub(super) fn tell_all(&self, what: Told) -> usize {
        let mut open = self.lock();
        open.told = open.told.max(what as u8);
        for state in open.connections.values() {
            state.tell(what);
        }
        open.connections.len()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Since when no request is under way, if none is.
    fn idle_since(&self) -> Option<u64> {
        (self.under_way.load(Ordering::Acquire) == 0).then(|| self.idle_since.load(Ordering::Relaxed))
    }

    fn tell(&self, what: Told) {
        self.told.fetch_max(what as u8, Ordering::AcqRel);
        self.wake.notify_one();
    }
}

impl Connection {
    /// Notes that a request has come.
    pub(super) fn request(&self) -> UnderWay {
        self.state.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay { state: Arc::clone(&self.state), began: self.connections.0.began }
    }

    /// Whether no request is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.state.idle_since().is_some()
    }

    /// Waits until no request has been under way for so long.
    pub(super) async fn idle_for(&self, time: Duration) {
        loop {
            let left = match self.state.idle_since() {
                // Whatever ends meanwhile is seen after this, before it has ended for so long.
                None => time,
                Some(since) => {
                    let ends = self.connections.0.began + Duration::from_micros(since) + time;
                    ends.saturating_duration_since(Instant::now())
                }
            };
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }

    /// Waits until the connection is told something, and returns the strongest of what it was told.
    pub(super) async fn told(&self) -> Told {
        self.state.wake.notified().await;
        if self.state.told.load(Ordering::Acquire) == Told::Break as u8 { Told::Break } else { Told::End }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.lock().connections.remove(&self.number);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        // In this order: who sees that there is no request under way sees since when.
        self.state.idle_since.store(micros_since(self.began), Ordering::Relaxed);
        self.state.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

fn micros_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_is_made_by_the_connection_that_is_idle_for_longest_and_never_by_a_busy_one() {
        let connections = Connections::default();
        let [busy, first, second] = [(); 3].map(|()| connections.opened());
        first.state.idle_since.store(5, Ordering::Relaxed);
        second.state.idle_since.store(7, Ordering::Relaxed);
        let under_way = busy.request();
        assert!(connections.end_longest_idle());
        assert_eq!(first.told().await, Told::End);
        assert!(connections.end_longest_idle(), "the first is told already");
        assert_eq!(second.told().await, Told::End);
        assert!(!connections.end_longest_idle(), "the last one is busy");
        let also = busy.request();
        drop(under_way);
        assert!(!busy.is_idle() && !connections.end_longest_idle(), "another request is under way");
        drop(also);
        assert!(busy.is_idle());
        assert_eq!(connections.tell_all(Told::Break), 3);
        assert_eq!(first.told().await, Told::Break);
        drop((busy, first));
        assert_eq!(connections.tell_all(Told::Break), 1);
    }
}
