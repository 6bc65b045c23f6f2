//! Projections and their builds.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::open_enum::open_enum;

open_enum! {
    /// The state of a build.
    BuildState {
        /// It is being filled, from the first event on.
        Replaying "replaying",
        /// It has caught up and follows the log; queries read another build.
        Live "live",
        /// Queries read it, and it follows the log.
        Active "active",
        /// It holds all that it is to hold: a past build that has reached its position.
        Finished "finished",
        /// An operator stopped it.
        Paused "paused",
        /// It stopped at an event that its module cannot handle.
        Halted "halted",
        /// It stopped for another reason, which a retry by the host cannot correct.
        Failed "failed",
        /// Its tables are dropped.
        Retired "retired",
    }
}

open_enum! {
    /// What happens at an event that a module cannot handle.
    OnFailure {
        /// The build stops there.
        Halt "halt",
        /// The event is set aside.
        Skip "skip",
        /// The event is set aside, and so are all later events of its stream.
        Park "park",
    }
}

open_enum! {
    /// Why a build stopped.
    BuildErrorReason {
        /// Its module cannot handle an event.
        Module "module",
        /// More events would be set aside than the limit allows.
        TooManyDeadLetters "too_many_dead_letters",
        /// Another reason, which a retry by the host cannot correct.
        Host "host",
    }
}

open_enum! {
    /// What a module did wrong.
    FailureKind {
        /// It returned an error for the event.
        Refused "refused",
        /// It panicked, or did what WebAssembly does not allow.
        Trapped "trapped",
        /// It computed for too long.
        TimedOut "timed_out",
        /// It needed more memory than the limit allows.
        OutOfMemory "out_of_memory",
        /// It called the host, or returned, in a way that the contract does not allow.
        BrokeContract "broke_contract",
    }
}

/// The parameters of `GET /v1/projections` and `GET /v1/projections/{name}`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ProjectionsQuery {
    /// Whether retired builds are listed, the newest hundred of each projection.
    #[serde(default)]
    pub retired: bool,
    /// Whether the answer says what each projection reads. Followers do not get it.
    #[serde(default)]
    pub reading: bool,
}

/// The answer of `GET /v1/projections`, by name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Projections {
    /// The projections.
    pub projections: Vec<Projection>,
}

/// A projection.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Projection {
    /// Its name.
    pub name: String,
    /// The build that queries read; null before the first has caught up.
    #[schema(required)]
    pub active_build: Option<u64>,
    /// The version of that build.
    #[schema(required)]
    pub active_version: Option<u32>,
    /// What happens at an event that its module cannot handle.
    pub on_failure: OnFailure,
    /// The names of its tables: those of the active build, or of the newest if none is active.
    pub tables: Vec<String>,
    /// Its builds, newest first; retired ones only if they are asked for.
    pub builds: Vec<Build>,
    /// Its verifications that have not ended, newest first.
    #[serde(default)]
    pub verifications: Vec<RunningVerification>,
    /// What it reads of the log, if that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
}

/// A verification that has not ended: a build that is filled to be compared with another one.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct RunningVerification {
    /// Its number: 1, 2, 3 … within the projection.
    pub verification: u64,
    /// The build that is verified.
    pub build: u64,
    /// The version of that build.
    pub version: u32,
    /// The state of the build that is filled.
    pub state: BuildState,
    /// The position up to which that holds the effect of every event.
    pub checkpoint: u64,
    /// The position of the newest event.
    pub head: u64,
    /// head − checkpoint.
    #[schema(required)]
    pub lag: Option<u64>,
    /// Events of the log that it has recently read per second; 0 if it is stopped or does not move.
    pub events_per_second: f64,
    /// Seconds until it has caught up at that rate; null if it has, or if it does not move.
    #[schema(required)]
    pub seconds_left: Option<f64>,
    /// Why it stopped, if it did.
    #[schema(required)]
    pub error: Option<BuildError>,
    /// What it waits for that another session of Postgres holds, in words: a lock on its tables, or on a view. Null if it does not.
    #[serde(default)]
    #[schema(required)]
    pub waits_for: Option<String>,
    /// How many events it has set aside.
    pub dead_letters: u64,
    /// The upcasters that it goes through.
    pub upcasters: Vec<PinnedUpcaster>,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
}

