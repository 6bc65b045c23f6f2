//! Signals that end the program, which has to restore the terminal before.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a program to end. Left alone, each ends it at once, and the terminal stays as the screen needs it: without echo.
#[derive(Debug)]
pub(super) struct End {
    /// Of `kill`.
    terminate: Signal,
    /// The terminal was closed.
    hang_up: Signal,
    /// Of `kill -INT`; Ctrl-C is a key while the screen is drawn.
    interrupt: Signal,
    quit: Signal,
}

impl End {
    /// Listens from now on.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// Waits until one of them comes.
    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
        }
    }
}
