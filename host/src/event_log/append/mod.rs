//! Appending: the request, the answer, and the way from one to the other.
//!
//! Requests that wait at the same time are committed together: [`appender`] decides whose task does it, [`group`] gathers them, [`plan`] decides each one (without
//! I/O), and one [`statement`] writes what is accepted. While no other host appends, what a decision takes is known ([`known_end`]), and that
//! statement is all ([`at_known_head`]); otherwise it is read and decided under the lock of the head row ([`commit`]). [`stuck_hosts`] looks who
//! keeps them waiting. [`within`] appends in a transaction of somebody else.
//!
//! A [`condition`] is looked up in the log before its request is gathered, without any lock. Under the lock only the events are looked at
//! that were appended since, by others or by the same group ([`newer`]).

mod appender;
mod at_known_head;
mod check;
mod commit;
mod committed;
mod condition;
mod elsewhere;
mod error;
mod group;
mod head;
mod known_end;
mod locked;
mod newer;
mod noted_blocks;
mod plan;
mod request;
mod same_json;
mod seen_types;
mod statement;
mod stuck_hosts;
mod within;

use super::{
    event::{NewEvent, Position, StreamVersion},
    name::StreamName,
};

pub use self::error::AppendError;
pub(crate) use self::within::{AppendWithinError, Uncommitted};
pub(super) use self::{
    appender::Appender,
    check::{check_appends, check_line, check_writer},
    condition::{LookUps, LookedUp},
    elsewhere::AppendedElsewhere,
    within::{How as HowWithin, append as append_within},
};

/// Events for one stream.
#[derive(Clone, Debug)]
pub struct Append {
    /// The stream.
    pub stream: StreamName,
    /// What the writer takes the stream's version to be.
    pub expected: ExpectedVersion,
    /// The events, at least one.
    pub events: Vec<NewEvent>,
}

/// What the writer takes a stream's version to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Any version.
    #[default]
    Any,
    /// The stream has no events.
    NoStream,
    /// The stream's newest event has this version.
    Exact(StreamVersion),
}

impl ExpectedVersion {
    fn admits(self, current: StreamVersion) -> bool {
        match self {
            Self::Any => true,
            Self::NoStream => current == StreamVersion(0),
            Self::Exact(version) => current == version,
        }
    }
}

impl std::fmt::Display for ExpectedVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::NoStream => f.write_str("no_stream"),
            Self::Exact(version) => version.fmt(f),
        }
    }
}

/// The positions and versions of an append's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The stream.
    pub stream: StreamName,
    /// The version of the first of the events.
    pub first_version: StreamVersion,
    /// The version of the last.
    pub last_version: StreamVersion,
    /// The position of the first.
    pub first_position: Position,
    /// The position of the last.
    pub last_position: Position,
    /// Whether they were in the log before: the append was a repeat.
    pub repeated: bool,
}

/// A line of an import: an event and its stream.
pub type Line = (StreamName, NewEvent);

/// The result of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Events that were appended.
    pub imported: u64,
    /// Events that were in the log before, found by their ids.
    pub repeated: u64,
    /// The position of the first event appended; `None` if none was.
    pub first_position: Option<Position>,
    /// The position of the last event appended; `None` if none was.
    pub last_position: Option<Position>,
}

impl Imported {
    /// Adds the result of the lines that follow.
    pub fn merge(&mut self, next: Self) {
        self.imported += next.imported;
        self.repeated += next.repeated;
        self.first_position = self.first_position.or(next.first_position);
        self.last_position = next.last_position.or(self.last_position);
    }
}
