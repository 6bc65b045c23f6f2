//! Whether other hosts may listen to what this one appends.
//!
//! A notification wakes each session of Postgres that listens, whatever it listens to, and this host among them, which knows already: where no
//! other host lives, that is as much work as the append itself. Who counts the hosts says so for a short time, and again and again. Whoever is
//! not counted for a moment, since it has just come or stood still, looks at the log each second ([`head`](super::head)).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// What is known of other hosts. Clones are handles on one.
#[derive(Clone, Debug)]
pub(super) struct OtherHosts(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    began: Instant,
    /// Until when there are none, in microseconds after `began`.
    none_until: AtomicU64,
}

impl OtherHosts {
    /// Nothing is known, so there may be some.
    pub(super) fn unknown() -> Self {
        Self(Arc::new(Shared { began: Instant::now(), none_until: AtomicU64::new(0) }))
    }

    /// There are none for so long. What was said before does not count any more.
    pub(super) fn none_for(&self, time: Duration) {
        let until = if time.is_zero() { 0 } else { micros(self.0.began.elapsed().saturating_add(time)) };
        self.0.none_until.store(until, Ordering::Relaxed);
    }

    /// Whether some may listen.
    pub(super) fn may_listen(&self) -> bool {
        micros(self.0.began.elapsed()) >= self.0.none_until.load(Ordering::Relaxed)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_listens_only_while_that_was_said() {
        let hosts = OtherHosts::unknown();
        assert!(hosts.may_listen());
        hosts.none_for(Duration::from_secs(3600));
        assert!(!hosts.clone().may_listen());
        hosts.none_for(Duration::ZERO);
        assert!(hosts.may_listen());
        hosts.none_for(Duration::from_nanos(1));
        assert!(hosts.may_listen(), "what was said has ended");
        hosts.none_for(Duration::MAX);
        assert!(!hosts.may_listen());
    }
}
