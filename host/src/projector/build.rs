//! What a build is.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{event_log::Position, modules::ModuleVersion, read_model::Identifier, runtime::ModuleFailure};

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
    /// Something else that trying again will not mend.
    Host {
        /// What went wrong.
        message: String,
    },
}

/// A build as users see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BuildSummary {
    /// Its number.
    pub build: BuildId,
    /// The version of the projection that it materialises.
    pub version: ModuleVersion,
    /// What it is.
    pub state: BuildState,
    /// The position up to which it holds the effect of every event.
    pub checkpoint: Position,
    /// The position of the newest event.
    pub head: Position,
    /// head − checkpoint.
    pub lag: u64,
    /// Events of the log that it passes in a second, lately.
    pub events_per_second: f64,
    /// Why it stopped, if it did.
    pub error: Option<BuildError>,
    /// When it was begun.
    pub created_at: Timestamp,
}

/// A projection as users see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProjectionSummary {
    /// Its name.
    pub name: Identifier,
    /// The build that queries read; none before the first has caught up.
    pub active_build: Option<BuildId>,
    /// The version of that build.
    pub active_version: Option<ModuleVersion>,
    /// The names of its tables: of the active build, or of the newest.
    pub tables: Vec<String>,
    /// Its builds, newest first.
    pub builds: Vec<BuildSummary>,
}
