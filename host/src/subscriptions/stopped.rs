//! Why a consumer stopped.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::runtime::ModuleFailure;

/// Why the work of a consumer stopped, for a reason that is not transient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum StopError {
    /// Its module cannot handle an event.
    Module {
        /// What the module did.
        #[serde(flatten)]
        failure: ModuleFailure,
        /// The event's stream.
        stream: String,
        /// The event's type.
        event_type: String,
    },
    /// More events would be set aside than the setting `max_dead_letters` allows.
    TooManyDeadLetters {
        /// How many would be set aside.
        found: u64,
        /// The limit.
        max: u64,
    },
    /// Another failure that is not transient: trying again does not help.
    Host {
        /// What went wrong.
        message: String,
    },
}

impl StopError {
    /// A table of the consumer does not exist, and `way_out` is what helps.
    #[must_use]
    pub fn missing_table(table: &str, way_out: &str) -> Self {
        let message = format!(
            "the table {table} is missing from the database, as after a restore of the schema gnomon alone; {way_out}"
        );
        Self::Host { message }
    }
}

impl fmt::Display for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module { failure, stream, event_type } => write!(f, "{failure} ({event_type} of stream {stream})"),
            Self::TooManyDeadLetters { found, max } => {
                let events = if *found == 1 { "event" } else { "events" };
                write!(f, "{found} {events} would be set aside; the limit max_dead_letters is {max}")
            }
            Self::Host { message } => f.write_str(message),
        }
    }
}
