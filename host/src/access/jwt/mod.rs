//! JWTs of an OIDC issuer: another way to say who makes a request.
//!
//! An [`Issuer`] has the keys of the issuer ([`keys`]) and says of a JWT who has it and what that may do, or why it is not taken. `jsonwebtoken` reads JWTs
//! and keys and checks signatures, by the cryptography of ring that [`ring_provider`] lends it.

mod claims;
mod head;
mod issuer;
mod issuer_url;
mod key;
mod key_set;
mod keys;
mod refusal;
mod ring_provider;
mod scopes_claim;
mod settings;
mod source;
mod start_error;

pub(super) use self::{head::Head, issuer::Issuer};
pub use self::{
    head::is_jwt,
    issuer_url::{IssuerUrl, IssuerUrlError},
    key_set::MAX_ISSUER_KEYS,
    keys::{LEAST_PAUSE, LONGEST_WITHOUT_ISSUER, REFRESH_EVERY},
    refusal::JwtRefusal,
    settings::{JwtSettings, KeySource, MAX_CLOCK_SKEW, MAX_JWT_BYTES},
    source::{FETCH_TIMEOUT, MAX_ISSUER_ANSWER_BYTES},
    start_error::StartIssuerError,
};

#[cfg(test)]
mod rotation_tests;
#[cfg(test)]
mod tests;
