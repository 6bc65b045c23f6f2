//! How many events a module gets at once.

use std::time::Duration;

use crate::subscriptions::BatchSize;

/// For how long a module may be busy with one batch, about. A worker that is told to stop waits for it, and a batch that fails is folded
/// again.
const AIM: Duration = Duration::from_millis(250);

/// How many events a module gets at once: the more, the fewer rows it writes, since it writes a row once for all events of a batch. A
/// module that takes its time gets fewer.
#[derive(Debug)]
pub(super) struct FoldSize {
    max: BatchSize,
    events: usize,
}

impl FoldSize {
    /// As many as the limits allow, until it is known how long a module takes.
    pub(super) fn new(max: BatchSize) -> Self {
        Self { max, events: max.max_events }
    }

    pub(super) fn now(&self) -> BatchSize {
        BatchSize { max_events: self.events, ..self.max }
    }

    /// Learns from a batch of so many events.
    pub(super) fn folded(&mut self, events: u64, took: Duration) {
        let fitting = u128::from(events) * AIM.as_nanos() / took.as_nanos().max(1);
        if events > 0 {
            self.events = usize::try_from(fitting).unwrap_or(usize::MAX).min(self.max.max_events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_module_gets_fewer_events_and_a_quick_one_what_the_limits_allow() {
        let mut size = FoldSize::new(BatchSize { max_events: 1000, max_bytes: 7 });
        assert_eq!(size.now(), BatchSize { max_events: 1000, max_bytes: 7 });
        size.folded(100, Duration::from_secs(1));
        assert_eq!(size.now(), BatchSize { max_events: 25, max_bytes: 7 });
        // What was not of interest says nothing.
        size.folded(0, Duration::from_micros(5));
        assert_eq!(size.now().max_events, 25);
        size.folded(25, Duration::from_millis(1));
        assert_eq!(size.now().max_events, 1000);
        size.folded(1, Duration::MAX);
        assert_eq!(size.now().max_events, 0);
    }
}
