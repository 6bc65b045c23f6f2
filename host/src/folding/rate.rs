//! How fast a build moves.

use std::time::Instant;

/// How many positions a build passes in a second.
pub(crate) struct Rate {
    last: Instant,
    per_second: f64,
}

impl Rate {
    pub(crate) fn new() -> Self {
        Self { last: Instant::now(), per_second: 0.0 }
    }

    /// Returns positions per second, of which so many were passed since the last call. Earlier rates fade out within seconds.
    pub(crate) fn per_second(&mut self, events: u64) -> f64 {
        let seconds = self.last.elapsed().as_secs_f64().max(1e-6);
        self.last = Instant::now();
        let weight = 1.0 - (-seconds / 2.0).exp();
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let now = events as f64 / seconds;
        self.per_second += (now - self.per_second) * weight;
        self.per_second
    }
}
