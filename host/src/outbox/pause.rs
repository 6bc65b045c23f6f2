//! Pauses between the tries of a message.

use std::time::Duration;

/// The pause after the first try, and the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pauses {
    pub(super) first: Duration,
    pub(super) longest: Duration,
}

impl Pauses {
    /// The pause after so many tries: each twice as long as the one before, up to the longest, and then a random part of it, from one half on, so
    /// that what failed together is not tried again together. A sink that asks for a longer one gets it, up to the longest.
    pub(super) fn after(self, tries: u32, asked: Option<Duration>, random: f64) -> Duration {
        let doubled = self.first.saturating_mul(1 << tries.saturating_sub(1).min(24));
        let pause = doubled.min(self.longest).mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0);
        let pause = pause.max(asked.unwrap_or_default().min(self.longest));
        // Intervals of Postgres have no nanoseconds.
        Duration::from_micros(u64::try_from(pause.as_micros()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest_and_are_never_the_same_for_all() {
        let pauses = Pauses { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
        let longest: Vec<u64> = (1..9).map(|tries| pauses.after(tries, None, 1.0).as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pauses.after(3, None, 0.0), Duration::from_secs(2));
        assert_eq!(pauses.after(1, None, 0.123_456_789_012).subsec_nanos() % 1000, 0);
        assert_eq!(pauses.after(u32::MAX, None, 0.0), Duration::from_secs(30));
    }

    #[test]
    fn a_sink_may_ask_for_a_longer_pause_but_not_for_any() {
        let pauses = Pauses { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
        assert_eq!(pauses.after(1, Some(Duration::from_secs(20)), 1.0), Duration::from_secs(20));
        assert_eq!(pauses.after(1, Some(Duration::from_secs(3600)), 1.0), Duration::from_secs(60));
        assert_eq!(pauses.after(5, Some(Duration::ZERO), 1.0), Duration::from_secs(16));
    }
}
