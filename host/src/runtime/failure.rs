//! How a batch can fail.

use serde::{Deserialize, Serialize};

use super::{label::ModuleLabel, printable::printable};
use crate::event_log::Position;

/// Why a batch has no result.
///
/// What follows depends on whose fault it is: a failure of the host is temporary and tried again, a failure of the module
/// stays until another version of the module is uploaded.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// Reading the rows that the module asked for failed. Not the module's fault.
    #[error("cannot read rows for the module: {0}")]
    Rows(ReadError),
    /// No instance of the module can be made now. Not the module's fault.
    #[error("cannot start an instance of the module: {0}")]
    Instance(String),
    /// The modules of this host together have no memory left for this one. Not the module's fault.
    #[error("the host has no memory for the module now: {0}")]
    Memory(String),
    /// The module failed.
    #[error(transparent)]
    Module(Box<ModuleFailure>),
}

/// Why a call into a module failed, without the event that it is attributed to.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// As [`BatchError::Rows`].
    #[error("cannot read rows for the module: {0}")]
    Rows(ReadError),
    /// As [`BatchError::Instance`].
    #[error("cannot start an instance of the module: {0}")]
    Instance(String),
    /// As [`BatchError::Memory`].
    #[error("the host has no memory for the module now: {0}")]
    Memory(String),
    /// The module failed.
    #[error("{0}")]
    Module(Fault),
}

impl CallError {
    /// Attributes the failure to the event at a position.
    pub(super) fn at(self, position: Position) -> BatchError {
        match self {
            Self::Rows(error) => BatchError::Rows(error),
            Self::Instance(message) => BatchError::Instance(message),
            Self::Memory(message) => BatchError::Memory(message),
            Self::Module(fault) => fault.at(position),
        }
    }
}

/// What a module did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    kind: FailureKind,
    message: String,
    backtrace: Vec<Frame>,
}

impl Fault {
    /// Keeps `message` up to [`MAX_MESSAGE_BYTES`], and without characters that a terminal or Postgres would not take.
    pub(super) fn new(kind: FailureKind, message: &str, backtrace: Vec<Frame>) -> Self {
        Self { kind, message: printable(message, MAX_MESSAGE_BYTES), backtrace }
    }

    /// Attributes the fault to the event at a position.
    pub(super) fn at(self, position: Position) -> BatchError {
        let Self { kind, message, backtrace } = self;
        BatchError::Module(Box::new(ModuleFailure { position, upcaster: None, kind, message, backtrace }))
    }

    /// The same fault, which happened as an instance started.
    pub(super) fn during_start(self) -> Self {
        Self { message: format!("{} (at its start)", self.message), ..self }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the module {}: {}", self.kind.verb(), self.message)
    }
}

/// Why rows cannot be read, as the [`RowReader`](super::RowReader) says.
pub type ReadError = Box<dyn std::error::Error + Send + Sync>;

/// What a module did wrong, and at which event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleFailure {
    /// The position of the event that the module handled.
    pub position: Position,
    /// The upcaster that failed, or `None` if it was the projection itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upcaster: Option<ModuleLabel>,
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// The module's own message; if it gave none, what the host observed.
    pub message: String,
    /// The functions on the module's stack, innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backtrace: Vec<Frame>,
}

impl ModuleFailure {
    fn subject(&self) -> String {
        match &self.upcaster {
            Some(upcaster) => format!("upcaster {upcaster}"),
            None => "the module".to_owned(),
        }
    }
}

impl std::fmt::Display for ModuleFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} at position {}: {}", self.subject(), self.kind.verb(), self.position, self.message)
    }
}

impl std::error::Error for ModuleFailure {}

/// The kinds of [`ModuleFailure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// It returned that it cannot handle the event.
    Refused,
    /// It panicked, or a WebAssembly instruction trapped.
    Trapped,
    /// It computed for too long.
    TimedOut,
    /// It needs more memory than it may have.
    OutOfMemory,
    /// It called the host, or returned a result, in a way that the contract does not allow: a row of the wrong shape, an
    /// unknown table, an event that is not JSON …
    BrokeContract,
}

impl FailureKind {
    /// Its name, as it is written in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Trapped => "trapped",
            Self::TimedOut => "timed_out",
            Self::OutOfMemory => "out_of_memory",
            Self::BrokeContract => "broke_contract",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Refused => "could not handle the event",
            Self::Trapped => "panicked or trapped",
            Self::TimedOut => "took too long",
            Self::OutOfMemory => "ran out of memory",
            Self::BrokeContract => "broke the contract",
        }
    }
}

/// A function of a backtrace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Bytes of a message that are kept: as much as an operator may want to read.
const MAX_MESSAGE_BYTES: usize = 8192;
