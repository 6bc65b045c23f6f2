//! How the host ends a batch while the module runs.

use crate::runtime::failure::{FailureKind, ReadError};

/// Why the host ends a batch, out of a call of the module, a tick of the engine or the growth of its memory. Each part of the
/// sandbox and each import says it in this way, and `fault.rs` reads it; a part that is added needs no change there.
#[derive(Debug, thiserror::Error)]
pub(in crate::runtime) enum Stop {
    /// The rows that the module asked for cannot be read now. Not the module's fault.
    #[error("{0}")]
    Rows(ReadError),
    /// The module called the host in a way that the contract does not allow. The words name what the call was about.
    #[error("{0}")]
    BadCall(String),
    /// The module took more than it may have, or what no module may have.
    #[error("{message}")]
    Exceeded {
        /// What kind of failure that is.
        kind: FailureKind,
        /// What it took, and the limit.
        message: String,
    },
}
