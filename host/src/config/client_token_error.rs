//! Why there is no token for a host.

use std::{io, path::PathBuf};

use super::logins::LoginsError;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum ClientTokenError {
    /// There is something else.
    #[error("{place} has no token in it: one has visible characters without blanks, such as gnomon_…")]
    NotOne {
        /// Where.
        place: String,
    },
    /// It cannot be read.
    #[error("cannot read the token in {path}: {error}; --token-file (GNOMON_TOKEN_FILE) names the file", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// What `gnomon login` has kept cannot be read.
    #[error(transparent)]
    Logins(#[from] LoginsError),
}
