//! How programs end.

use std::fmt;
use std::process::ExitStatus;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End(pub(super) Option<ExitStatus>);

impl End {
    pub(super) fn is_success(self) -> bool {
        self.0.is_some_and(|status| status.success())
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(status) => status.fmt(f),
            // Only if SIGCHLD is ignored in the host's process, so that the kernel reaps children.
            None => f.write_str("exit status unknown"),
        }
    }
}
