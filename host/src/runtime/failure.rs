//! How a batch can fail.

use serde::{Deserialize, Serialize};
use wasmtime::{OutOfMemory, PoolConcurrencyLimitError, Trap, WasmBacktrace, component::ResourceTableError};
use wasmtime_wasi::I32Exit;

use super::{
    bindings::projection::gnomon::module::types,
    limits::Excess,
    output::printable,
    state::CallError,
    wasi::{CannotWait, MAX_RESOURCES},
};

/// Why a batch left no rows.
///
/// Whose fault it is decides what follows, so the two are different types: a host's trouble passes and is tried again, a
/// module's failure stays until somebody changes the module.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// Reading the rows that the module asked for failed. Not the module's fault.
    #[error("cannot read rows for the module: {0}")]
    Rows(#[source] ReadError),
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
    /// The position of the event in hand.
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

/// Frames of a backtrace that are kept.
const MAX_FRAMES: usize = 40;
/// Bytes of a function's name and of a file's that are kept.
const MAX_NAME_BYTES: usize = 500;
/// Bytes of a message that are kept.
const MAX_MESSAGE_BYTES: usize = 8192;

/// Tells whose fault it is that a call into a module ended with `error`.
pub(super) fn batch_error(error: wasmtime::Error, position: u64, last_words: String) -> BatchError {
    let error = match error.downcast::<CallError>() {
        Ok(CallError::Rows(error)) => return BatchError::Rows(error),
        Ok(error) => {
            return module_failure(position, FailureKind::BrokeContract, error.to_string(), Vec::new());
        }
        Err(error) => error,
    };
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(frames).unwrap_or_default();
    let (kind, message) = if let Some(excess) = error.downcast_ref::<Excess>() {
        (FailureKind::OutOfMemory, excess.to_string())
    } else if let Some(late) = error.downcast_ref::<TookTooLong>() {
        (FailureKind::TimedOut, late.to_string())
    } else if let Some(wait) = error.downcast_ref::<CannotWait>() {
        (FailureKind::BrokeContract, wait.to_string())
    } else if let Some(I32Exit(status)) = error.downcast_ref::<I32Exit>() {
        (FailureKind::Trapped, format!("it ended itself with exit status {status}"))
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        (FailureKind::Trapped, if last_words.is_empty() { trap.to_string() } else { last_words })
    } else if let Some(ResourceTableError::Full) = error.downcast_ref::<ResourceTableError>() {
        (FailureKind::BrokeContract, format!("it holds more than {MAX_RESOURCES} streams and the like of WASI"))
    } else {
        let cause = error.root_cause().to_string();
        // wasmtime keeps the type of this error to itself.
        let cause = if cause.starts_with("too much data is being copied between the host and the guest") {
            "it handed the host more in one call than the limit max_call_bytes allows".to_owned()
        } else {
            cause
        };
        // What is no trap comes from a call to the host: a list that is not in the module's memory, text that is no text,
        // more of something than the host gives.
        (FailureKind::BrokeContract, cause)
    };
    module_failure(position, kind, message, backtrace)
}

/// What a module answered that cannot handle an event. `known` tells whether the position that it names is in its batch; if
/// not, the event in hand is the one.
pub(super) fn refusal(failure: types::Failure, known: bool, in_hand: u64) -> BatchError {
    let position = if known { failure.position } else { in_hand };
    module_failure(position, FailureKind::Refused, failure.message, Vec::new())
}

/// Tells whose fault it is that no instance could be made. What is wrong with the module itself stays wrong.
pub(super) fn instance_error(error: wasmtime::Error, position: u64, last_words: String) -> BatchError {
    if error.is::<PoolConcurrencyLimitError>() || error.is::<OutOfMemory>() {
        return BatchError::Instance(error.to_string());
    }
    match batch_error(error, position, last_words) {
        BatchError::Module(mut failure) => {
            failure.message = format!("{} (at its start)", failure.message);
            BatchError::Module(failure)
        }
        other => other,
    }
}

/// Words of a module are kept as long as an operator may want to read them, and as text that harms no terminal and no
/// database.
pub(super) fn module_failure(position: u64, kind: FailureKind, message: String, backtrace: Vec<Frame>) -> BatchError {
    let message = printable(&message, MAX_MESSAGE_BYTES);
    BatchError::Module(Box::new(ModuleFailure { position, kind, message, backtrace }))
}

/// The deadline of a batch passed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it computed for more than {} s; the limit is max_batch_time", limit.as_secs_f64())]
pub(super) struct TookTooLong {
    pub(super) limit: std::time::Duration,
}

fn frames(backtrace: &WasmBacktrace) -> Vec<Frame> {
    let mut frames = Vec::new();
    for frame in backtrace.frames().iter().take(MAX_FRAMES) {
        let function = || frame.func_name().map_or_else(|| format!("function {}", frame.func_index()), demangle);
        if frame.symbols().is_empty() {
            frames.push(Frame { function: function(), file: None, line: None });
        }
        // Inlined functions stand before the one that they were inlined into.
        for symbol in frame.symbols() {
            frames.push(Frame {
                function: symbol.name().map_or_else(function, demangle),
                file: symbol.file().map(|file| printable(file, MAX_NAME_BYTES)),
                line: symbol.line(),
            });
        }
    }
    frames.truncate(MAX_FRAMES);
    frames
}

fn demangle(name: &str) -> String {
    let name = &name[..name.floor_char_boundary(10 * MAX_NAME_BYTES)];
    printable(&format!("{:#}", rustc_demangle::demangle(name)), MAX_NAME_BYTES)
}
