//! What who has no token of a tenant is answered, whether there is such a tenant or not: the same, so that nobody learns which there are.
//!
//! These are the routes of the API. What is for everybody is answered as it always is, since it is the same in every host; everything else wants a token.
//! A request with a token goes to its tenant, and only comes here if there is none of this name.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{any, get},
};
use tower::util::MapRequest;
use tower_http::normalize_path::NormalizePath;

use crate::{
    access::{JwtRefusal, Refusal, check_form, is_jwt},
    http::{
        content_encoding::decompressed,
        cors,
        denied::unauthenticated,
        docs, errors,
        extract::NoParams,
        forwarded_prefix::without_prefix,
        guard::bearer,
        health,
        known_host::{AllowedHost, check_host, check_origin},
        needs::Needs,
        openapi,
        problem::Problem,
        request_context::with_context,
        router::{Routes, not_found},
        settings::HttpSettings,
    },
};

/// The routes. None of them reads a body.
pub(super) fn routes(settings: &HttpSettings) -> Routes {
    let mut routes = Router::new()
        .route("/", get(health::index))
        .route("/health/live", get(health::live))
        .route("/errors/{code}", get(errors::page))
        .route("/docs", get(docs::page))
        .route("/docs/rapidoc.js", get(docs::script))
        .route("/docs/licence", get(docs::licence))
        .route("/openapi.json", get(description).layer(Extension(openapi::DocumentCache::default())));
    let guarded: BTreeSet<&str> = openapi::routes_of_tenant()
        .iter()
        .filter(|operation| !matches!(operation.needs, Needs::Nothing | Needs::NothingYet))
        .map(|operation| operation.path)
        .collect();
    for path in guarded {
        routes = routes.route(path, any(refused));
    }
    let allowed: Arc<[AllowedHost]> = settings.allowed_hosts.clone().into();
    let mut routes = routes
        .fallback(not_found)
        .method_not_allowed_fallback(refused)
        .layer(middleware::from_fn_with_state(allowed, known));
    if !settings.cors_origins.is_empty() {
        routes = routes.layer(cors::layer(settings.cors_origins.clone()));
    }
    let routes = routes.layer(middleware::from_fn(with_context));
    MapRequest::new(NormalizePath::trim_trailing_slash(routes), without_prefix as fn(Request) -> Request)
}

/// What is refused before anybody is asked who they are, as by the door of a host.
async fn known(State(allowed): State<Arc<[AllowedHost]>>, request: Request, next: Next) -> Response {
    let request = match decompressed(request) {
        Ok(request) => request,
        Err(refused) => return refused.into_response(),
    };
    match check_host(&request, &allowed).and_then(|()| check_origin(&request, &allowed)) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

async fn refused(headers: HeaderMap) -> Problem {
    unauthenticated(refusal(&headers).unwrap_or(Refusal::Missing))
}

/// What is wrong with the token of a request; `None` if it has none.
fn refusal(headers: &HeaderMap) -> Option<Refusal> {
    match bearer(headers) {
        Ok(None) => None,
        // No tenant has an issuer.
        Ok(Some(token)) if is_jwt(token) => Some(Refusal::Jwt(JwtRefusal::NoIssuer)),
        Ok(Some(token)) => Some(check_form(token).err().unwrap_or(Refusal::Unknown)),
        Err(refusal) => Some(refusal),
    }
}

/// `GET /openapi.json` without the tables of anybody.
async fn description(
    Extension(cache): Extension<openapi::DocumentCache>,
    NoParams: NoParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(refused(headers).await);
    }
    cache.answer(&[], &headers)
}