/// What a build of a projection reads of the log, and what it passes over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Reading {
    /// The build: the active one, or the newest if none is active.
    pub build: u64,
    /// Whether it reads events of every type.
    pub all_types: bool,
    /// The types as the log has them, with those that upcasters make into others; none if it reads every type.
    pub log_types: Vec<String>,
    /// The types that its module gets, with the events of each that it has handled.
    pub types: Vec<HandledType>,
    /// The categories of streams that it reads; all if there are none.
    pub categories: Vec<String>,
    /// Tags of which each event that it reads has one or more; left out if it reads events with any tags or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Types of events that it passes over, first those that may be misspelt.
    pub ignored: Vec<IgnoredType>,
    /// How many types it passes over beside these.
    pub more_ignored: u64,
}

/// A type of events that a build reads.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HandledType {
    /// The type, as the module gets it from the upcasters of the build.
    #[serde(rename = "type")]
    pub event_type: String,
    /// How many events of the type it has handled.
    pub handled: u64,
}

/// A type of events in the log that a build passes over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct IgnoredType {
    /// The type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The category of the streams that have its events.
    pub category: String,
    /// The type that was perhaps meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_meant: Option<String>,
    /// The category that was perhaps meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_meant: Option<String>,
}

/// A build.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Build {
    /// Its number: 1, 2, 3 … within the projection.
    pub build: u64,
    /// The version of the projection that it materialises.
    pub version: u32,
    /// Its state.
    pub state: BuildState,
    /// The position up to which it holds the effect of every event.
    pub checkpoint: u64,
    /// The position of the newest event.
    pub head: u64,
    /// head − checkpoint; null for a build that is retired.
    #[schema(required)]
    pub lag: Option<u64>,
    /// Events of the log that it has recently read per second; 0 if it is stopped or does not move.
    pub events_per_second: f64,
    /// Seconds until it has caught up at that rate; null if it has, or if it does not move.
    #[schema(required)]
    pub seconds_left: Option<f64>,
    /// Why it stopped, if it did.
    #[schema(required)]
    pub error: Option<BuildError>,
    /// What it waits for that another session of Postgres holds, in words: a lock on its tables, or on a view. Null if it does not.
    #[serde(default)]
    #[schema(required)]
    pub waits_for: Option<String>,
    /// How many events it has set aside.
    pub dead_letters: u64,
    /// How many events it has folded after events that come later in the log. If there are any, its rows can differ from those of
    /// a rebuild.
    pub out_of_order: u64,
    /// The upcasters that its events go through.
    pub upcasters: Vec<PinnedUpcaster>,
    /// Whether it becomes active by itself when it has caught up.
    pub activate_when_live: bool,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
    /// When another build became active in its stead; null if it is active, or never was.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub replaced_at: Option<Instant>,
}

/// Why a build stopped. The reason decides which members it has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct BuildError {
    /// The reason.
    pub reason: BuildErrorReason,
    /// `module`: the position of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// `module`: the upcaster that failed, if it was not the projection itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upcaster: Option<PinnedUpcaster>,
    /// `module`: what the module did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FailureKind>,
    /// `too_many_dead_letters`: how many there would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<u64>,
    /// `too_many_dead_letters`: how many there may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// `module` and `host`: the error message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// `module`: the functions that it was in, innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backtrace: Vec<Frame>,
    /// `module`: the event's stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// `module`: the event's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
}

/// What a module did wrong, and at which event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ModuleFailure {
    /// The position of the event.
    pub position: u64,
    /// The upcaster that failed, if it was not the projection itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upcaster: Option<PinnedUpcaster>,
    /// What the module did.
    pub kind: FailureKind,
    /// The module's own message; if it has none, what happened to the module.
    pub message: String,
    /// The functions that it was in, innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backtrace: Vec<Frame>,
}

/// A function of a backtrace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Frame {
    /// Its name.
    pub function: String,
    /// Its source file, if the module has debug information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// A version of an upcaster that the events of a build go through.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PinnedUpcaster {
    /// The upcaster.
    pub name: String,
    /// Its version.
    pub version: u32,
}

/// The body of `PATCH /v1/projections/{name}`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigureProjection {
    /// What happens at an event that the module cannot handle.
    pub on_failure: OnFailure,
}
