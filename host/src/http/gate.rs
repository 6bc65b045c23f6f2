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
    router::{Routes, routes},
    state::Api,
};

/// The way into the API. Clones are handles on one.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// The API, once the host is ready.
    ready: OnceLock<(Api, Routes)>,
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
        let _ = self.0.ready.set((api.clone(), routes(api)));
    }

    /// The API, once the host is ready.
    pub(super) fn api(&self) -> Option<&Api> {
        self.0.ready.get().map(|(api, _)| api)
    }

    /// The way to the API, or to what a host that is starting answers.
    pub(super) fn entrance(&self) -> Entrance {
        Entrance { gate: self.clone(), starting: self.starting() }
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

/// A way in. Clones are handles on one.
#[derive(Clone, Debug)]
pub(super) struct Entrance {
    gate: Gate,
    starting: Router,
}

impl Entrance {
    pub(super) async fn answer(&self, request: Request) -> Response {
        let answer = match self.gate.0.ready.get() {
            Some((_, routes)) => routes.clone().oneshot(request).await,
            None => self.starting.clone().oneshot(request).await,
        };
        answer.unwrap_or_else(|never: Infallible| match never {})
    }
}

async fn starting(State(gate): State<Gate>) -> Problem {
    let waits_for = gate.0.waits_for.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Problem::new(Code::Starting, format!("the host is starting: {waits_for}"))
}
