//! The way into the API, from a connection: through the gate of the one host, or to the hosts of several tenants.

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware,
    response::Response,
    routing::get,
};

use super::{
    gate::{self, Gate},
    problem::{Code, Problem},
    request_context::with_context,
    tenants::Tenants,
};

/// What a listener leads to. Clones are handles on one.
#[derive(Clone, Debug)]
pub enum Way {
    /// One host.
    Gate(Gate),
    /// The hosts of tenants.
    Tenants(Tenants),
}

/// A way in, for the connections of a listener. Clones are handles on one.
#[derive(Clone, Debug)]
pub(super) enum Entrance {
    Gate(gate::Entrance),
    Tenants(Tenants),
}

impl Way {
    pub(super) fn entrance(&self) -> Entrance {
        match self {
            Self::Gate(gate) => Entrance::Gate(gate.entrance()),
            Self::Tenants(tenants) => Entrance::Tenants(tenants.clone()),
        }
    }

    /// The same as a router.
    #[cfg(test)]
    pub(super) fn router(&self) -> Router {
        Router::new().fallback(enter).with_state(self.entrance())
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
            .with_state(self.entrance())
    }
}

impl Entrance {
    pub(super) async fn answer(&self, request: Request) -> Response {
        match self {
            Self::Gate(gate) => gate.answer(request).await,
            Self::Tenants(tenants) => tenants.answer(request).await,
        }
    }
}

async fn enter(State(entrance): State<Entrance>, mut request: Request) -> Response {
    // That of the router which calls this: the API's router would put its own behind it, and no route is found under both.
    request.extensions_mut().remove::<MatchedPath>();
    entrance.answer(request).await
}
