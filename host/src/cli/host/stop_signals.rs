//! Ctrl-C and SIGTERM: the first stops the host in order, the second ends the process at once. So does the end of the time that a host has to
//! stop.

use std::{
    io,
    process::exit,
    time::{Duration, Instant},
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::output::say;

/// Beyond the deadline, so that a host that notices it itself can say what has not ended.
const GRACE: Duration = Duration::from_secs(1);
/// The exit code of a process that did not end in time, as of one that failed.
const FAILURE: i32 = 1;

/// The signals that stop a host.
pub(in crate::cli) struct StopSignals(Option<Streams>);

struct Streams {
    interrupt: Signal,
    terminate: Signal,
}

impl Streams {
    /// Waits for a signal; returns its number.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
        }
    }
}

impl StopSignals {
    /// From now on signals are kept for this value.
    pub(in crate::cli) fn listen() -> io::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self(Some(Streams { interrupt, terminate })))
    }

    /// Waits for a signal. After [`StopSignals::end_within`] this never returns.
    pub(in crate::cli) async fn next(&mut self) {
        match &mut self.0 {
            Some(streams) => _ = streams.next().await,
            None => std::future::pending().await,
        }
    }

    /// Waits for the signal to stop, from which on [`StopSignals::end_within`] holds.
    pub(in crate::cli) async fn stop(&mut self, timeout: Duration) {
        self.next().await;
        self.end_within(timeout);
    }

    /// From now on the next signal ends the process at once, with 128 and the signal's number as the exit code, and the end of the time
    /// with a failure, whatever hangs: a thread of its own sees to that. Later calls change nothing.
    pub(in crate::cli) fn end_within(&mut self, timeout: Duration) {
        let Some(mut streams) = self.0.take() else { return };
        tokio::spawn(async move {
            let number = streams.next().await;
            say("stopped at once, by a second signal");
            exit(128 + number);
        });
        let deadline = Instant::now() + timeout + GRACE;
        std::thread::spawn(move || {
            std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
            say(format_args!(
                "error: the host did not stop within {} s (--shutdown-timeout); it ends now",
                timeout.as_secs_f64()
            ));
            exit(FAILURE);
        });
    }
}
