//! Signals that end the program, which has something to put in order before: a terminal, or a file that is not whole.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a program to end. Left alone, each ends it at once: the terminal stays without echo, as a screen needs it, and a temporary
/// file stays where it is.
#[derive(Debug)]
pub(super) struct End {
    /// Of `kill`.
    terminate: Signal,
    /// The terminal was closed.
    hang_up: Signal,
    /// Ctrl-C, which is a key while a screen is drawn, and `kill -INT`.
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
