//! The API of a host that is starting: liveness at once, and the reason for everything else, until the host is ready.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use axum::{
    Router,
    extract::{Request, State},
    middleware,
    response::Response,
    routing::get,
};
use tower::ServiceExt as _;

use super::{
    errors, health,
    problem::{Code, Problem},
    request_context::with_context,
    router::router,
    state::Api,
};

/// The way into the API. Clones are handles on one.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// The API, once the host is ready.
    ready: OnceLock<Router>,
    /// What the host waits for.
    waits_for: Mutex<String>,
}

impl Gate {
    /// A closed gate, of a host that begins with `step`.
    #[must_use]
    pub fn closed(step: &str) -> Self {
        let gate = Self::default();
        gate.say(step);
        gate
    }

    /// Changes what requests are told that the host waits for.
    pub fn say(&self, step: impl Into<String>) {
        *self.0.waits_for.lock().unwrap_or_else(PoisonError::into_inner) = step.into();
    }

    /// Answers requests with the API from now on.
    pub fn open(&self, api: Api) {
        // A host becomes ready once.
        let _ = self.0.ready.set(router(api));
    }

    /// The routes: those of the API, or those of a host that is starting.
    pub(super) fn router(&self) -> Router {
        Router::new().fallback(enter).with_state((self.clone(), self.starting()))
    }

    /// The routes for connections beyond the `max` that the host serves: health and measures, and for everything else that there is no room.
    pub(super) fn refusal(&self, max: usize) -> Router {
        let full = move || async move {
            let detail = format!("the host has {max} connections, and each has a request under way; try again soon");
            Problem::new(Code::Overloaded, detail).with("limit", "max_client_connections").with("max", max)
        };
        let full = Router::new().fallback(full).layer(middleware::from_fn(with_context));
        Router::new()
            .route("/health/live", get(enter))
            .route("/health/ready", get(enter))
            .route("/metrics", get(enter))
            .fallback_service(full)
            .with_state((self.clone(), self.starting()))
    }

    /// The routes of a host that is starting.
    fn starting(&self) -> Router {
        Router::new()
            .route("/health/live", get(health::live))
            .route("/errors/{code}", get(errors::page))
            .fallback(starting)
            .layer(middleware::from_fn(with_context))
            .with_state(self.clone())
    }
}

async fn enter(State((gate, starting)): State<(Gate, Router)>, request: Request) -> Response {
    let router = gate.0.ready.get().cloned().unwrap_or(starting);
    router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {})
}

async fn starting(State(gate): State<Gate>) -> Problem {
    let waits_for = gate.0.waits_for.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Problem::new(Code::Starting, format!("the host is starting: {waits_for}"))
}
