//! Tells whose fault it is that a call into a module ended.

use wasmtime::{OutOfMemory, PoolConcurrencyLimitError, Trap, WasmBacktrace, component::ResourceTableError};
use wasmtime_wasi::I32Exit;

use super::{stop::Stop, wasi::MAX_RESOURCES};
use crate::runtime::{
    failure::{BatchError, FailureKind, Frame, module_failure},
    printable::printable,
};

/// Frames of a backtrace that are kept.
const MAX_FRAMES: usize = 40;
/// Bytes of a function's name and of a file's that are kept.
const MAX_NAME_BYTES: usize = 500;

/// Tells whose fault it is that a call into a module ended with `error`.
pub(in crate::runtime) fn batch_error(error: wasmtime::Error, position: u64, last_words: String) -> BatchError {
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(frames).unwrap_or_default();
    let error = match error.downcast::<Stop>() {
        Ok(Stop::Rows(error)) => return BatchError::Rows(error),
        // The words say which call it was.
        Ok(Stop::BadCall(message)) => {
            return module_failure(position, FailureKind::BrokeContract, message, Vec::new());
        }
        Ok(Stop::Exceeded { kind, message }) => return module_failure(position, kind, message, backtrace),
        Err(error) => error,
    };
    let (kind, message) = if let Some(I32Exit(status)) = error.downcast_ref::<I32Exit>() {
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

/// Tells whose fault it is that no instance could be made. What is wrong with the module itself stays wrong.
pub(in crate::runtime) fn instance_error(error: wasmtime::Error, position: u64, last_words: String) -> BatchError {
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
