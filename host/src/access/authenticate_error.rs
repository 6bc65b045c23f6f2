//! Why it is not known who makes a request.

use super::refusal::Refusal;

/// Why it is not known who makes a request.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// What the client says of itself is wrong.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many tokens that are not known were tried.
    #[error("too many tokens that this host does not know are tried; try again in a second")]
    TooManyTries,
    /// The keys of the issuer of JWTs are not there.
    #[error(
        "this host has no keys of the issuer of JWTs (--jwt-issuer), so it cannot say whether the token is one of its; the issuer cannot be reached, or \
         gives none; try again"
    )]
    NoKeys,
    /// Postgres fails.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}
