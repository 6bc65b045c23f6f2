//! Runs work in memory that no earlier work has written to.
//!
//! A forked child has the memory of a test that never called the module, with any test runner, and sends the result back. The
//! alternative is to run the test's program again, but a program does not know which of its tests it runs, and would start again
//! for each batch.
//!
//! A forked child has only the thread that called `fork`. Locks that other threads held then stay locked in it forever. The
//! allocators of the C libraries handle their own locks, the panic hook here takes none, and an alarm ends a child that waits for
//! any other lock.

use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    sync::Once,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::current_event;

/// Why work did not finish.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Crash {
    /// The position of the current event, if it is known.
    pub(super) position: Option<u64>,
    pub(super) message: String,
}

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static PANIC: RefCell<Option<Crash>> = const { RefCell::new(None) };
}

/// Runs `work` in a forked process, for at most `seconds`.
#[cfg(unix)]
pub(super) fn in_fresh_memory<R: Serialize + DeserializeOwned + Send>(
    seconds: u32,
    work: impl FnOnce() -> R + Send,
) -> Result<R, Crash> {
    catch_panics();
    unix::in_child(seconds, || caught(work))
}

/// Runs `work` in a new thread: this system cannot fork a process.
#[cfg(not(unix))]
pub(super) fn in_fresh_memory<R: Serialize + DeserializeOwned + Send>(
    _seconds: u32,
    work: impl FnOnce() -> R + Send,
) -> Result<R, Crash> {
    catch_panics();
    let ended = std::thread::scope(|scope| scope.spawn(|| caught(work)).join());
    ended.unwrap_or_else(|_| Err(Crash { position: None, message: "its thread panicked".to_owned() }))
}

fn caught<R>(work: impl FnOnce() -> R) -> Result<R, Crash> {
    CATCHING.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(false);
    result.map_err(|_| {
        PANIC.take().unwrap_or_else(|| Crash { position: None, message: "it panicked without a message".to_owned() })
    })
}

/// Installs a hook that records panics of work silently, and passes all others to the previous hook, which may wait for the lock
/// under which backtraces are printed.
fn catch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() {
                PANIC.set(Some(crash(info)));
            } else {
                before(info);
            }
        }));
    });
}

fn crash(info: &PanicHookInfo<'_>) -> Crash {
    let message = info.payload_as_str().unwrap_or("a value that is not text");
    let location = info.location().map(|location| format!(" at {location}")).unwrap_or_default();
    Crash { position: Some(current_event::get()), message: format!("it panicked{location}: {message}") }
}

#[cfg(unix)]
mod unix {
    use std::{
        io::{self, PipeWriter, Read, Write},
        sync::{Mutex, PoisonError},
    };

    use serde::{Serialize, de::DeserializeOwned};

    use super::Crash;

    /// Held while this process has the write end of a pipe, so that no other child inherits it: the reader would wait for that
    /// child too.
    static FORKING: Mutex<()> = Mutex::new(());

    pub(super) fn in_child<R: Serialize + DeserializeOwned>(
        seconds: u32,
        work: impl FnOnce() -> Result<R, Crash>,
    ) -> Result<R, Crash> {
        let lock = FORKING.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut reader, writer) = io::pipe().map_err(|error| no_child(&error))?;
        let child = match fork() {
            Ok(Some(child)) => child,
            Ok(None) => {
                drop(reader);
                alarm(seconds);
                send(writer, &work())
            }
            Err(error) => return Err(no_child(&error)),
        };
        drop(writer);
        drop(lock);
        let mut sent = Vec::new();
        let read = reader.read_to_end(&mut sent);
        let status = wait(child);
        read.and(status)
            .map_err(|error| no_child(&error))
            .and_then(|status| serde_json::from_slice(&sent).unwrap_or_else(|_| Err(ended(status, seconds))))
    }

    fn no_child(error: &io::Error) -> Crash {
        Crash { position: None, message: format!("cannot run it in a process of its own: {error}") }
    }

    fn ended(status: i32, seconds: u32) -> Crash {
        let message = if !libc::WIFSIGNALED(status) {
            format!("its process exited with status {}", libc::WEXITSTATUS(status))
        } else if libc::WTERMSIG(status) == libc::SIGALRM {
            format!("it did not end within {seconds} s")
        } else {
            format!("its process was killed by signal {}; did the stack overflow?", libc::WTERMSIG(status))
        };
        Crash { position: None, message }
    }

    /// Forks this process. Returns the child's id in the parent, `None` in the child.
    #[allow(unsafe_code, reason = "std has no fork")]
    fn fork() -> io::Result<Option<libc::pid_t>> {
        // SAFETY: the child continues with this thread's memory and ends in `send` without unwinding into the caller, so it drops
        // nothing that the parent drops too. The module's documentation says what holds for the other threads.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => Ok(None),
            child => Ok(Some(child)),
        }
    }

    /// Ends the process with a signal after `seconds`.
    #[allow(unsafe_code, reason = "std has no alarm")]
    fn alarm(seconds: u32) {
        // SAFETY: accesses no memory; the default action of the signal ends the process.
        unsafe { libc::alarm(seconds) };
    }

    /// Sends the result to the parent and ends the child.
    #[allow(unsafe_code, reason = "std::process::exit would run the exit handlers of the parent")]
    fn send<R: Serialize>(mut writer: PipeWriter, result: &R) -> ! {
        let sent = serde_json::to_vec(result).map_err(io::Error::from).and_then(|bytes| writer.write_all(&bytes));
        // SAFETY: ends this process only.
        unsafe { libc::_exit(i32::from(sent.is_err())) }
    }

    #[allow(unsafe_code, reason = "the child was not started by std")]
    fn wait(child: libc::pid_t) -> io::Result<i32> {
        let mut status = 0;
        loop {
            // SAFETY: `status` outlives the call, and only this call waits for the child.
            if unsafe { libc::waitpid(child, &raw mut status, 0) } == child {
                return Ok(status);
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::in_fresh_memory;

    #[test]
    fn work_leaves_nothing_in_memory() {
        static COUNT: AtomicI64 = AtomicI64::new(5);
        let count = || in_fresh_memory(60, || COUNT.fetch_add(1, Ordering::Relaxed)).map_err(|crash| crash.message);
        assert_eq!((count(), count()), (Ok(5), Ok(5)));
    }

    #[test]
    fn large_results_are_returned() {
        let result = in_fresh_memory(60, || "x".repeat(3_000_000)).map_err(|crash| crash.message);
        assert_eq!(result.map(|text| text.len()), Ok(3_000_000));
    }

    #[test]
    fn endless_work_is_ended() {
        let endless = in_fresh_memory(1, || {
            loop {
                std::hint::spin_loop();
            }
        });
        assert_eq!(
            endless.map_err(|crash: super::Crash| crash.message),
            Err::<(), _>("it did not end within 1 s".into())
        );
    }
}
