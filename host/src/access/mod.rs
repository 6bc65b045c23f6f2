//! Who may do what: tokens, scopes, and the check of what a client sends.
//!
//! A [`Caller`] is who makes a request, with what it may do. [`Access`] finds the caller of a token; what a route needs, and what is done with
//! who may not, is for HTTP to say. Nothing of a token is kept but its hash, and nothing of it is ever in an error or in the log.

mod cached;
mod caller;
mod grant;
mod name_pattern;
mod refusal;
mod scope;
mod secret;
mod settings;
mod token;
mod token_name;
mod tokens;
mod tries;
mod verifier;

pub use self::{
    cached::{CACHE_TTL, MAX_CACHED_TOKENS, MAX_CACHED_UNKNOWN},
    caller::{Caller, Of, Who},
    grant::{Grant, GrantError, Grants, MAX_GRANTS, MAX_PATTERNS},
    name_pattern::{MAX_NAME_PATTERN_BYTES, NamePattern, NamePatternError},
    refusal::Refusal,
    scope::Scope,
    secret::{Secret, TOKEN_PREFIX, check_form},
    settings::{AccessSettings, Authentication},
    token::{NewToken, Token},
    token_name::{TokenName, TokenNameError},
    tokens::{MAX_LIFETIME, MAX_TOKENS, TokenError, Tokens},
    tries::{MAX_ADDRESSES, MAX_FAILED_PER_SECOND},
    verifier::{Access, AuthenticateError},
};

#[cfg(test)]
mod tests;
