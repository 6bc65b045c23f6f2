//! What is wrong with what a client says of itself.

use super::jwt::JwtRefusal;

/// What is wrong with what a client says of itself. No message tells anything of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It says nothing.
    #[error("the request has no token; send `Authorization: Bearer <token>`")]
    Missing,
    /// It says something else.
    #[error("the header Authorization is not `Bearer` and one token")]
    NotBearer,
    /// It has never been a token.
    #[error("the token is not one that a host has made: it is cut off, or changed, or another program's")]
    Malformed,
    /// The host does not know it.
    #[error("the token is revoked, or of another database")]
    Unknown,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// It is a JWT that the host does not take.
    #[error(transparent)]
    Jwt(#[from] JwtRefusal),
}
