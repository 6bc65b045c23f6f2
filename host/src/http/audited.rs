//! What is asked for by people and programs that operate a host, in the log: who asked, from where, and what it was answered.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{Method, StatusCode},
    response::Response,
};
use tracing::{field::display, info};

use super::{peer::Peer, problem::Problem, request_id::RequestId, tenants::TenantName};
use crate::{
    access::{Caller, TOKEN_PREFIX, is_jwt},
    audit::Actor,
};

/// Bytes of a path that a line of the log has, at most.
const MAX_PATH_BYTES: usize = 500;

/// A request that changes something other than the log of events.
#[derive(Debug)]
pub(super) struct Audited {
    actor: Actor,
    line: Line,
}

/// A line of the log, which is written when it is dropped: also for a request whose client does not wait for its answer.
#[derive(Debug)]
struct Line {
    /// Whose host it is, if there are several.
    tenant: Option<TenantName>,
    who: String,
    from: Option<IpAddr>,
    request_id: RequestId,
    method: Method,
    path: String,
    status: Option<StatusCode>,
}

impl Audited {
    pub(super) fn new(request: &Request, caller: &Caller) -> Self {
        let (who, from, request_id) = (caller.who().to_string(), Peer::address(request), RequestId::current());
        // The query string is left out: it is no part of what is done to what.
        let path: String = without_tokens(request.uri().path()).chars().take(MAX_PATH_BYTES).collect();
        let actor = Actor { who: who.clone(), address: from, request_id: request_id.to_string() };
        let (tenant, method) = (request.extensions().get::<TenantName>().cloned(), request.method().clone());
        Self { actor, line: Line { tenant, who, from, request_id, method, path, status: None } }
    }

    /// Answers the request in the name of its caller.
    pub(super) async fn run(
        self,
        answer: impl Future<Output = Result<Response, Problem>>,
    ) -> Result<Response, Problem> {
        let Self { actor, mut line } = self;
        let answer = actor.scope(answer).await;
        line.status = Some(answer.as_ref().map_or_else(Problem::status, Response::status));
        answer
    }
}

/// A path without tokens: somebody may take one for a name.
fn without_tokens(path: &str) -> String {
    let part = |part: &str| match part.find(TOKEN_PREFIX) {
        Some(begin) => format!("{}{TOKEN_PREFIX}…", &part[..begin]),
        None if is_jwt(part) => "…".to_owned(),
        None => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

impl Drop for Line {
    fn drop(&mut self) {
        let Self { tenant, who, from, request_id, method, path, status } = self;
        let tenant = tenant.as_ref().map(display);
        let from = from.map(|from| from.to_string()).unwrap_or_default();
        let status = status.as_ref().map_or("given up", StatusCode::as_str).to_owned();
        info!(tenant, %who, %from, %request_id, %method, %path, %status, "an operation was requested");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_was_taken_for_a_name_is_not_in_the_log() {
        assert_eq!(without_tokens("/v1/tokens/gnomon_abcDEF"), "/v1/tokens/gnomon_…");
        assert_eq!(without_tokens("/v1/tokens/%20gnomon_abc/x"), "/v1/tokens/%20gnomon_…/x");
        assert_eq!(without_tokens("/v1/tokens/eyJhbGciOiJFUzI1NiJ9.e30.AAAA"), "/v1/tokens/…");
        assert_eq!(without_tokens("/v1/projections/bank/pause"), "/v1/projections/bank/pause");
    }
}
