//! Which tenant answers a request.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc};

use axum::{
    Extension, Router,
    extract::Request,
    http::{Method, StatusCode, header},
    middleware,
    response::Response,
};
use tower::ServiceExt as _;

use super::{
    choice::{Ambiguous, Choice, choose, shown},
    gate::TenantGate,
    name::TenantName,
    process,
    readiness::Readiness,
    stranger,
};
use crate::{
    access::AccessSettings,
    http::{
        problem::{Code, Problem},
        request_context::with_context,
        router::Routes,
        settings::HttpSettings,
    },
};

/// Tenants of one host, at most: each has connections to Postgres, threads and memory of its own.
pub const MAX_TENANTS: usize = 64;

/// The tenants of a host. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Tenants(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    tenants: BTreeMap<TenantName, TenantGate>,
    /// Whether each request may do everything.
    is_open: bool,
    /// Whether pages of other origins may read: then OPTIONS is a question of a browser, and its answer the same in every host.
    has_preflights: bool,
    /// What belongs to no tenant.
    process: Router,
    /// What who has no token is answered, whether the tenant is there or not.
    stranger: Routes,
    /// What is said where it is not clear which tenant is meant.
    unclear: Router,
}

impl Tenants {
    /// The way to these tenants. The settings are those of the listener: by which names it is known, and who may come.
    #[must_use]
    pub fn new(
        tenants: impl IntoIterator<Item = TenantGate>,
        settings: &HttpSettings,
        access: &AccessSettings,
    ) -> Self {
        let tenants: BTreeMap<_, _> = tenants.into_iter().map(|gate| (gate.name().clone(), gate)).collect();
        let readiness = Readiness::new(tenants.values().cloned().collect(), access.is_open());
        Self(Arc::new(Shared {
            is_open: access.is_open(),
            has_preflights: !settings.cors_origins.is_empty(),
            process: process::routes(readiness, settings, access),
            stranger: stranger::routes(settings),
            unclear: Router::new().fallback(unclear).layer(middleware::from_fn(with_context)),
            tenants,
        }))
    }

    pub(in crate::http) async fn answer(&self, request: Request) -> Response {
        let mut response = self.answer_of(request).await;
        // axum says which methods a path takes to whoever asks for another one, also to who is refused before that: so a path of a tenant would be
        // told from one of nobody.
        if !response.status().is_success() && response.status() != StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().remove(header::ALLOW);
        }
        response
    }

    async fn answer_of(&self, mut request: Request) -> Response {
        let Shared { tenants, is_open, has_preflights, process, stranger, unclear } = &*self.0;
        let name = match choose(&mut request) {
            Ok(Choice::Tenant(name)) => name,
            Ok(Choice::Nobody) => return sent(process.clone().oneshot(request).await),
            Err(ambiguous) => {
                request.extensions_mut().insert(Unclear::Ambiguous(ambiguous));
                return sent(unclear.clone().oneshot(request).await);
            }
        };
        let tenant = name.parse::<TenantName>().ok().and_then(|name| tenants.get(&name));
        let is_preflight = *has_preflights && request.method() == Method::OPTIONS;
        let has_token = request.headers().contains_key(header::AUTHORIZATION) && !is_preflight;
        match tenant {
            Some(tenant) if *is_open || has_token => tenant.answer(request).await,
            // Who has no token does not learn which tenants there are.
            _ if !*is_open => sent(stranger.clone().oneshot(request).await),
            _ => {
                request.extensions_mut().insert(Unclear::NotThere(name));
                sent(unclear.clone().oneshot(request).await)
            }
        }
    }
}

/// Why it is not clear which tenant is meant.
#[derive(Clone)]
enum Unclear {
    Ambiguous(Ambiguous),
    /// There is no tenant of this name, which is no secret.
    NotThere(String),
}

async fn unclear(Extension(why): Extension<Unclear>) -> Problem {
    match why {
        Unclear::Ambiguous(Ambiguous(detail)) => Problem::new(Code::TenantAmbiguous, detail),
        Unclear::NotThere(name) => {
            let name = shown(&name);
            Problem::new(Code::TenantNotFound, format!("this host has no tenant `{name}`")).with("tenant", name)
        }
    }
}

fn sent(answer: Result<Response, Infallible>) -> Response {
    answer.unwrap_or_else(|never| match never {})
}
