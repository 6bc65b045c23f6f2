//! Determines whose fault it is that a call into a module failed.

use wasmtime::{OutOfMemory, PoolConcurrencyLimitError, Trap, WasmBacktrace, component::ResourceTableError};
use wasmtime_wasi::I32Exit;

use super::{stop::Stop, wasi::MAX_RESOURCES};
use crate::runtime::{
    failure::{CallError, FailureKind, Fault, Frame},
    printable::printable,
};

/// Frames of a backtrace that are kept.
const MAX_FRAMES: usize = 40;
/// Bytes that are kept of the name of a function, and of the path of a file.
const MAX_NAME_BYTES: usize = 500;

/// Determines whose fault it is that a call into a module failed with `error`. `complaints` is what the module wrote to its
/// stderr and as error lines.
pub(in crate::runtime) fn call_error(error: wasmtime::Error, complaints: String) -> CallError {
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(frames).unwrap_or_default();
    let error = match error.downcast::<Stop>() {
        Ok(Stop::Rows(error)) => return CallError::Rows(error),
        Ok(Stop::HostMemory(message)) => return CallError::Memory(message),
        // The message names the call, so no backtrace is needed.
        Ok(Stop::BadCall(message)) => {
            return CallError::Module(Fault::new(FailureKind::BrokeContract, &message, Vec::new()));
        }
        Ok(Stop::Exceeded { kind, message }) => return CallError::Module(Fault::new(kind, &message, backtrace)),
        Err(error) => error,
    };
    let (kind, message) = if let Some(I32Exit(status)) = error.downcast_ref::<I32Exit>() {
        (FailureKind::Trapped, format!("it exited with status {status}"))
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        (FailureKind::Trapped, if complaints.is_empty() { trap.to_string() } else { complaints })
    } else if let Some(ResourceTableError::Full) = error.downcast_ref::<ResourceTableError>() {
        (FailureKind::BrokeContract, format!("it holds more than {MAX_RESOURCES} WASI resources, such as streams"))
    } else {
        let cause = error.root_cause().to_string();
        // The type of this error is private to wasmtime.
        let cause = if cause.starts_with("too much data is being copied between the host and the guest") {
            "it passed more data to the host in one call than the limit max_call_bytes allows".to_owned()
        } else {
            cause
        };
        // All other errors come from a call to the host: a list outside of the module's memory, a string that is not UTF-8,
        // more of something than the host gives.
        (FailureKind::BrokeContract, cause)
    };
    CallError::Module(Fault::new(kind, &message, backtrace))
}

/// Determines whose fault it is that no instance could be made: the host's if it has none left, the module's otherwise.
pub(in crate::runtime) fn instance_error(error: wasmtime::Error, complaints: String) -> CallError {
    if error.is::<PoolConcurrencyLimitError>() || error.is::<OutOfMemory>() {
        return CallError::Instance(error.to_string());
    }
    match call_error(error, complaints) {
        CallError::Module(fault) => CallError::Module(fault.during_start()),
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
        // Inlined functions come before the function that they were inlined into.
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
