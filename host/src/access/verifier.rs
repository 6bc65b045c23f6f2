//! Finds who makes a request.

use std::{net::IpAddr, sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, sleep_until},
};
use tracing::warn;

use super::{
    authenticate_error::AuthenticateError,
    cached::{CACHE_TTL, Cached, Known},
    caller::{Caller, Who},
    grant::Grants,
    jwt::{Head, Issuer, JwtRefusal, StartIssuerError},
    refusal::Refusal,
    secret::{Hash, Secret},
    settings::AccessSettings,
    tokens::{Found, Tokens},
    tries::Tries,
};

/// Tokens that are looked up at once: a small part of a host's connections.
const MAX_LOOKUPS: usize = 4;

/// Who may do what on this host. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Access(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    tokens: Tokens,
    settings: AccessSettings,
    cached: Cached,
    tries: Tries,
    looking: Semaphore,
    issuer: Option<Issuer>,
}

impl Access {
    /// The access to a host with these settings, whose tokens are in a database. From now on the issuer of JWTs is asked for its keys, if there is one.
    ///
    /// # Errors
    /// See [`StartIssuerError`].
    pub fn start(pool: PgPool, settings: AccessSettings) -> Result<Self, StartIssuerError> {
        let issuer = settings.jwt.clone().map(Issuer::start).transpose()?;
        Ok(Self(Arc::new(Shared {
            tokens: Tokens::new(pool),
            settings,
            cached: Cached::default(),
            tries: Tries::default(),
            looking: Semaphore::new(MAX_LOOKUPS),
            issuer,
        })))
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &AccessSettings {
        &self.0.settings
    }

    /// The tokens of the database.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// For how long the keys of the issuer of JWTs have not been read. `None` if they never were, or if there is no issuer.
    #[must_use]
    pub fn issuer_keys_age(&self) -> Option<Duration> {
        self.0.issuer.as_ref().and_then(Issuer::keys_age)
    }

    /// Who has a token, or a JWT, that came from an address.
    ///
    /// # Errors
    /// See [`AuthenticateError`].
    pub async fn authenticate(&self, token: &str, from: Option<IpAddr>) -> Result<Caller, AuthenticateError> {
        if let Some(head) = Head::of(token) {
            let issuer = self.0.issuer.as_ref().ok_or(Refusal::Jwt(JwtRefusal::NoIssuer))?;
            return issuer.authenticate(token, &head, from, &self.0.tries).await;
        }
        let hash = Secret::read(token).ok_or(Refusal::Malformed)?.hash();
        self.caller(&hash, from).await
    }

    async fn caller(&self, hash: &Hash, from: Option<IpAddr>) -> Result<Caller, AuthenticateError> {
        let Shared { cached, looking, .. } = &*self.0;
        if let Some(known) = known(cached.get(hash, Instant::now())) {
            return known;
        }
        // The semaphore is never closed.
        let _turn = looking.acquire().await;
        // Another request with the same token may have looked meanwhile.
        match cached.get(hash, Instant::now()) {
            Known::Nothing if !self.0.tries.allow(from, Instant::now()) => Err(AuthenticateError::TooManyTries),
            Known::Nothing | Known::Old => self.look_up(hash, from).await,
            found => known(found).unwrap_or(Err(Refusal::Unknown.into())),
        }
    }

    async fn look_up(&self, hash: &Hash, from: Option<IpAddr>) -> Result<Caller, AuthenticateError> {
        let Shared { tokens, cached, tries, .. } = &*self.0;
        // From before the question: what is revoked while it is answered is not known for longer.
        let now = Instant::now();
        let found = tokens.find(hash).await?;
        let Some(Found { name, scopes, seconds_left, use_is_old }) = found else {
            tries.failed(from, now);
            return Err(self.refused(hash, Refusal::Unknown, now));
        };
        let expires = match seconds_left {
            Some(left) if left <= 0.0 => return Err(self.refused(hash, Refusal::Expired, now)),
            Some(left) => Duration::try_from_secs_f64(left).ok().and_then(|left| now.checked_add(left)),
            None => None,
        };
        if use_is_old {
            self.note_use(*hash);
        }
        let grants = Grants::known(scopes.iter().map(String::as_str));
        let caller = Caller::new(Who::Token(name), grants, Some(*hash), expires);
        cached.keep(*hash, Ok(&caller), now);
        Ok(caller)
    }

    fn refused(&self, hash: &Hash, refusal: Refusal, now: Instant) -> AuthenticateError {
        self.0.cached.keep(*hash, Err(refusal), now);
        refusal.into()
    }

    /// As if a token that is not known was looked up now.
    #[cfg(test)]
    pub(super) fn fail(&self) {
        self.0.tries.failed(None, Instant::now());
    }

    /// No request waits for that: it is for people who look for tokens that nobody uses.
    fn note_use(&self, hash: Hash) {
        let access = self.clone();
        tokio::spawn(async move {
            if let Err(error) = access.0.tokens.used(&hash).await {
                warn!(%error, "the last use of a token is not written");
            }
        });
    }

    /// Returns when a caller is one no more, because its token has expired or is revoked: at most twice [`CACHE_TTL`] and a look later. While Postgres
    /// cannot be asked, what was known holds.
    pub async fn ended(&self, caller: &Caller) {
        let expired = async {
            match caller.expires() {
                Some(expires) => sleep_until(expires).await,
                None => std::future::pending().await,
            }
        };
        let revoked = async {
            let Some(hash) = caller.hash() else { return std::future::pending().await };
            loop {
                sleep(CACHE_TTL).await;
                if matches!(self.caller(hash, None).await, Err(AuthenticateError::Refused(_))) {
                    return;
                }
            }
        };
        tokio::select! {
            () = expired => {}
            () = revoked => {}
        }
    }
}

/// What is known without a question to Postgres, if anything is.
fn known(found: Known) -> Option<Result<Caller, AuthenticateError>> {
    match found {
        Known::Caller(caller) => Some(Ok(caller)),
        Known::NotOne(refusal) => Some(Err(refusal.into())),
        Known::Old | Known::Nothing => None,
    }
}
