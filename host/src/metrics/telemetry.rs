//! What is counted of sending traces and logs.

use std::sync::Arc;

use super::{counter::Counter, names, register::Register, series::Series};

/// What is counted of sending traces and logs.
#[derive(Debug)]
pub struct TelemetryMeasures {
    lost: Arc<Series<Counter>>,
}

impl TelemetryMeasures {
    pub(super) fn new(register: &mut Register) -> Self {
        Self { lost: register.counters_of(names::TELEMETRY_LOST, &["logs", "traces"]) }
    }

    /// Counts what is lost of a signal, `logs` or `traces`.
    #[must_use]
    pub fn lost(&self, signal: &str) -> Counter {
        self.lost.of(&[signal])
    }
}
