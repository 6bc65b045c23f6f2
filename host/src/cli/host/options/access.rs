//! Who may do what on a host.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::seconds::Seconds;
use crate::access::{AccessSettings, Authentication, IssuerUrl, JwtSettings, KeySource, MAX_CLOCK_SKEW};

/// Who may do what on a host.
#[derive(Args, Clone, Debug)]
pub(super) struct AccessOptions {
    /// Who has to say who they are. See docs/access.md
    #[arg(long, env = "GNOMON_AUTH", value_name = "WHO", default_value = "open")]
    auth: Auth,

    /// Let other machines reach a host that asks nobody who they are: behind a proxy that authenticates, or in a network that you trust
    #[arg(long, env = "GNOMON_INSECURE")]
    insecure: bool,

    /// Answer /metrics to everybody. Names of streams, projections and types of events are in it
    #[arg(long, env = "GNOMON_OPEN_METRICS")]
    open_metrics: bool,

    /// URL of an OIDC issuer whose JWTs are taken beside tokens, exactly as it is in `iss`. It needs `--auth tokens`
    #[arg(long, env = "GNOMON_JWT_ISSUER", value_name = "URL", requires = "jwt_audience", value_parser = IssuerUrl::of_issuer)]
    jwt_issuer: Option<IssuerUrl>,

    /// Whom JWTs are for: one of these names has to be in `aud`; separated by commas
    #[arg(long, env = "GNOMON_JWT_AUDIENCE", value_name = "NAME", requires = "jwt_issuer", value_delimiter = ',',
        value_parser = audience)]
    jwt_audience: Vec<String>,

    /// Keys of the issuer (JWKS): a URL that begins with https://, or a file, which is read again when it changes. Without it, the issuer says where
    /// they are, at .well-known/openid-configuration
    #[arg(long, env = "GNOMON_JWT_KEYS", value_name = "URL_OR_FILE", requires = "jwt_issuer", value_parser = key_source)]
    jwt_keys: Option<KeySource>,

    /// Claim of JWTs with the scopes, a text or a list; a name with dots reaches into objects, as `realm_access.roles`
    #[arg(long, env = "GNOMON_JWT_SCOPES_CLAIM", value_name = "NAME", default_value = JwtSettings::SCOPES_CLAIM)]
    jwt_scopes_claim: String,

    /// Seconds that the clocks of the issuer and of this host may be apart: for so long, a JWT is taken after it has expired
    #[arg(long, env = "GNOMON_JWT_CLOCK_SKEW", value_name = "SECONDS", default_value_t = Seconds(JwtSettings::CLOCK_SKEW),
        value_parser = Seconds::between(0.0, MAX_CLOCK_SKEW.as_secs_f64()))]
    jwt_clock_skew: Seconds,

    /// PEM file with certificates of authorities that are trusted beside those of the system, for the issuer
    #[arg(long, env = "GNOMON_JWT_CA_FILE", value_name = "FILE", requires = "jwt_issuer")]
    jwt_ca_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Auth {
    /// Nobody: whoever reaches the host may do everything. Such a host listens on this machine only
    Open,
    /// Everybody, by a token that `gnomon tokens create` makes
    Tokens,
}

impl AccessOptions {
    pub(super) fn settings(&self) -> AccessSettings {
        AccessSettings {
            authentication: match self.auth {
                Auth::Open => Authentication::Open,
                Auth::Tokens => Authentication::Tokens,
            },
            insecure: self.insecure,
            open_metrics: self.open_metrics,
            jwt: self.jwt(),
        }
    }

    fn jwt(&self) -> Option<JwtSettings> {
        Some(JwtSettings {
            issuer: self.jwt_issuer.clone()?,
            audiences: self.jwt_audience.clone(),
            keys: self.jwt_keys.clone().unwrap_or(KeySource::Discovery),
            scopes_claim: self.jwt_scopes_claim.clone(),
            clock_skew: self.jwt_clock_skew.0,
            ca_file: self.jwt_ca_file.clone(),
        })
    }
}

fn audience(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("give the name under which the issuer knows this host".to_owned()),
        name => Ok(name.to_owned()),
    }
}

/// A URL if it looks like one, or else a file.
fn key_source(text: &str) -> Result<KeySource, String> {
    if text.contains("://") {
        return IssuerUrl::new(text).map(KeySource::Url).map_err(|error| error.to_string());
    }
    if text.is_empty() { Err("give a URL or a file".to_owned()) } else { Ok(KeySource::File(text.into())) }
}
