//! What is counted of messages to sinks.

use std::{sync::Arc, time::Duration};

use super::{counter::Counter, histogram::Histogram, names, register::Register, series::Series};

/// Sinks that have series of their own: as many as there may be, and some that were removed.
const MAX_SINKS: usize = 100;
/// Ways in which a try ends.
const RESULTS: usize = 3;
/// States in which a message ends.
const STATES: usize = 3;

/// What is counted of messages to sinks.
#[derive(Debug)]
pub struct OutboxMeasures {
    tries: Arc<Series<Counter>>,
    messages: Arc<Series<Counter>>,
    try_duration: Arc<Series<Histogram>>,
}

impl OutboxMeasures {
    pub(super) fn new(register: &mut Register) -> Self {
        Self {
            tries: register.counters(names::OUTBOX_TRIES, MAX_SINKS * RESULTS),
            messages: register.counters(names::OUTBOX_MESSAGES, MAX_SINKS * STATES),
            try_duration: register.histograms(names::OUTBOX_TRY_DURATION, MAX_SINKS),
        }
    }

    /// A try has ended: `delivered`, `refused` or `later`.
    pub fn tried(&self, sink: &str, result: &str, took: Duration) {
        self.tries.of(&[sink, result]).inc();
        self.try_duration.of(&[sink]).observe(took);
    }

    /// A message is `delivered`, or has `failed`; `call_failed` if it is a call, whose reactor was told.
    pub fn ended(&self, sink: &str, state: &str) {
        self.messages.of(&[sink, state]).inc();
    }
}
