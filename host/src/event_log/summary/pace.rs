//! How many events a step counts: as many as take a moderate time, whatever the events and the server are.

use std::time::Duration;

/// Events of one step, at most: what Postgres holds of them fits its memory for a statement.
pub(super) const MAX_STEP_EVENTS: u64 = 16_384;
/// A step that took longer is followed by a smaller one.
const LONG: Duration = Duration::from_millis(250);
/// A step that was full and took less is followed by a larger one.
const SHORT: Duration = Duration::from_millis(60);
/// While more is behind, a step is followed by a rest that is so many times as long: the appends' time.
const REST: u32 = 3;
/// The longest rest: a step that waited for a busy server is not work.
const MAX_REST: Duration = Duration::from_secs(1);

/// How many events the next step counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    events: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { events: MAX_STEP_EVENTS / 4 }
    }
}

impl Pace {
    /// So many.
    pub(super) fn events(self) -> u64 {
        self.events
    }

    /// A step took so long; `was_full` if there were more events than it could count. Returns how long to rest, if there are.
    pub(super) fn took(&mut self, time: Duration, was_full: bool) -> Duration {
        if time > LONG {
            self.shrink();
        } else if time < SHORT && was_full {
            self.events = MAX_STEP_EVENTS.min(self.events * 2);
        }
        (time * REST).min(MAX_REST)
    }

    /// A step failed: it may have been too large for a time limit.
    pub(super) fn shrink(&mut self) {
        self.events = (self.events / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_grow_while_they_are_quick_and_shrink_down_to_one_event() {
        let mut pace = Pace::default();
        let first = pace.events();
        assert_eq!(pace.took(Duration::from_millis(1), false), Duration::from_millis(3));
        assert_eq!(pace.events(), first, "it was quick because there were few events");
        for _ in 0..10 {
            pace.took(Duration::from_millis(10), true);
        }
        assert_eq!(pace.events(), MAX_STEP_EVENTS);
        pace.took(Duration::from_millis(100), true);
        assert_eq!(pace.events(), MAX_STEP_EVENTS, "neither long nor short");
        assert_eq!(pace.took(Duration::from_secs(5), true), MAX_REST);
        assert_eq!(pace.events(), MAX_STEP_EVENTS / 2);
        for _ in 0..30 {
            pace.shrink();
        }
        assert_eq!(pace.events(), 1);
    }
}
