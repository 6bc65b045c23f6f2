//! What belongs to no tenant: whether the host lives, which of its tenants are ready, and what it measures of all together.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::header,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde_json::{Value, json};

use super::{choice::PATH, readiness::Readiness};
use crate::{
    access::AccessSettings,
    http::{
        errors,
        extract::NoParams,
        forwarded_prefix::ForwardedPrefix,
        health,
        known_host::{AllowedHost, check_host, check_origin},
        problem::{Code, Problem},
        request_context::with_context,
        settings::HttpSettings,
    },
    metrics::{MEDIA_TYPE, Readings, add_process, names, of_host},
};

#[derive(Clone, Debug)]
struct Process {
    readiness: Readiness,
    allowed_hosts: Arc<[AllowedHost]>,
    measures_are_open: bool,
}

/// The routes. None of them reads a body.
pub(super) fn routes(readiness: Readiness, settings: &HttpSettings, access: &AccessSettings) -> Router {
    let state = Process {
        readiness,
        allowed_hosts: settings.allowed_hosts.clone().into(),
        measures_are_open: access.is_open() || access.open_metrics,
    };
    Router::new()
        .route("/", get(index))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/errors/{code}", get(errors::page))
        .fallback(missing)
        .layer(middleware::from_fn_with_state(state.clone(), known))
        .layer(middleware::from_fn(with_context))
        .with_state(state)
}

async fn known(State(process): State<Process>, request: Request, next: Next) -> Response {
    let allowed = &process.allowed_hosts;
    match check_host(&request, allowed).and_then(|()| check_origin(&request, allowed)) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// `GET /`: how one goes on from here.
async fn index(NoParams: NoParams) -> Json<Value> {
    let prefix = ForwardedPrefix::current();
    Json(json!({
        "name": "gnomon",
        "version": env!("CARGO_PKG_VERSION"),
        "tenant": prefix.path(&format!("{PATH}{{tenant}}/")),
        "health": prefix.path("/health/ready"),
    }))
}

async fn ready(State(process): State<Process>, NoParams: NoParams) -> Result<Json<Value>, Problem> {
    process.readiness.told().await.map(Json)
}

/// `GET /metrics`: what is counted of all tenants together, and a few numbers of each. No token of a tenant opens it.
async fn metrics(State(process): State<Process>, NoParams: NoParams) -> Result<Response, Problem> {
    if !process.measures_are_open {
        let detail = "these are the measures of all tenants, which no token of one of them opens: the host has to be started with --open-metrics. \
                      Each tenant has its own below its path";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let mut readings = Readings::default();
    readings.add_count(names::INFO, &[env!("CARGO_PKG_VERSION")], 1_u64);
    for (tenant, is_ready) in process.readiness.of_each().await {
        let (under_way, max) = tenant.under_way();
        let labels = [tenant.name().as_str()];
        readings.add_count(names::TENANT_READY, &labels, u64::from(is_ready));
        readings.add_count(names::TENANT_UNDER_WAY, &labels, under_way);
        readings.add_count(names::TENANT_MAX_UNDER_WAY, &labels, max);
    }
    add_process(&mut readings);
    let text = of_host().text(readings);
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")], text).into_response())
}

async fn missing(request: Request) -> Problem {
    let detail = format!(
        "this host has several tenants, and the request does not say which one it is for; ask for {PATH}{{tenant}}{}, or send the header \
         Gnomon-Tenant",
        request.uri().path()
    );
    Problem::new(Code::TenantMissing, detail)
}
