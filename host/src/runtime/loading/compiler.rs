//! Compiles components: in a process of its own, or in this one.

use std::{
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{ExitStatus, Stdio},
};

use nix::sys::signal::Signal;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
};
use wasmtime::Engine;

use super::{
    code::{CompiledCode, max_code_bytes, too_much_code},
    compile_process::{CompileOrder, MAX_REASON_BYTES, REFUSED},
};
use crate::runtime::{invalid::CannotLoad, limits::RuntimeLimits, printable::printable};

/// How many times longer compiling may last than it may compute: on a busy machine, others compute meanwhile.
const WALL_CLOCK_FACTOR: u32 = 5;

/// Compiles a component in this process, where nothing limits what that takes but the compile budget. For tests, and for programs that
/// load modules without a host.
///
/// # Errors
/// It is not valid, or has too much code.
pub(super) fn compile_here(engine: &Engine, component: &[u8]) -> Result<CompiledCode, CannotLoad> {
    let code = engine.precompile_component(component);
    let code = code.map_err(|error| not_valid(&error.root_cause().to_string()))?;
    if code.len() > max_code_bytes(component.len()) {
        return Err(too_much_code(component.len()).into());
    }
    Ok(CompiledCode::of_compiler(code))
}

/// Compiles a component in a process of `program`, which is this program. The process is killed when its time is over, and when the
/// caller no longer waits; if the host is killed, it ends by itself.
///
/// # Errors
/// It is not valid, it is too dear, or the process cannot do its work.
pub(super) async fn compile_apart(
    program: &Path,
    component: &[u8],
    limits: &RuntimeLimits,
) -> Result<CompiledCode, CannotLoad> {
    let mut command = Command::new(program);
    command.args(CompileOrder::new(component.len(), limits).arguments());
    // It needs nothing of the environment, which may have secrets.
    command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let host = |error: &dyn std::fmt::Display| {
        CannotLoad::Host(format!("the process that compiles modules ({}) cannot be run: {error}", program.display()))
    };
    let mut child = command.spawn().map_err(|error| host(&error))?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(host(&"it has no pipes"));
    };
    let max = max_code_bytes(component.len());
    let whole = async {
        // An error means that it ended before it had read everything, and its status says why.
        let send = async { stdin.write_all(component).await.is_ok() };
        let (_, code, said) = tokio::join!(send, up_to(stdout, max + 1), up_to(stderr, MAX_REASON_BYTES));
        // Its stdin is open until here, since it ends when that is closed.
        let status = child.wait().await.map_err(|error| host(&error))?;
        match code {
            Ok(code) if code.len() > max => Err(too_much_code(component.len()).into()),
            Ok(code) if status.success() => Ok(CompiledCode::of_compiler(code)),
            Ok(_) => Err(refusal(status, &String::from_utf8_lossy(&said.unwrap_or_default()), limits)),
            Err(error) => Err(host(&error)),
        }
    };
    let longest = limits.max_compile_time * WALL_CLOCK_FACTOR;
    tokio::time::timeout(longest, whole).await.unwrap_or_else(|_| {
        Err(CannotLoad::Host(format!(
            "compiling it was given up after {} s, in which the machine gave it less than the {} s of computing that it may take",
            longest.as_secs_f64(),
            limits.max_compile_time.as_secs_f64()
        )))
    })
}

/// Reads up to so many bytes.
async fn up_to(reader: impl AsyncRead + Unpin, max: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(max as u64).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Why the process ended without code, by its status and what it said.
fn refusal(status: ExitStatus, said: &str, limits: &RuntimeLimits) -> CannotLoad {
    if status.code() == Some(i32::from(REFUSED)) {
        return not_valid(said);
    }
    // What Rust says when an allocation fails, or the system when a thread cannot be started.
    if ["memory allocation of", "Cannot allocate memory", "out of memory"].iter().any(|words| said.contains(words)) {
        let max = limits.max_compile_memory_bytes;
        return too_dear(&format!("{max} bytes of memory; the limit is max_compile_memory_bytes")).into();
    }
    let signal = status.signal().and_then(|number| Signal::try_from(number).ok());
    let words = printable(said.trim_end(), MAX_REASON_BYTES);
    match (signal, status.code()) {
        (Some(Signal::SIGXCPU), _) => {
            let seconds = limits.max_compile_time.as_secs_f64();
            too_dear(&format!("{seconds} s of a processor's time; the limit is max_compile_time")).into()
        }
        // A panic (101), a stack that is used up, or worse.
        (Some(Signal::SIGABRT | Signal::SIGSEGV | Signal::SIGBUS | Signal::SIGILL), _) | (None, Some(101)) => {
            format!("the compiler failed at it ({status}): {words}").into()
        }
        _ => CannotLoad::Host(format!("the process that compiles modules ended ({status}): {words}")),
    }
}

fn too_dear(limit: &str) -> String {
    format!(
        "it is too dear to compile: that takes more than {limit}; split it into smaller functions, or into several modules"
    )
}

/// The message for a component that the compiler refuses.
fn not_valid(cause: &str) -> CannotLoad {
    format!("it is not a valid component: {cause}").into()
}
