//! Why a host does not start with its issuer.

use std::path::PathBuf;

/// Why a host cannot take JWTs of its issuer.
#[derive(Debug, thiserror::Error)]
pub enum StartIssuerError {
    /// The file of keys cannot be used.
    #[error("the keys of --jwt-keys cannot be used: {0}")]
    Keys(String),
    /// The file of keys has none.
    #[error("the file {} of --jwt-keys has no key that can be used{why}; it has to be a set of public keys (JWKS)", path.display())]
    NoKeys {
        /// The file.
        path: PathBuf,
        /// What is wrong with those that it has.
        why: String,
    },
    /// The file of authorities cannot be used.
    #[error("the file {} of --jwt-ca-file has no certificates that can be read ({reason}); it has to be PEM", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no client for requests.
    #[error("the issuer of JWTs cannot be asked: {0}")]
    Client(String),
}
