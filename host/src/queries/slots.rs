//! How many queries of each projection run at once.
//!
//! A query holds a connection for as long as it runs. If one projection's readers could hold all of them, nobody could read another. So each
//! projection gets a part of the connections that the others leave, and always one if one is left.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::read_model::Identifier;

/// Readers of one projection that wait, at most. More would not get their turn in time.
const MAX_WAITING: usize = 1_000;

/// The connections for queries, as they are shared between projections.
#[derive(Debug)]
pub(super) struct Slots {
    all: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: usize,
    projections: HashMap<Identifier, Share>,
    /// Those that wait, in the order in which they came.
    waiting: VecDeque<(Identifier, oneshot::Sender<Slot>)>,
}

#[derive(Debug, Default)]
struct Share {
    held: usize,
    waiting: usize,
}

/// The right to run one query. It ends with this value.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    /// `None` once it was given back.
    projection: Option<Identifier>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(projection) = self.projection.take() {
            let mut state = self.slots.state();
            state.give_back(&projection);
            self.slots.grant_waiting(&mut state);
        }
    }
}

/// More readers of the projection wait than will get their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

impl Slots {
    /// So many queries may run at once.
    pub(super) fn new(all: usize) -> Self {
        Self { all: all.max(1), state: Mutex::default() }
    }

    /// Waits for the right to run a query on a projection. Dropped while it waits, it leaves nothing.
    pub(super) async fn take(self: &Arc<Self>, projection: &Identifier) -> Result<Slot, TooMany> {
        let granted = {
            let mut state = self.state();
            if state.waiting(projection) == 0 && state.admits(projection, self.all) {
                return Ok(self.grant(&mut state, projection.clone()));
            }
            if state.waiting(projection) >= MAX_WAITING {
                // Some of them may have left.
                self.grant_waiting(&mut state);
                if state.waiting(projection) >= MAX_WAITING {
                    return Err(TooMany);
                }
            }
            let (grant, granted) = oneshot::channel();
            state.projections.entry(projection.clone()).or_default().waiting += 1;
            state.waiting.push_back((projection.clone(), grant));
            granted
        };
        // The sender is kept until it has sent.
        granted.await.map_err(|_| TooMany)
    }

    /// How many queries run, and how many wait.
    pub(super) fn load(&self) -> (usize, usize) {
        let state = self.state();
        (state.held, state.waiting.len())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grant(self: &Arc<Self>, state: &mut State, projection: Identifier) -> Slot {
        state.held += 1;
        state.projections.entry(projection.clone()).or_default().held += 1;
        Slot { slots: Arc::clone(self), projection: Some(projection) }
    }

    /// Gives free slots to those that wait and may have one.
    fn grant_waiting(self: &Arc<Self>, state: &mut State) {
        let mut at = 0;
        while at < state.waiting.len() {
            let (projection, grant) = &state.waiting[at];
            let left = grant.is_closed();
            if !left && !state.admits(projection, self.all) {
                at += 1;
                continue;
            }
            let Some((projection, grant)) = state.waiting.remove(at) else { return };
            if let Some(share) = state.projections.get_mut(&projection) {
                share.waiting -= 1;
            }
            if left {
                state.forget_if_unused(&projection);
                continue;
            }
            let slot = self.grant(state, projection);
            if let Err(mut slot) = grant.send(slot) {
                // It has just left. Its slot is given back here: dropped whole, it would lock the state again.
                if let Some(projection) = slot.projection.take() {
                    state.give_back(&projection);
                }
            }
        }
    }
}

impl State {
    fn waiting(&self, projection: &Identifier) -> usize {
        self.projections.get(projection).map_or(0, |share| share.waiting)
    }

    /// Whether a projection may run one more query: it gets two thirds of what the others leave, and at least one.
    fn admits(&self, projection: &Identifier, all: usize) -> bool {
        let held = self.projections.get(projection).map_or(0, |share| share.held);
        let left_by_others = all.saturating_sub(self.held - held);
        self.held < all && held < (left_by_others * 2 / 3).max(1)
    }

    fn give_back(&mut self, projection: &Identifier) {
        self.held -= 1;
        if let Some(share) = self.projections.get_mut(projection) {
            share.held -= 1;
        }
        self.forget_if_unused(projection);
    }

    fn forget_if_unused(&mut self, projection: &Identifier) {
        if self.projections.get(projection).is_some_and(|share| share.held == 0 && share.waiting == 0) {
            self.projections.remove(projection);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
        time::Duration,
    };

    use super::*;

    fn name(name: &str) -> Identifier {
        Identifier::new(name).unwrap()
    }

    /// Takes slots until one would have to be waited for.
    async fn take_all(slots: &Arc<Slots>, projection: &str) -> Vec<Slot> {
        let mut taken = Vec::new();
        while let Ok(slot) = tokio::time::timeout(Duration::from_millis(5), slots.take(&name(projection))).await {
            taken.push(slot.unwrap());
        }
        taken
    }

    #[tokio::test]
    async fn each_projection_has_a_part_of_what_the_others_leave() {
        let slots = Arc::new(Slots::new(10));
        let mut held = Vec::new();
        for (projection, wanted) in [("a", 6), ("b", 2), ("c", 1), ("d", 1), ("e", 0)] {
            let taken = take_all(&slots, projection).await;
            assert_eq!(taken.len(), wanted, "{projection}");
            held.extend(taken);
        }
        drop(held);
        let state = slots.state();
        assert!(state.held == 0 && state.projections.is_empty() && state.waiting.is_empty(), "{state:?}");
    }

    #[tokio::test]
    async fn a_slot_that_ends_goes_to_who_waits_and_has_not_left() {
        let slots = Arc::new(Slots::new(2));
        let (a, b) = (slots.take(&name("a")).await.unwrap(), slots.take(&name("b")).await.unwrap());
        // It waits, and leaves.
        assert!(take_all(&slots, "a").await.is_empty());
        let waiting = tokio::spawn({
            let slots = Arc::clone(&slots);
            async move { slots.take(&name("a")).await }
        });
        while slots.state().waiting.len() < 2 {
            tokio::task::yield_now().await;
        }
        drop(a);
        let a = waiting.await.unwrap().unwrap();
        let (held, waiting) = {
            let state = slots.state();
            (state.held, state.waiting.len())
        };
        assert_eq!((held, waiting), (2, 0));
        drop((a, b));
        assert!(slots.state().projections.is_empty());
    }

    #[tokio::test]
    async fn more_than_can_get_their_turn_are_refused_and_those_who_have_left_do_not_count() {
        let slots = Arc::new(Slots::new(1));
        let held = slots.take(&name("a")).await.unwrap();
        let a = name("a");
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting = Vec::new();
        for _ in 0..MAX_WAITING {
            let mut take = Box::pin(slots.take(&a));
            assert!(take.as_mut().poll(&mut context).is_pending());
            waiting.push(take);
        }
        assert_eq!(slots.take(&a).await.unwrap_err(), TooMany);
        waiting.pop();
        let last = pin!(slots.take(&a));
        assert!(last.poll(&mut context).is_pending());
        drop(held);
    }
}
