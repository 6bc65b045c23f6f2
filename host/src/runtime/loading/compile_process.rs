//! The process that compiles one component for a host, a hidden command of the program.
//!
//! The host writes the component to the process' stdin and reads the code from its stdout. Whatever a component does to the compiler
//! ends with this process, which limits its own memory and processor time before it reads, and which ends when its stdin is closed: then
//! the host has ended, or nobody waits for the code any more.

use std::{
    io::{self, Read, Write},
    process::{ExitCode, exit},
    thread,
};

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use wasmtime::Engine;

use crate::runtime::{limits::RuntimeLimits, printable::printable, sandbox::engine};

/// The name of the command.
pub(super) const COMMAND: &str = "compile-module";
/// The exit status if the compiler refuses the component; the reason is on stderr.
pub(super) const REFUSED: u8 = 65;
/// Bytes of a reason that are written.
pub(super) const MAX_REASON_BYTES: usize = 4096;
/// Seconds from the signal that ends the process, when its time is over, to the one that cannot be caught.
const GRACE_SECONDS: rlim_t = 5;

/// What a host asks of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileOrder {
    /// The bytes of the component, which are read from stdin.
    pub component_bytes: u64,
    /// Bytes of memory that compiling may take.
    pub max_memory_bytes: u64,
    /// Seconds of processor time that compiling may take.
    pub max_seconds: u64,
}

impl CompileOrder {
    pub(super) fn new(component_bytes: usize, limits: &RuntimeLimits) -> Self {
        Self {
            component_bytes: component_bytes as u64,
            max_memory_bytes: limits.max_compile_memory_bytes as u64,
            // Whole seconds are what the system counts in.
            max_seconds: limits.max_compile_time.as_secs_f64().ceil() as u64,
        }
    }

    /// The arguments of the program.
    pub(super) fn arguments(&self) -> [String; 4] {
        let Self { component_bytes, max_memory_bytes, max_seconds } = self;
        [COMMAND.to_owned(), component_bytes.to_string(), max_memory_bytes.to_string(), max_seconds.to_string()]
    }
}

/// Reads a component from stdin, compiles it, and writes the code to stdout, within the limits of the order.
#[must_use]
pub fn compile_for_host(order: CompileOrder) -> ExitCode {
    let component = match limit_this_process(order).and_then(|()| read_component(order.component_bytes)) {
        Ok(component) => component,
        Err(error) => {
            say(&format!("the process that compiles cannot begin: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let compiled = Engine::new(&engine::code_config()).and_then(|engine| engine.precompile_component(&component));
    match compiled {
        Ok(code) => {
            let mut stdout = io::stdout().lock();
            // An error means that nobody reads.
            match stdout.write_all(&code).and_then(|()| stdout.flush()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            say(&error.root_cause().to_string());
            ExitCode::from(REFUSED)
        }
    }
}

/// Memory that is only reserved does not count: allocators reserve much, and the engine does. On systems that do not count what a process
/// has allocated, such as macOS, only the time is limited.
fn limit_this_process(order: CompileOrder) -> io::Result<()> {
    limit(Resource::RLIMIT_DATA, order.max_memory_bytes, 0)?;
    limit(Resource::RLIMIT_CPU, order.max_seconds, GRACE_SECONDS)?;
    // Its memory is nothing that anybody wants to find on the disk.
    limit(Resource::RLIMIT_CORE, 0, 0)
}

/// Sets a limit, and the one that cannot be raised above it, unless the process has narrower ones.
fn limit(resource: Resource, soft: rlim_t, beyond: rlim_t) -> io::Result<()> {
    let (_, hard) = getrlimit(resource)?;
    Ok(setrlimit(resource, soft.min(hard), soft.saturating_add(beyond).min(hard))?)
}

fn read_component(bytes: u64) -> io::Result<Vec<u8>> {
    let mut component = Vec::new();
    io::stdin().lock().take(bytes).read_to_end(&mut component)?;
    if (component.len() as u64) < bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    thread::Builder::new().name("host-watch".into()).spawn(|| {
        // The host writes no more and keeps its end open.
        let _ = io::stdin().lock().read(&mut [0]);
        exit(1);
    })?;
    Ok(component)
}

fn say(reason: &str) {
    // Nobody may be there to read it.
    let _ = io::stderr().lock().write_all(printable(reason, MAX_REASON_BYTES).as_bytes());
}
