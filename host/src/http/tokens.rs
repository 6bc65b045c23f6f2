//! `/v1/tokens`, `/v1/whoami`

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    caller::By,
    extract::{JsonBody, NoParams, Params, PathParams},
    needs::Needs,
    openapi::Operation,
    problem::{Code, Problem},
    state::Api,
};
use crate::{
    access::{Grants, MAX_LIFETIME, MAX_TOKENS, NewToken, Token, TokenError, TokenName, TokenNameError},
    api,
};

/// `GET /v1/tokens`
pub(super) async fn list(
    State(api): State<Api>,
    Params(query): Params<api::TokensQuery>,
) -> Result<Json<api::Tokens>, Problem> {
    let tokens = api.access.tokens().list(query.revoked).await?.into_iter().map(Into::into).collect();
    Ok(Json(api::Tokens { tokens }))
}

/// `POST /v1/tokens`
pub(super) async fn create(
    State(api): State<Api>,
    NoParams: NoParams,
    By(caller): By,
    JsonBody(wanted): JsonBody<api::NewToken>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], Json<api::CreatedToken>), Problem> {
    let new = new_token(wanted, caller.who().to_string())?;
    let (token, secret) = api.access.tokens().create(&new).await?;
    let created = api::CreatedToken { secret: secret.reveal().to_owned(), token: token.into() };
    // What is told once must not be kept on the way.
    let not_kept = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((StatusCode::CREATED, [not_kept], Json(created)))
}

/// `DELETE /v1/tokens/{token}`
pub(super) async fn revoke(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<String>,
    By(caller): By,
) -> Result<StatusCode, Problem> {
    let name =
        TokenName::new(name).map_err(|error: TokenNameError| Problem::new(Code::InvalidPath, error.to_string()))?;
    api.access.tokens().revoke(&name, &caller.who().to_string()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v1/whoami`
pub(super) async fn whoami(NoParams: NoParams, By(caller): By) -> Json<api::Whoami> {
    let left = caller.expires().map(|expires| expires.saturating_duration_since(Instant::now()).as_secs());
    Json(api::Whoami { who: caller.who().to_string(), scopes: caller.grants().texts(), expires_in_seconds: left })
}

/// The token that a body asks for.
fn new_token(wanted: api::NewToken, created_by: String) -> Result<NewToken, Problem> {
    let wrong = |field: &str, reason: String| {
        Problem::new(Code::InvalidBody, format!("{field}: {reason}")).with("field", field)
    };
    let name = TokenName::new(wanted.name).map_err(|error| wrong("name", error.to_string()))?;
    let grants = Grants::parse(wanted.scopes.iter().map(String::as_str));
    let grants = grants.map_err(|error| wrong("scopes", error.to_string()))?;
    let lifetime = wanted.expires_in_seconds.map(Duration::from_secs);
    if lifetime.is_some_and(|lifetime| lifetime.is_zero() || lifetime > MAX_LIFETIME) {
        let reason = format!("a token is valid for 1 to {} seconds, or until it is revoked", MAX_LIFETIME.as_secs());
        return Err(wrong("expires_in_seconds", reason));
    }
    Ok(NewToken { name, grants, lifetime, created_by })
}

impl From<Token> for api::Token {
    fn from(token: Token) -> Self {
        let Token { name, scopes, created_at, created_by, expires_at, expired, last_used_at, revoked_at, revoked_by } =
            token;
        let name = name.to_string();
        Self { name, scopes, created_at, created_by, expires_at, expired, last_used_at, revoked_at, revoked_by }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        let detail = error.to_string();
        match error {
            TokenError::NameTaken(_) => Self::new(Code::TokenNameTaken, detail),
            TokenError::Unknown(_) => Self::new(Code::TokenNotFound, detail),
            TokenError::TooMany => {
                Self::new(Code::TooManyTokens, detail).with("limit", "max_tokens").with("max", MAX_TOKENS)
            }
            TokenError::Postgres(error) => error.into(),
        }
    }
}

/// The operations of these routes.
pub(super) fn describe() -> Vec<Operation> {
    let mut created = example();
    created["secret"] = "gnomon_4Jt0…".into();
    vec![
        Operation::get(Needs::ADMIN, "/v1/tokens", "list_tokens", "Lists the tokens, by name.")
            .query::<api::TokensQuery>()
            .answers::<api::Tokens>(200, "The tokens.", json!({"tokens": [example()]})),
        Operation::post(Needs::ADMIN, "/v1/tokens", "create_token", "Makes a token.")
            .about("Its `secret` is in this answer and nowhere else: hosts keep a hash of it.")
            .takes::<api::NewToken>(json!({
                "name": "shop", "scopes": ["append=order,cart", "read:models=orders"], "expires_in_seconds": 7_776_000,
            }))
            .answers::<api::CreatedToken>(201, "The token.", created)
            .problems(&[Code::TokenNameTaken, Code::TooManyTokens]),
        Operation::delete(Needs::ADMIN, "/v1/tokens/{token}", "revoke_token", "Revokes a token.")
            .about("Within five seconds no host takes it any more, and what it follows breaks off. Its name is free again.")
            .answers_nothing(204, "It is revoked.")
            .problems(&[Code::TokenNotFound]),
        Operation::get(Needs::Token, "/v1/whoami", "whoami", "Who makes the request, and what it may do.")
            .answers::<api::Whoami>(
                200,
                "Who it is.",
                json!({"who": "token shop", "scopes": ["append=order,cart"], "expires_in_seconds": 7_775_000}),
            ),
    ]
}

fn example() -> Value {
    json!({
        "name": "shop", "scopes": ["append=order,cart", "read:models=orders"], "created_at": "2026-01-01T10:17:00Z",
        "created_by": "token root", "expires_at": "2026-04-01T10:17:00Z", "expired": false, "last_used_at": null, "revoked_at": null,
        "revoked_by": null,
    })
}
