//! What waits for a follower.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::{event::LiveBatch, limits::MAX_WAITING_BYTES};

/// What waits for one follower: bounded, and told to begin again once it has read too slowly.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// With the bytes that each counts.
    waiting: VecDeque<(Arc<LiveBatch>, usize)>,
    /// Of all that waits. The rows that it begins with do not count.
    bytes: usize,
    /// It has missed something.
    is_behind: bool,
    has_ended: bool,
    has_left: bool,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds changes, unless the follower is behind already; then it is to begin again. `is_full` says that all followers together have too much.
    pub(super) fn push(&self, batch: &Arc<LiveBatch>, is_full: bool) {
        let mut state = self.state();
        if state.is_behind || state.has_ended {
            return;
        }
        if state.bytes + batch.bytes() > MAX_WAITING_BYTES && !state.waiting.is_empty()
            || is_full && !state.waiting.is_empty()
        {
            state.is_behind = true;
            return;
        }
        state.bytes += batch.bytes();
        state.waiting.push_back((Arc::clone(batch), batch.bytes()));
        drop(state);
        self.wake.notify_one();
    }

    /// Adds what it begins with, whatever it has missed.
    pub(super) fn begin(&self, batch: &Arc<LiveBatch>) {
        let mut state = self.state();
        state.is_behind = false;
        state.waiting.push_back((Arc::clone(batch), 0));
        drop(state);
        self.wake.notify_one();
    }

    /// Adds the last that it gets.
    pub(super) fn end(&self, batch: Option<&Arc<LiveBatch>>) {
        let mut state = self.state();
        state.waiting.extend(batch.map(|batch| (Arc::clone(batch), 0)));
        state.has_ended = true;
        drop(state);
        self.wake.notify_one();
    }

    /// Whether it has missed something, and has read all before that.
    pub(super) fn wants_to_begin_again(&self) -> bool {
        let state = self.state();
        state.is_behind && state.waiting.is_empty()
    }

    pub(super) fn has_left(&self) -> bool {
        self.state().has_left
    }
}

/// The events of a follower. Dropped, it follows no more.
#[derive(Debug)]
pub struct LiveRows {
    queue: Arc<Queue>,
}

impl LiveRows {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// The next events; `None` at the end. Dropped while it waits, it loses nothing.
    pub async fn next(&mut self) -> Option<Arc<LiveBatch>> {
        loop {
            {
                let mut state = self.queue.state();
                if let Some((batch, bytes)) = state.waiting.pop_front() {
                    state.bytes -= bytes;
                    return Some(batch);
                }
                if state.has_ended {
                    return None;
                }
            }
            self.queue.wake.notified().await;
        }
    }
}

impl Drop for LiveRows {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.has_left = true;
        state.waiting.clear();
        state.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{super::event::LiveEvent, *};

    fn batch(bytes: usize) -> Arc<LiveBatch> {
        LiveBatch::new(vec![LiveEvent::End { reason: "x".repeat(bytes) }], &Arc::default())
    }

    #[tokio::test]
    async fn what_it_begins_with_makes_no_room_for_changes() {
        let queue = Arc::new(Queue::default());
        let mut rows = LiveRows::new(Arc::clone(&queue));
        queue.begin(&batch(MAX_WAITING_BYTES));
        queue.push(&batch(MAX_WAITING_BYTES / 2 + 1), false);
        rows.next().await.unwrap();
        queue.push(&batch(MAX_WAITING_BYTES / 2 + 1), false);
        rows.next().await.unwrap();
        assert!(queue.wants_to_begin_again(), "the second change did not fit beside the first");
    }

    #[tokio::test]
    async fn who_reads_too_slowly_begins_again_once_it_has_read_what_waits() {
        let queue = Arc::new(Queue::default());
        let mut rows = LiveRows::new(Arc::clone(&queue));
        let half = batch(MAX_WAITING_BYTES / 2 + 1);
        queue.push(&half, false);
        // One that is larger than all that may wait is sent if nothing waits, and this does not fit beside it.
        queue.push(&half, false);
        // What comes then is not sent either: there is a gap before it.
        queue.push(&batch(1), false);
        assert!(!queue.wants_to_begin_again());
        assert_eq!(rows.next().await.unwrap().bytes(), half.bytes());
        assert!(queue.wants_to_begin_again());
        queue.begin(&batch(7));
        queue.push(&batch(2), false);
        assert!(!queue.wants_to_begin_again());
        assert_eq!(rows.next().await.unwrap().bytes(), batch(7).bytes());
        queue.push(&batch(3), true);
        assert_eq!(rows.next().await.unwrap().bytes(), batch(2).bytes());
        // All followers had too much together, and this one was not without anything.
        assert!(queue.wants_to_begin_again());
        queue.end(None);
        assert!(rows.next().await.is_none());
        drop(rows);
        assert!(queue.has_left());
    }
}
