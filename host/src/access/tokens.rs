//! The tokens of a database: all SQL on them.

use std::time::Duration;

use sqlx::PgPool;

use super::{
    secret::{Hash, Secret},
    token::{NewToken, Token},
    token_name::TokenName,
};
use crate::postgres::{ANSWER_TIMEOUT, PgTimestamp, begin, has_sqlstate, sql_row, sqlstate, within};

/// Tokens that are not revoked, at most.
pub const MAX_TOKENS: usize = 10_000;
/// For how long a token may be valid, if it expires at all.
pub const MAX_LIFETIME: Duration = Duration::from_secs(10 * 366 * 24 * 3600);
/// For how long a token that was revoked is listed, so that one can see who revoked it.
const REVOKED_KEPT_DAYS: i32 = 90;

/// The tokens of a database. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Tokens(PgPool);

/// Why tokens are not changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is one of this name.
    #[error("there is a token `{0}`; revoke it first, or choose another name")]
    NameTaken(TokenName),
    /// There is none of this name.
    #[error("there is no token `{0}`, or it is revoked already")]
    Unknown(TokenName),
    /// There are as many as may be.
    #[error("there are {MAX_TOKENS} tokens, and may be no more (max_tokens); revoke some that are not needed")]
    TooMany,
    /// Postgres fails.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

/// What is found under a hash.
pub(super) struct Found {
    pub(super) name: TokenName,
    pub(super) scopes: Vec<String>,
    /// Seconds until it expires, by Postgres' clock, which all hosts share; 0 or less if it has.
    pub(super) seconds_left: Option<f64>,
    /// Whether its last use is to be written.
    pub(super) use_is_old: bool,
}

sql_row!(Found { name, scopes, seconds_left, use_is_old });

struct TokenRow {
    name: TokenName,
    scopes: Vec<String>,
    created_at: PgTimestamp,
    created_by: String,
    expires_at: Option<PgTimestamp>,
    expired: bool,
    last_used_at: Option<PgTimestamp>,
    revoked_at: Option<PgTimestamp>,
    revoked_by: Option<String>,
}

sql_row!(TokenRow { name, scopes, created_at, created_by, expires_at, expired, last_used_at, revoked_at, revoked_by });

/// The columns of a [`TokenRow`].
macro_rules! token_columns {
    () => {
        "name, scopes, created_at, created_by, expires_at, COALESCE(expires_at <= now(), false) AS expired, last_used_at, revoked_at, \
         revoked_by"
    };
}

impl From<TokenRow> for Token {
    fn from(row: TokenRow) -> Self {
        let TokenRow { name, scopes, created_at, created_by, expires_at, expired, .. } = row;
        Self {
            name,
            scopes,
            created_at: created_at.instant(),
            created_by,
            expires_at: expires_at.map(PgTimestamp::instant),
            expired,
            last_used_at: row.last_used_at.map(PgTimestamp::instant),
            revoked_at: row.revoked_at.map(PgTimestamp::instant),
            revoked_by: row.revoked_by,
        }
    }
}

impl Tokens {
    /// The tokens of a database whose schema is up to date.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Makes a token. What is returned with it is nowhere else.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn create(&self, new: &NewToken) -> Result<(Token, Secret), TokenError> {
        let secret = Secret::make();
        let hash = secret.hash();
        let lifetime = new.lifetime.map(|lifetime| lifetime.min(MAX_LIFETIME).as_secs_f64());
        let made = within(ANSWER_TIMEOUT, "a new token", async {
            let mut transaction = begin(&self.0).await?;
            // One at a time, so that there are not more than may be.
            sqlx::query("LOCK TABLE gnomon.tokens IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
            sqlx::query("DELETE FROM gnomon.tokens WHERE revoked_at < now() - make_interval(days => $1)")
                .bind(REVOKED_KEPT_DAYS)
                .execute(&mut *transaction)
                .await?;
            let others: i64 = sqlx::query_scalar("SELECT count(*) FROM gnomon.tokens WHERE revoked_at IS NULL")
                .fetch_one(&mut *transaction)
                .await?;
            if usize::try_from(others).is_ok_and(|others| others >= MAX_TOKENS) {
                return Err(TokenError::TooMany);
            }
            let row: TokenRow = sqlx::query_as(concat!(
                "INSERT INTO gnomon.tokens (name, hash, scopes, created_by, expires_at)
                 VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5)) RETURNING ",
                token_columns!()
            ))
            .bind(&new.name)
            .bind(&hash[..])
            .bind(new.grants.texts())
            .bind(&new.created_by)
            .bind(lifetime)
            .fetch_one(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(Token::from(row))
        });
        match made.await {
            Ok(token) => Ok((token, secret)),
            Err(TokenError::Postgres(error)) if has_sqlstate(&error, sqlstate::UNIQUE_VIOLATION) => {
                Err(TokenError::NameTaken(new.name.clone()))
            }
            Err(error) => Err(error),
        }
    }

    /// The tokens, by name; with those that were revoked if they are wanted.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn list(&self, with_revoked: bool) -> Result<Vec<Token>, sqlx::Error> {
        let rows = sqlx::query_as(concat!(
            "SELECT ",
            token_columns!(),
            " FROM gnomon.tokens WHERE $1 OR revoked_at IS NULL ORDER BY name, token LIMIT $2"
        ))
        .bind(with_revoked)
        .bind(i64::try_from(MAX_TOKENS).unwrap_or(i64::MAX))
        .fetch_all(&self.0);
        let rows: Vec<TokenRow> = within(ANSWER_TIMEOUT, "the tokens", rows).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Revokes a token: from now on no host looks it up, and within [`CACHE_TTL`](super::CACHE_TTL) none knows it.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn revoke(&self, name: &TokenName, revoked_by: &str) -> Result<Token, TokenError> {
        let row = sqlx::query_as(concat!(
            "UPDATE gnomon.tokens SET revoked_at = now(), revoked_by = $2 WHERE name = $1 AND revoked_at IS NULL RETURNING ",
            token_columns!()
        ))
        .bind(name)
        .bind(revoked_by)
        .fetch_optional(&self.0);
        let row: Option<TokenRow> = within(ANSWER_TIMEOUT, "the end of a token", row).await?;
        row.map(Into::into).ok_or_else(|| TokenError::Unknown(name.clone()))
    }

    /// The token of a hash, if it is not revoked.
    pub(super) async fn find(&self, hash: &Hash) -> Result<Option<Found>, sqlx::Error> {
        let row = sqlx::query_as(
            "SELECT name, scopes, EXTRACT(EPOCH FROM expires_at - now())::float8 AS seconds_left,
                    COALESCE(last_used_at < now() - interval '1 minute', true) AS use_is_old
             FROM gnomon.tokens WHERE hash = $1 AND revoked_at IS NULL",
        )
        .bind(&hash[..])
        .fetch_optional(&self.0);
        within(ANSWER_TIMEOUT, "a token", row).await
    }

    /// Writes that a token was used, unless another host has within the minute.
    pub(super) async fn used(&self, hash: &Hash) -> Result<(), sqlx::Error> {
        let update = sqlx::query(
            "UPDATE gnomon.tokens SET last_used_at = now()
             WHERE hash = $1 AND COALESCE(last_used_at < now() - interval '1 minute', true)",
        )
        .bind(&hash[..])
        .execute(&self.0);
        within(ANSWER_TIMEOUT, "the last use of a token", update).await.map(|_| ())
    }
}
