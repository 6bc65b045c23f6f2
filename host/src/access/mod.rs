//! Who may do what: tokens, JWTs of an issuer, scopes, and the check of what a client sends.
//!
//! A [`Caller`] is who makes a request, with what it may do. [`Access`] finds the caller of a token or a JWT; what a route needs, and what is done with
//! who may not, is for HTTP to say. Nothing of a token is kept but its hash, and nothing of it is ever in an error or in the log.

mod authenticate_error;
mod cached;
mod caller;
mod grant;
mod jwt;
mod name_pattern;
mod refusal;
mod scope;
mod secret;
mod settings;
mod subject;
mod token;
mod token_name;
mod tokens;
mod tries;
mod verifier;

pub use self::{
    authenticate_error::AuthenticateError,
    cached::{CACHE_TTL, MAX_CACHED_TOKENS, MAX_CACHED_UNKNOWN},
    caller::{Caller, Of, Who},
    grant::{Grant, GrantError, Grants, MAX_GRANTS, MAX_PATTERNS},
    jwt::{
        FETCH_TIMEOUT, IssuerUrl, IssuerUrlError, JwtRefusal, JwtSettings, KeySource, LEAST_PAUSE,
        LONGEST_WITHOUT_ISSUER, MAX_CLOCK_SKEW, MAX_ISSUER_ANSWER_BYTES, MAX_ISSUER_KEYS, MAX_JWT_BYTES, REFRESH_EVERY,
        StartIssuerError, is_jwt,
    },
    name_pattern::{MAX_NAME_PATTERN_BYTES, NamePattern, NamePatternError},
    refusal::Refusal,
    scope::Scope,
    secret::{Secret, TOKEN_PREFIX, check_form},
    settings::{AccessSettings, Authentication},
    subject::{MAX_SUBJECT_CHARS, Subject},
    token::{NewToken, Token},
    token_name::{TokenName, TokenNameError},
    tokens::{MAX_LIFETIME, MAX_TOKENS, TokenError, Tokens},
    tries::{MAX_ADDRESSES, MAX_FAILED_PER_SECOND},
    verifier::Access,
};

#[cfg(test)]
mod tests;
