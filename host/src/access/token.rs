//! What is known of a token.

use std::time::Duration;

use gnomon_values::Instant;

use super::{grant::Grants, token_name::TokenName};

/// A token that is to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its name.
    pub name: TokenName,
    /// What it may do.
    pub grants: Grants,
    /// For how long it is valid; `None`: for ever.
    pub lifetime: Option<Duration>,
    /// Who makes it.
    pub created_by: String,
}

/// A token, without what makes it one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its name.
    pub name: TokenName,
    /// What it may do, as it was written.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Instant,
    /// Who made it.
    pub created_by: String,
    /// When it expires.
    pub expires_at: Option<Instant>,
    /// Whether it has expired.
    pub expired: bool,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Instant>,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
    /// Who revoked it.
    pub revoked_by: Option<String>,
}
