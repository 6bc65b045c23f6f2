//! Limits how long a module may compute on one batch.

use std::time::{Duration, Instant};

use wasmtime::UpdateDeadline;

use super::{engine::TICK, stop::Stop};
use crate::runtime::{failure::FailureKind, limits::RuntimeLimits};

/// The clock of the current call. Time that the module waits for the host does not count.
#[derive(Debug)]
pub(in crate::runtime) struct Deadline {
    limit: Duration,
    began: Instant,
    waited: Duration,
}

impl Deadline {
    pub(in crate::runtime) fn new(limits: &RuntimeLimits) -> Self {
        Self { limit: limits.max_batch_time, began: Instant::now(), waited: Duration::ZERO }
    }

    /// Begins a call.
    pub(in crate::runtime) fn begin(&mut self) {
        self.began = Instant::now();
        self.waited = Duration::ZERO;
    }

    /// Does work of the host that the module waits for.
    pub(in crate::runtime) fn wait<A>(&mut self, work: impl FnOnce() -> A) -> A {
        let began = Instant::now();
        let answer = work();
        self.waited += began.elapsed();
        answer
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
