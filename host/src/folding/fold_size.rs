//! How many events a module gets at once.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use crate::subscriptions::BatchSize;

/// For how long a module is busy with one batch, about. A worker that is told to stop waits for it, and a batch that fails is folded
/// again.
const TIME: Duration = Duration::from_millis(250);
/// How much longer it may take because it waits: for the processor, which other builds have as well, or for rows.
const WAITS: u32 = 4;
/// Bytes of rows that a batch writes, about: an eighth of what it may.
const WRITTEN: u64 = 32 * 1024 * 1024;

/// How many events a module gets at once: the more, the fewer rows it writes, since it writes a row once for all events of a batch. A
/// module that takes its time, or writes large rows, gets fewer.
#[derive(Debug)]
pub(crate) struct FoldSize {
    max: BatchSize,
    events: usize,
}

impl FoldSize {
    /// As many as the limits allow, until it is known what a module does with them.
    pub(crate) fn new(max: BatchSize) -> Self {
        Self { max, events: max.max_events }
    }

    pub(crate) fn now(&self) -> BatchSize {
        BatchSize { max_events: self.events, ..self.max }
    }

    /// Learns from a batch of so many events.
    pub(crate) fn folded(&mut self, events: u64, took: Duration, written: usize) {
        let fitting =
            |aim: u128, one: u128| usize::try_from(u128::from(events) * aim / one.max(1)).unwrap_or(usize::MAX);
        if events > 0 {
            let in_time = fitting(TIME.as_nanos(), took.as_nanos());
            self.events = fitting(WRITTEN.into(), written as u128).min(in_time).min(self.max.max_events);
        }
    }
}

/// For how long a thread is busy with a batch.
#[derive(Debug)]
pub(crate) struct FoldClock {
    began: Instant,
    cpu: Option<Duration>,
}

impl FoldClock {
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), cpu: cpu_of_thread() }
    }

    /// The processor time of this thread since the start. Where builds share the processor, each batch takes longer by the clock, and would be
    /// smaller for it, which is more work for all of them.
    pub(crate) fn took(&self) -> Duration {
        let elapsed = self.began.elapsed();
        match (self.cpu, cpu_of_thread()) {
            (Some(before), Some(now)) => now.saturating_sub(before).max(elapsed / WAITS),
            _ => elapsed,
        }
    }
}

fn cpu_of_thread() -> Option<Duration> {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok().map(Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_waits_for_counts_less_than_what_it_computes() {
        let clock = FoldClock::start();
        let (began, mut sum) = (Instant::now(), 0_u64);
        while cpu_of_thread().unwrap() - clock.cpu.unwrap() < Duration::from_millis(5) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(clock.took() >= Duration::from_millis(5) && clock.took() <= clock.began.elapsed(), "{sum}");
        // As if it had begun a day before.
        let waited = FoldClock { began: began.checked_sub(Duration::from_hours(1)).unwrap_or(began), cpu: clock.cpu };
        let took = waited.took();
        assert!(took >= waited.began.elapsed() / (2 * WAITS) && took < waited.began.elapsed(), "{took:?}");
    }

    #[test]
    fn a_slow_module_and_one_with_large_rows_get_fewer_events() {
        let mut size = FoldSize::new(BatchSize { max_events: 1000, max_bytes: 7 });
        assert_eq!(size.now(), BatchSize { max_events: 1000, max_bytes: 7 });
        size.folded(100, Duration::from_secs(1), 0);
        assert_eq!(size.now(), BatchSize { max_events: 25, max_bytes: 7 });
        // What was not of interest says nothing.
        size.folded(0, Duration::from_micros(5), 0);
        assert_eq!(size.now().max_events, 25);
        size.folded(25, Duration::from_millis(1), 25);
        assert_eq!(size.now().max_events, 1000);
        size.folded(1, Duration::MAX, 0);
        assert_eq!(size.now().max_events, 0);
        size.folded(10, Duration::from_millis(1), 10 * 1024 * 1024);
        assert_eq!(size.now().max_events, 32);
    }
}
