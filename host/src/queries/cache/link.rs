//! The connection to a Redis, which may be away.
//!
//! A Redis that does not answer at once is left alone for a while: for a second at first, then for longer each time. So one that is away costs
//! nothing, and one that stands still costs a request now and then the time that one operation may take.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use redis::{AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, RedisError, aio::MultiplexedConnection};
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::url::CacheUrl;
use crate::{metrics, postgres::Backoff};

/// How long Redis may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(50);
/// How long connecting may take. No request waits for it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The first pause before Redis is tried again, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// The connection to a Redis. Clones are handles on one.
#[derive(Clone)]
pub(super) struct Link(Arc<Shared>);

struct Shared {
    /// `None` if what the URL says cannot be used.
    client: Option<Client>,
    state: Mutex<State>,
}

struct State {
    way: Way,
    /// The number of the connection that was opened last: what an older one does says nothing of it.
    number: u64,
    pauses: Backoff,
    /// Whether the operator was told that Redis is away.
    is_told: bool,
}

enum Way {
    Down { until: Instant },
    Connecting,
    Up(MultiplexedConnection),
}

/// A connection that is open.
pub(super) struct Open {
    link: Link,
    number: u64,
    connection: MultiplexedConnection,
}

impl Link {
    pub(super) fn new(url: &CacheUrl) -> Self {
        let [first, longest] = PAUSES;
        let way = Way::Down { until: Instant::now() };
        let state = State { way, number: 0, pauses: Backoff::new(first, longest), is_told: false };
        Self(Arc::new(Shared { client: Client::open(url.connection_info()).ok(), state: Mutex::new(state) }))
    }

    /// The connection, if it is open. If it is time to, another task opens one.
    pub(super) fn open(&self) -> Option<Open> {
        let mut state = self.state();
        match &state.way {
            Way::Up(connection) => {
                Some(Open { link: self.clone(), number: state.number, connection: connection.clone() })
            }
            Way::Connecting => None,
            Way::Down { until } if Instant::now() < *until => None,
            Way::Down { .. } => {
                let client = self.0.client.clone()?;
                state.way = Way::Connecting;
                tokio::spawn(self.clone().connect(client));
                None
            }
        }
    }

    async fn connect(self, client: Client) {
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        let connected = timeout(CONNECT_TIMEOUT, connecting).await;
        let mut state = self.state();
        match connected {
            Ok(Ok(connection)) => {
                state.number += 1;
                state.way = Way::Up(connection);
                if std::mem::take(&mut state.is_told) {
                    info!("the Redis of the cache can be used again");
                }
            }
            Ok(Err(error)) => state.fail(error.category()),
            Err(_) => state.fail("it does not answer"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// `reason` is never what Redis or the URL says: both may have the password in it.
    fn fail(&mut self, reason: &str) {
        metrics::of_host().queries.redis_failed();
        self.way = Way::Down { until: Instant::now() + self.pauses.next_pause() };
        if std::mem::replace(&mut self.is_told, true) {
            debug!(reason, "the Redis of the cache still cannot be used");
        } else {
            warn!(
                reason,
                "the Redis of the cache cannot be used, and is left alone for a while; answers are read from Postgres"
            );
        }
    }
}

impl Open {
    /// Sends a command. `None` if Redis refuses it, or does not answer in time.
    pub(super) async fn ask<T: FromRedisValue>(&mut self, command: &redis::Cmd) -> Option<T> {
        match timeout(ANSWER_TIMEOUT, command.query_async(&mut self.connection)).await {
            Ok(Ok(answer)) => {
                self.link.state().pauses.reset();
                return Some(answer);
            }
            // It has answered: it is read-only, or has no memory left.
            Ok(Err(error)) if is_refusal(&error) => {
                metrics::of_host().queries.redis_failed();
                debug!(reason = error.category(), "the Redis of the cache refuses a command");
            }
            Ok(Err(error)) => self.fail(error.category()),
            Err(_) => self.fail("it does not answer"),
        }
        None
    }

    fn fail(&self, reason: &str) {
        let mut state = self.link.state();
        if state.number == self.number && matches!(state.way, Way::Up(_)) {
            state.fail(reason);
        }
    }
}

fn is_refusal(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client has the URL.
        f.debug_struct("Link").finish_non_exhaustive()
    }
}
