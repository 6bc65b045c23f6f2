//! Settings of JWTs.

use std::{path::PathBuf, time::Duration};

use super::issuer_url::IssuerUrl;

/// Bytes of a JWT, at most.
pub const MAX_JWT_BYTES: usize = 8 * 1024;
/// How far the clocks of a host and of its issuer may be apart, at most: for as long, a JWT is taken after it has expired.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(300);

/// Whose JWTs a host takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtSettings {
    /// The issuer, as `iss` has it.
    pub issuer: IssuerUrl,
    /// For whom JWTs are: one of these is in `aud`.
    pub audiences: Vec<String>,
    /// Where the keys of the issuer are.
    pub keys: KeySource,
    /// The claim with the scopes.
    pub scopes_claim: String,
    /// How far the clocks of both may be apart; [`MAX_CLOCK_SKEW`] at most.
    pub clock_skew: Duration,
    /// The file of authorities that are trusted beside those of the system, as PEM.
    pub ca_file: Option<PathBuf>,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// Where the issuer says, as OpenID Connect Discovery has it.
    Discovery,
    /// Behind a URL.
    Url(IssuerUrl),
    /// In a file.
    File(PathBuf),
}

impl JwtSettings {
    /// The claim of scopes, unless another one is named.
    pub const SCOPES_CLAIM: &'static str = "scope";
    /// How far clocks may be apart, unless it is said.
    pub const CLOCK_SKEW: Duration = Duration::from_secs(60);
}
