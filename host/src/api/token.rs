//! Tokens, and who has one.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The parameters of `GET /v1/tokens`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TokensQuery {
    /// Whether those that were revoked in the last 90 days are listed as well.
    #[serde(default)]
    pub revoked: bool,
}

/// The answer of `GET /v1/tokens`, by name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Tokens {
    /// The tokens.
    pub tokens: Vec<Token>,
}

/// A token, without what makes it one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// What it may do, such as `append=account,order*`.
    pub scopes: Vec<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
    /// Who made it.
    pub created_by: String,
    /// When it expires; null if it does not.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub expires_at: Option<Instant>,
    /// Whether it has expired.
    pub expired: bool,
    /// When it was used last, to the minute; null if it was not.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub last_used_at: Option<Instant>,
    /// When it was revoked; null if it is not.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub revoked_at: Option<Instant>,
    /// Who revoked it.
    #[schema(required)]
    pub revoked_by: Option<String>,
}

/// The body of `POST /v1/tokens`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Its name: `a` to `z`, `0` to `9`, `-`, `_` and `.`, 63 at most.
    pub name: String,
    /// What it may do, such as `append=account,order*`.
    pub scopes: Vec<String>,
    /// For how many seconds it is valid; if it is left out or null, until it is revoked.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 316_224_000)]
    pub expires_in_seconds: Option<u64>,
}

/// The answer to a new token. `secret` is told this once.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
pub struct CreatedToken {
    /// What a client sends as `Authorization: Bearer …`.
    pub secret: String,
    /// The token.
    #[serde(flatten)]
    pub token: Token,
}

impl std::fmt::Debug for CreatedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedToken").field("secret", &"…").field("token", &self.token).finish()
    }
}

/// The answer of `GET /v1/whoami`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Whoami {
    /// Who makes the request: `token app`, or `anyone` on a host that asks nobody.
    pub who: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// In how many seconds its token expires; null if it does not.
    #[schema(required)]
    pub expires_in_seconds: Option<u64>,
}
