//! How a batch can fail.

use serde::{Deserialize, Serialize};

use super::printable::printable;

/// Why a batch left no rows.
///
/// Whose fault it is decides what follows, so the two are different types: a host's trouble passes and is tried again, a
/// module's failure stays until somebody changes the module.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// Reading the rows that the module asked for failed. Not the module's fault.
    #[error("cannot read rows for the module: {0}")]
    Rows(ReadError),
    /// No instance of the module can be made now. Not the module's fault.
    #[error("cannot start an instance of the module: {0}")]
    Instance(String),
    /// The module failed.
    #[error(transparent)]
    Module(Box<ModuleFailure>),
}

impl BatchError {
    /// Words for what went wrong while there was no event.
    pub(super) fn without_event(self) -> String {
        match self {
            Self::Module(failure) => failure.what(),
            other => other.to_string(),
        }
    }
}

/// What went wrong where rows are read; whoever provided the rows knows more.
pub type ReadError = Box<dyn std::error::Error + Send + Sync>;

/// What a module did wrong, and at which event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleFailure {
    /// The position of the current event.
    pub position: u64,
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// What the module said of it; if it said nothing, what happened to it.
    pub message: String,
    /// The functions that it was in, innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backtrace: Vec<Frame>,
}

impl ModuleFailure {
    /// What the module did, without the event.
    #[must_use]
    pub fn what(&self) -> String {
        format!("the module {}: {}", self.kind.verb(), self.message)
    }
}

impl std::fmt::Display for ModuleFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the module {} at position {}: {}", self.kind.verb(), self.position, self.message)
    }
}

impl std::error::Error for ModuleFailure {}

/// The kinds of [`ModuleFailure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// It answered that it cannot handle the event.
    Refused,
    /// It panicked or did what WebAssembly does not allow.
    Trapped,
    /// It computed for too long.
    TimedOut,
    /// It wanted more memory than it may have.
    OutOfMemory,
    /// It called the host, or answered, in a way that the contract does not allow: a row of the wrong shape, an unknown
    /// table, an event that is not JSON …
    BrokeContract,
}

impl FailureKind {
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

/// Bytes of a message that are kept.
const MAX_MESSAGE_BYTES: usize = 8192;

/// Words of a module are kept as long as an operator may want to read them, and as text that harms no terminal and no
/// database.
pub(super) fn module_failure(position: u64, kind: FailureKind, message: String, backtrace: Vec<Frame>) -> BatchError {
    let message = printable(&message, MAX_MESSAGE_BYTES);
    BatchError::Module(Box::new(ModuleFailure { position, kind, message, backtrace }))
}
