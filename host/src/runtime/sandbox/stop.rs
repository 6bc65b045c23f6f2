//! Why the host ends a batch while the module runs.

use crate::runtime::failure::{FailureKind, ReadError};

/// Why the host ends a batch: in a call that the module makes, at a tick of the engine, or when the module's memory grows.
/// Every part of the sandbox and every import returns this error, which `fault.rs` reads.
#[derive(Debug, thiserror::Error)]
pub(in crate::runtime) enum Stop {
    /// The rows that the module asked for cannot be read now. Not the module's fault.
    #[error("{0}")]
    Rows(ReadError),
    /// The modules of this host together have no memory left. Not the module's fault.
    #[error("{0}")]
    HostMemory(String),
    /// The module called the host in a way that the contract does not allow. The message names the call or its table.
    #[error("{0}")]
    BadCall(String),
    /// The module exceeded a limit, or used what no module may use.
    #[error("{message}")]
    Exceeded {
        /// What kind of failure that is.
        kind: FailureKind,
        /// What it used, and the limit.
        message: String,
    },
}
