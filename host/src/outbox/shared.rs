//! What the tasks of the outbox share, and its settings.

use std::{path::PathBuf, time::Duration};

use sqlx::PgPool;

use super::{pause::Pauses, sending::Sending};
use crate::event_log::EventLog;

/// Settings of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxSettings {
    /// The folder in which files with secrets are; without it, this host reads none.
    pub secrets_dir: Option<PathBuf>,
    /// Whether secrets may be in variables of the host's environment, all of which whoever makes sinks may then name.
    pub secrets_in_variables: bool,
    /// The pause after the first try of a message; each of the next ones is twice as long.
    pub first_retry_pause: Duration,
    /// The longest.
    pub longest_retry_pause: Duration,
    /// How long messages are kept that were delivered.
    pub keep_delivered: Duration,
    /// Bytes that the answer to a call may have.
    pub max_call_answer_bytes: usize,
    /// How often it is looked for messages that other hosts have enqueued, or whose pause is over.
    pub look_every: Duration,
}

impl Default for OutboxSettings {
    fn default() -> Self {
        Self {
            secrets_dir: None,
            secrets_in_variables: true,
            first_retry_pause: Duration::from_secs(1),
            longest_retry_pause: Duration::from_secs(60 * 60),
            keep_delivered: Duration::from_secs(24 * 60 * 60),
            max_call_answer_bytes: 64 * 1024,
            look_every: Duration::from_secs(1),
        }
    }
}

/// What the tasks of the outbox share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) pool: PgPool,
    pub(super) log: EventLog,
    pub(super) settings: OutboxSettings,
    pub(super) sending: Sending,
}

impl Shared {
    pub(super) fn pauses(&self) -> Pauses {
        Pauses { first: self.settings.first_retry_pause, longest: self.settings.longest_retry_pause }
    }
}
