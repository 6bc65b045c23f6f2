//! The way into the API of one tenant, and the places for its requests.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware,
    response::Response,
};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use super::name::TenantName;
use crate::{
    http::{
        gate::{Entrance, Gate},
        problem::{Code, Problem},
        request_context::with_context,
        with_guard::WithGuard,
    },
    metrics,
};

/// The way into the API of a tenant. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct TenantGate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    name: TenantName,
    gate: Gate,
    entrance: Entrance,
    /// A place for each request, from its head to the end of its answer: a connection whose client is slow at either has a place of its tenant's.
    places: Arc<Semaphore>,
    max_requests: usize,
    full: Router,
}

impl TenantGate {
    /// A closed gate of a tenant that may have so many requests under way.
    #[must_use]
    pub fn new(name: TenantName, max_requests: usize) -> Self {
        let gate = Gate::closed("it has just begun");
        let entrance = gate.entrance();
        let full = Router::new().fallback(full).layer(middleware::from_fn(with_context)).with_state(max_requests);
        Self(Arc::new(Shared {
            name,
            gate,
            entrance,
            places: Arc::new(Semaphore::new(max_requests)),
            max_requests,
            full,
        }))
    }

    /// The name of the tenant.
    #[must_use]
    pub fn name(&self) -> &TenantName {
        &self.0.name
    }

    /// The gate, which is closed until the database of the tenant can be used.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// How many requests are under way, and how many may be.
    pub(super) fn under_way(&self) -> (usize, usize) {
        let Shared { places, max_requests, .. } = &*self.0;
        (max_requests.saturating_sub(places.available_permits()), *max_requests)
    }

    /// Answers a request from which the tenant was taken, if there is a place for it.
    pub(super) async fn answer(&self, mut request: Request) -> Response {
        let Shared { name, entrance, places, full, .. } = &*self.0;
        let measures = &metrics::of_host().http;
        measures.for_tenant(name.as_str());
        // For the line of the log on what it does.
        request.extensions_mut().insert(name.clone());
        match Arc::clone(places).try_acquire_owned() {
            Ok(place) => {
                let response = entrance.answer(request).await;
                response.map(|body| Body::new(WithGuard::new(body, place)))
            }
            Err(_) => {
                measures.refused_for_tenant(name.as_str());
                // Its body is not waited for: whoever sends it slowly would have a connection that is no place of the tenant's.
                full.clone().oneshot(request).await.unwrap_or_else(|never: Infallible| match never {})
            }
        }
    }
}

async fn full(State(max): State<usize>) -> Problem {
    let detail = format!(
        "the tenant has {max} requests under way, and the host takes on no more of it (max_requests); try again soon"
    );
    Problem::new(Code::Overloaded, detail).with("limit", "max_requests").with("max", max)
}
