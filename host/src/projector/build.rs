//! What a build is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{read_model::Identifier, runtime::ModuleFailure};

/// The number of a build, unique in its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BuildId(pub i64);

impl BuildId {
    /// The schema that holds the build's tables.
    #[must_use]
    pub fn schema(self) -> Identifier {
        // Positive numbers make a good name; the database counts from 1.
        Identifier::new(format!("build_{}", self.0.unsigned_abs())).unwrap_or_else(|_| unreachable!("a good name"))
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a build is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Phase {
    /// It is filled from the first event on, without indexes.
    Replaying,
    /// It has caught up once, and has its indexes.
    Live,
}

/// Whether a build is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Running,
    Paused,
    Halted,
    Failed,
    Retired,
}

/// What a build is to its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BuildState {
    /// It is filled from the first event on.
    Replaying,
    /// It has caught up and follows the log, but queries read another build.
    Live,
    /// Queries read it, and it follows the log.
    Active,
    /// An operator stopped it.
    Paused,
    /// It stopped at an event that its module cannot handle.
    Halted,
    /// It stopped for a reason that is neither its module's nor passing.
    Failed,
    /// It is no longer of use; its tables are gone or about to go.
    Retired,
}

impl BuildState {
    pub(super) fn of(phase: Phase, status: Status, active: bool) -> Self {
        match (status, phase) {
            (Status::Paused, _) => Self::Paused,
            (Status::Halted, _) => Self::Halted,
            (Status::Failed, _) => Self::Failed,
            (Status::Retired, _) => Self::Retired,
            (Status::Running, _) if active => Self::Active,
            (Status::Running, Phase::Replaying) => Self::Replaying,
            (Status::Running, Phase::Live) => Self::Live,
        }
    }
}

impl fmt::Display for BuildState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replaying => "replaying",
            Self::Live => "live",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::Failed => "failed",
            Self::Retired => "retired",
        })
    }
}

/// Why a build stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum BuildError {
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
    /// More events were set aside than may be.
    TooManyDeadLetters {
        /// How many there would be.
        found: u64,
        /// How many there may be.
        max: u64,
    },
    /// Something else that trying again will not mend.
    Host {
        /// What went wrong.
        message: String,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module { failure, stream, event_type } => write!(f, "{failure} ({event_type} of stream {stream})"),
            Self::TooManyDeadLetters { found, max } => {
                write!(f, "{found} events would be set aside; the limit max_dead_letters is {max}")
            }
            Self::Host { message } => f.write_str(message),
        }
    }
}
