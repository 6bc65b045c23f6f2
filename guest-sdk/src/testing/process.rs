//! Memory that nothing else has written to.
//!
//! Forking gives just that: the child has the memory of a test that never called the projection, whatever the runner of the
//! tests is, and sends back what came out. To run the test's program again would be the other way, but a program cannot
//! tell for certain which of its tests it is in, and would have to start anew for each batch.
//!
//! A forked child has only the thread that forked. Locks that another thread held at that moment stay locked in it forever.
//! The allocators of the C libraries see to theirs; the panic hook here takes none; and whatever else a projection may wait
//! for ends by an alarm.

use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    sync::Once,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::current_event;

/// Why work did not come to its end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Crash {
    /// The event that was at hand, if that is known.
    pub(super) position: Option<u64>,
    pub(super) message: String,
}

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static PANIC: RefCell<Option<Crash>> = const { RefCell::new(None) };
}

/// Does work in fresh memory, for so many seconds at most.
#[cfg(unix)]
pub(super) fn in_fresh_memory<R: Serialize + DeserializeOwned + Send>(
    seconds: u32,
    work: impl FnOnce() -> R + Send,
) -> Result<R, Crash> {
    catch_panics();
    unix::in_child(seconds, || caught(work))
}

/// Does work in a thread of its own: no process can be forked here.
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

/// Lets panics of work be caught in silence, and leaves all others to the hook that was there before. That one may wait for
/// a lock, as backtraces are printed one at a time.
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
    let message = info.payload_as_str().unwrap_or("something that is no text");
    let place = info.location().map(|location| format!(" at {location}")).unwrap_or_default();
    Crash { position: Some(current_event::get()), message: format!("it panicked{place}: {message}") }
}

#[cfg(unix)]
mod unix {
    use std::{
        io::{self, PipeWriter, Read, Write},
        sync::{Mutex, PoisonError},
    };

    use serde::{Serialize, de::DeserializeOwned};

    use super::Crash;

    /// Held while a pipe has its two ends in this process, so that no other child inherits the end that is written to: the
    /// reader would wait for that child too.
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
        Crash { position: None, message: format!("no process could be had for it: {error}") }
    }

    fn ended(status: i32, seconds: u32) -> Crash {
        let message = if !libc::WIFSIGNALED(status) {
            format!("its process ended itself, with code {}", libc::WEXITSTATUS(status))
        } else if libc::WTERMSIG(status) == libc::SIGALRM {
            format!("it did not end within {seconds} s")
        } else {
            format!("its process was killed by signal {}; did the stack overflow?", libc::WTERMSIG(status))
        };
        Crash { position: None, message }
    }

    /// The child's id in the parent, none in the child.
    #[allow(unsafe_code, reason = "fresh memory is to be had by fork alone")]
    fn fork() -> io::Result<Option<libc::pid_t>> {
        // SAFETY: the child goes on with this thread's memory and ends in `send` without unwinding into the caller, so that
        // nothing is dropped twice that the outside can see. That other threads are gone is dealt with above.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => Ok(None),
            child => Ok(Some(child)),
        }
    }

    /// Ends the process by a signal after so many seconds.
    #[allow(unsafe_code, reason = "std has no alarm")]
    fn alarm(seconds: u32) {
        // SAFETY: no memory is involved; the signal's default action is to end the process.
        unsafe { libc::alarm(seconds) };
    }

    /// Sends the result to the parent and ends the child.
    #[allow(unsafe_code, reason = "std::process::exit would run what the parent registered for its own exit")]
    fn send<R: Serialize>(mut writer: PipeWriter, result: &R) -> ! {
        let sent = serde_json::to_vec(result).map_err(io::Error::from).and_then(|bytes| writer.write_all(&bytes));
        // SAFETY: ends this process, with nothing done before that concerns another.
        unsafe { libc::_exit(i32::from(sent.is_err())) }
    }

    #[allow(unsafe_code, reason = "the child is not one of std's")]
    fn wait(child: libc::pid_t) -> io::Result<i32> {
        let mut status = 0;
        loop {
            // SAFETY: `status` outlives the call, and the child is waited for here alone.
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
    fn nothing_that_is_done_apart_is_left_behind() {
        static COUNT: AtomicI64 = AtomicI64::new(5);
        let count = || in_fresh_memory(60, || COUNT.fetch_add(1, Ordering::Relaxed)).map_err(|crash| crash.message);
        assert_eq!((count(), count()), (Ok(5), Ok(5)));
    }

    #[test]
    fn large_results_come_back() {
        let result = in_fresh_memory(60, || "x".repeat(3_000_000)).map_err(|crash| crash.message);
        assert_eq!(result.map(|text| text.len()), Ok(3_000_000));
    }

    #[test]
    fn work_without_an_end_is_ended() {
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
