//! A session of Postgres that holds a lock.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};

/// A session of Postgres that holds a lock: one of the `blockers` of an error `locked`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Blocker {
    /// The process of the session, as `pg_terminate_backend` takes it; 0 is a prepared transaction.
    pub pid: i32,
    /// Its role.
    pub user: Option<String>,
    /// The name that its program has given itself.
    pub application: String,
    /// When its transaction began; null if the host's role may not see that.
    pub since: Option<Instant>,
    /// The first words of the statement that it runs, or ran last.
    pub query: String,
}
