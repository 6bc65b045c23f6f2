//! Limits how long a module may compute on one batch.

use std::time::{Duration, Instant};

use wasmtime::UpdateDeadline;

use super::{engine::TICK, stop::Stop};
use crate::runtime::{failure::FailureKind, limits::RuntimeLimits};

/// What a call that reads rows counts for at most. What takes longer does so because of Postgres, and a module must not fail for that.
const MAX_READ: Duration = Duration::from_secs(1);

/// The clock of the current call. Time that the module waits for the host does not count as computing, and has a limit of its own where
/// it is the module that decides on it: by how often it reads rows.
#[derive(Debug)]
pub(in crate::runtime) struct Deadline {
    limit: Duration,
    read_limit: Duration,
    began: Instant,
    waited: Duration,
    /// The part of `waited` that the module waited for rows, each call counted as [`MAX_READ`] at most.
    reading: Duration,
}

impl Deadline {
    pub(in crate::runtime) fn new(limits: &RuntimeLimits) -> Self {
        let (limit, read_limit) = (limits.max_batch_time, limits.max_batch_read_time);
        Self { limit, read_limit, began: Instant::now(), waited: Duration::ZERO, reading: Duration::ZERO }
    }

    /// Begins a call.
    pub(in crate::runtime) fn begin(&mut self) {
        self.began = Instant::now();
        self.waited = Duration::ZERO;
        self.reading = Duration::ZERO;
    }

    /// Does work of the host that the module waits for.
    pub(in crate::runtime) fn wait<A>(&mut self, work: impl FnOnce() -> A) -> A {
        let began = Instant::now();
        let answer = work();
        self.waited += began.elapsed();
        answer
    }

    /// Reads rows for the module.
    ///
    /// # Errors
    /// It has waited for rows for too long already.
    pub(in crate::runtime) fn read<A>(&mut self, read: impl FnOnce() -> A) -> Result<A, Stop> {
        if self.reading > self.read_limit {
            let limit = self.read_limit.as_secs_f64();
            let message = format!("it waited for its rows for more than {limit} s; the limit is max_batch_read_time");
            return Err(Stop::Exceeded { kind: FailureKind::TimedOut, message });
        }
        let before = self.waited;
        let answer = self.wait(read);
        self.reading += (self.waited - before).min(MAX_READ);
        Ok(answer)
    }

    /// Ends a call that computed for too long; called when the epoch deadline is reached.
    pub(in crate::runtime) fn check(&self) -> wasmtime::Result<UpdateDeadline> {
        let computed = self.began.elapsed().saturating_sub(self.waited);
        if computed > self.limit {
            let limit = self.limit.as_secs_f64();
            let message = format!("it computed for more than {limit} s; the limit is max_batch_time");
            return Err(Stop::Exceeded { kind: FailureKind::TimedOut, message }.into());
        }
        let ticks = (self.limit - computed).as_nanos().div_ceil(TICK.as_nanos());
        Ok(UpdateDeadline::Continue(u64::try_from(ticks).unwrap_or(u64::MAX).max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_takes_long_counts_as_one_second_and_many_reads_add_up() {
        let limits = RuntimeLimits { max_batch_read_time: Duration::from_millis(2500), ..RuntimeLimits::default() };
        let mut deadline = Deadline::new(&limits);
        deadline.begin();
        // Three long reads, without waiting for them.
        for _ in 0..3 {
            assert!(deadline.read(|| ()).is_ok());
            deadline.reading += MAX_READ;
        }
        let Err(Stop::Exceeded { kind, message }) = deadline.read(|| ()) else { panic!("it may read on") };
        assert_eq!(kind, FailureKind::TimedOut);
        assert_eq!(message, "it waited for its rows for more than 2.5 s; the limit is max_batch_read_time");
        // The next batch begins with nothing.
        deadline.begin();
        assert!(deadline.read(|| ()).is_ok());
        assert!(deadline.reading <= MAX_READ);
    }
}
