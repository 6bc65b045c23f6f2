//! Which connections of a pool can be trusted: those that were opened after the last one that broke.
//!
//! Where one connection broke, its neighbours did, too: Postgres restarted, or the network was cut. Nobody notices at a connection that
//! waits in a pool, and each would cost a request its answer. And where Postgres did not answer BEGIN in time, a connection may be inside a
//! transaction that nobody ends.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{PgPool, postgres::PgConnectOptions};

/// Instants are counted from here.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// By the address of the database: the pools, the listeners and the other connections of a host tell each other what they see.
static ALL: LazyLock<Mutex<HashMap<String, Arc<Trust>>>> = LazyLock::new(Mutex::default);

/// When a connection to one database was last seen to break.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Microseconds after the start; 0 is never.
    broken_at: AtomicU64,
}

impl Trust {
    /// What is known of the connections to one database.
    pub(super) fn of(options: &PgConnectOptions) -> Arc<Self> {
        let place = options.get_socket().map_or_else(|| options.get_host().into(), |socket| socket.to_string_lossy());
        let address = format!("{place} {} {:?}", options.get_port(), options.get_database());
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(address).or_default())
    }

    /// No connection that is open now is trusted any more.
    pub(super) fn lose(&self) {
        self.broken_at.fetch_max(now(), Ordering::AcqRel);
    }

    /// Whether a connection that was opened so long ago can be trusted.
    pub(super) fn covers(&self, age: Duration) -> bool {
        let broken_at = self.broken_at.load(Ordering::Acquire);
        broken_at == 0 || now().saturating_sub(micros(age)) > broken_at
    }
}

/// Lets the pools of a host open another connection in place of each that they have.
pub fn distrust(pool: &PgPool) {
    Trust::of(&pool.connect_options()).lose();
}

fn now() -> u64 {
    micros(START.elapsed()).max(1)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_opened_before_the_last_break_is_not_trusted() {
        let trust = Trust::default();
        assert!(trust.covers(Duration::from_secs(3600)));
        trust.lose();
        assert!(!trust.covers(Duration::from_secs(3600)));
        std::thread::sleep(Duration::from_micros(10));
        assert!(trust.covers(Duration::ZERO));
    }
}
