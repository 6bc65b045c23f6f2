//! Finds who has a JWT.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use jsonwebtoken::{DecodingKey, Validation, dangerous::insecure_decode_claims, decode, errors::ErrorKind};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::{
    claims::{Claims, Holder},
    head::{Head, SignedBy},
    keys::{Keys, NoKey},
    refusal::JwtRefusal,
    ring_provider,
    settings::{JwtSettings, MAX_JWT_BYTES},
    start_error::StartIssuerError,
};
use crate::access::{
    authenticate_error::AuthenticateError,
    cached::{Cached, Known},
    caller::{Caller, Who},
    refusal::Refusal,
    tokens::MAX_LIFETIME,
    tries::Tries,
};

/// The issuer whose JWTs a host takes.
#[derive(Debug)]
pub(in crate::access) struct Issuer {
    settings: JwtSettings,
    keys: Keys,
    /// Who has JWTs that were checked just now. They are apart from tokens, which are asked for in Postgres.
    cached: Cached,
}

impl Issuer {
    /// Begins to ask the issuer for its keys. Whether it answers is seen later, unless they are in a file.
    pub(in crate::access) fn start(settings: JwtSettings) -> Result<Self, StartIssuerError> {
        let keys = Keys::start(&settings)?;
        Ok(Self::with(settings, keys))
    }

    pub(super) fn with(settings: JwtSettings, keys: Keys) -> Self {
        ring_provider::install();
        Self { settings, keys, cached: Cached::default() }
    }

    /// Who has a JWT that came from an address.
    pub(in crate::access) async fn authenticate(
        &self,
        jwt: &str,
        head: &Head,
        from: Option<IpAddr>,
        tries: &Tries,
    ) -> Result<Caller, AuthenticateError> {
        if jwt.len() > MAX_JWT_BYTES {
            return Err(refused(JwtRefusal::TooLong));
        }
        let hash = Sha256::digest(jwt).into();
        match self.cached.get(&hash, Instant::now()) {
            Known::Caller(caller) => return Ok(caller),
            Known::Nothing | Known::NotOne(_) if !tries.allow(from, Instant::now()) => {
                return Err(AuthenticateError::TooManyTries);
            }
            Known::Old | Known::Nothing | Known::NotOne(_) => {}
        }
        // From before the look for its key: one that is withdrawn meanwhile is not taken for longer.
        let (now, looked) = (SystemTime::now(), Instant::now());
        let holder = match self.check(jwt, head, now).await {
            Ok(holder) => holder,
            Err(NoKey::NoKeys) => return Err(AuthenticateError::NoKeys),
            Err(NoKey::Refused(refusal)) => {
                if matches!(refusal, JwtRefusal::Signature | JwtRefusal::UnknownKey) {
                    tries.failed(from, looked);
                }
                return Err(refused(refusal));
            }
        };
        let Holder { subject, grants, left } = holder;
        let expires = looked.checked_add(left.min(MAX_LIFETIME));
        let caller = Caller::new(Who::Subject(subject), grants, None, expires);
        self.cached.keep(hash, Ok(&caller), looked);
        Ok(caller)
    }

    async fn check(&self, jwt: &str, head: &Head, now: SystemTime) -> Result<Holder, NoKey> {
        let signed_by = head.signed_by().map_err(NoKey::Refused)?;
        // Only to say what is wrong with a JWT of another issuer, and not to ask this one for its keys: nothing of it is believed.
        let claimed: Claims = insecure_decode_claims(jwt).map_err(|_| NoKey::Refused(JwtRefusal::Malformed))?;
        claimed.check_issuer(&self.settings).map_err(NoKey::Refused)?;
        let key = self.keys.find(&signed_by).await?;
        let claims = signed(jwt, &signed_by, &key).map_err(NoKey::Refused)?;
        claims.check(&self.settings, now).map_err(NoKey::Refused)
    }

    /// For how long the keys of the issuer have not been read; `None` if they never were.
    pub(in crate::access) fn keys_age(&self) -> Option<Duration> {
        self.keys.age()
    }
}

fn refused(refusal: JwtRefusal) -> AuthenticateError {
    AuthenticateError::Refused(Refusal::Jwt(refusal))
}

/// The claims of a JWT whose signature is good.
fn signed(jwt: &str, signed_by: &SignedBy, key: &DecodingKey) -> Result<Claims, JwtRefusal> {
    let mut validation = Validation::new(signed_by.algorithm);
    // All claims are checked by [`Claims::check`].
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    decode(jwt, key, &validation).map(|decoded| decoded.claims).map_err(|error| match error.kind() {
        ErrorKind::InvalidSignature => JwtRefusal::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => JwtRefusal::OtherAlgorithm,
        _ => JwtRefusal::Malformed,
    })
}
