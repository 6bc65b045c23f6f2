//! The guard: finds who makes a request, and refuses what the caller may not do.
//!
//! What a route needs is what its description says. A route without a description needs `admin`, so that one that was forgotten is open to nobody.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    RequestExt as _,
    body::{Body, HttpBody as _},
    extract::{MatchedPath, RawPathParams, Request},
    http::{HeaderMap, Method, header},
    response::Response,
};
use tokio::time::timeout;
use tracing::warn;

use super::{
    denied::{forbidden, unauthenticated},
    needs::{Needs, On},
    openapi::Operation,
    peer::Peer,
    problem::{Code, Problem},
    request_id::RequestId,
    until_ended::UntilEnded,
};
use crate::{
    access::{Access, AuthenticateError, Caller, Of, Refusal, Scope},
    event_log::StreamName,
    metrics,
};

/// The path that is open if the host is told so.
const METRICS: &str = "/metrics";
/// How long it may take to find out who makes a request: while Postgres hangs, requests would pile up before all bounds.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(5);
/// Characters of a reason in the log, at most: a path may be in it.
const MAX_REASON_CHARS: usize = 500;
/// Between two lines of the log on requests that are refused.
const LOG_PAUSE: Duration = Duration::from_secs(1);

/// The guard of a host. Clones are handles on one.
#[derive(Clone, Debug)]
pub(super) struct Guard(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    access: Access,
    /// What each route and method needs.
    routes: HashMap<&'static str, Vec<(Method, Needs)>>,
    /// For requests that need nothing to be known of them.
    anyone: Caller,
    nobody: Caller,
    refusals: Mutex<Refusals>,
}

/// Refusals that the log is told of. A line for each would fill the disk of a host that somebody floods.
#[derive(Debug, Default)]
struct Refusals {
    logged: Option<Instant>,
    since: u64,
}

impl Guard {
    /// A guard before these routes.
    pub(super) fn new(access: Access, operations: &[Operation]) -> Self {
        let mut routes: HashMap<_, Vec<_>> = HashMap::new();
        for operation in operations {
            let method = Method::from_bytes(operation.method.to_ascii_uppercase().as_bytes());
            // It is one of a few that are written in the code.
            let Ok(method) = method else { continue };
            routes.entry(operation.path).or_default().push((method, operation.needs));
        }
        Self(Arc::new(Shared {
            access,
            routes,
            anyone: Caller::anyone(),
            nobody: Caller::nobody(),
            refusals: Mutex::default(),
        }))
    }

    /// Finds the caller of a request, and keeps it with the request; or refuses the request.
    pub(super) async fn check(&self, request: &mut Request) -> Result<Caller, Problem> {
        let found = timeout(LOOK_UP_TIMEOUT, self.caller(request)).await;
        let caller = found.unwrap_or_else(|_| {
            let seconds = LOOK_UP_TIMEOUT.as_secs();
            let detail = format!("it could not be looked up within {seconds} s whose token that is; try again");
            Err(Problem::new(Code::DatabaseUnavailable, detail))
        })?;
        request.extensions_mut().insert(caller.clone());
        Ok(caller)
    }

    async fn caller(&self, request: &mut Request) -> Result<Caller, Problem> {
        let Shared { access, anyone, nobody, .. } = &*self.0;
        if access.settings().is_open() {
            return Ok(anyone.clone());
        }
        // There is nothing at any other path, and that is all that anybody learns.
        let Some(route) = request.extensions().get::<MatchedPath>().cloned() else { return Ok(nobody.clone()) };
        let needs = self.needs(route.as_str(), request.method());
        let token = bearer(request.headers());
        let caller = match (needs, token) {
            (Needs::Nothing, _) | (Needs::NothingYet, Ok(None)) => return Ok(nobody.clone()),
            (_, Ok(Some(token))) => access.authenticate(token, Peer::address(request)).await,
            (_, Ok(None)) => Err(Refusal::Missing.into()),
            (_, Err(refusal)) => Err(refusal.into()),
        };
        let caller = caller.map_err(|error| self.not_authenticated(error, Peer::address(request)))?;
        match needs {
            Needs::One(scopes, on) if !caller.may(scopes, Of::Host) => {
                let checked = self.check_names(request, &caller, scopes, on).await;
                checked.inspect_err(|problem| self.log(problem, Peer::address(request)))?;
            }
            _ => {}
        }
        Ok(caller)
    }

    /// What a route needs. To ask for the head of an answer, or for what a path takes, is to ask for the answer.
    fn needs(&self, route: &str, method: &Method) -> Needs {
        let Shared { access, routes, .. } = &*self.0;
        if route == METRICS && access.settings().open_metrics {
            return Needs::Nothing;
        }
        let method = if [Method::HEAD, Method::OPTIONS].contains(method) { &Method::GET } else { method };
        let mut of_route = routes.get(route).into_iter().flatten();
        of_route.find(|(found, _)| found == method).map_or(Needs::ADMIN, |(_, needs)| *needs)
    }

    /// Whether scopes that are limited to names are enough.
    async fn check_names(
        &self,
        request: &mut Request,
        caller: &Caller,
        scopes: &[Scope],
        on: On,
    ) -> Result<(), Problem> {
        let refused = |name: Option<(&str, &str)>| Err(forbidden(caller, scopes, name, ""));
        let (kind, part) = match on {
            On::Host => return refused(None),
            On::Each(_) if caller.may(scopes, Of::Some) => return Ok(()),
            On::Each(_) => return refused(None),
            On::Category => ("category", "stream"),
            On::Part(part) => (part, part),
        };
        // What the path names, as the handler will read it. Where it names nothing that can be read, nobody's scope covers it.
        let parts = request.extract_parts::<RawPathParams>().await.ok();
        let named = parts.as_ref().and_then(|parts| parts.iter().find(|(name, _)| *name == part)).map(|(_, name)| name);
        let Some(named) = named else { return refused(None) };
        let stream = (on == On::Category).then(|| StreamName::new(named.to_owned()).ok());
        let name = match &stream {
            Some(Some(stream)) => stream.category(),
            Some(None) => return refused(None),
            None => named,
        };
        if caller.may(scopes, Of::Name(name)) { Ok(()) } else { refused(Some((kind, name))) }
    }

    fn not_authenticated(&self, error: AuthenticateError, address: Option<IpAddr>) -> Problem {
        let problem = match error {
            AuthenticateError::Refused(refusal) => unauthenticated(refusal),
            AuthenticateError::TooManyTries => {
                metrics::of_host().http.denied("too_many_tries");
                Problem::new(Code::TooManyTries, error.to_string())
            }
            AuthenticateError::NoKeys => {
                metrics::of_host().http.denied("no_issuer_keys");
                Problem::new(Code::IssuerKeysUnavailable, error.to_string())
            }
            AuthenticateError::Postgres(error) => return error.into(),
        };
        self.log(&problem, address);
        problem
    }

    /// Tells the log of a refusal, but not of each.
    fn log(&self, problem: &Problem, address: Option<IpAddr>) {
        let mut refusals = self.0.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.since += 1;
        if refusals.logged.is_some_and(|last| last.elapsed() < LOG_PAUSE) {
            return;
        }
        let since = std::mem::take(&mut refusals.since);
        refusals.logged = Some(Instant::now());
        drop(refusals);
        let from = address.map(|address| address.to_string()).unwrap_or_default();
        let why = problem.get("detail").and_then(|detail| detail.as_str()).unwrap_or_default();
        // It may quote what a client has sent, which is not to look like another line.
        let why: String = why.chars().take(MAX_REASON_CHARS).flat_map(char::escape_debug).collect();
        let request_id = RequestId::current();
        warn!(%from, %request_id, refused_since_the_last_line = since, "a request is refused: {why}");
    }

    /// The answer to a caller, which ends when the caller is one no more: what follows the log would never end otherwise.
    pub(super) fn until_ended(&self, caller: &Caller, response: Response) -> Response {
        let endless = response.body().size_hint().exact().is_none();
        let may_end = caller.expires().is_some() || caller.is_revocable();
        if !(endless && may_end) {
            return response;
        }
        let (access, caller) = (self.0.access.clone(), caller.clone());
        let ended = async move { access.ended(&caller).await };
        response.map(|body| Body::new(UntilEnded::new(body, ended)))
    }
}

/// The token of a request, if there is one. There is one header, and its scheme is `Bearer`.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| Refusal::NotBearer)?;
    let (scheme, token) = text.split_once(' ').ok_or(Refusal::NotBearer)?;
    let token = token.trim();
    if all.next().is_some() || !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(' ') {
        return Err(Refusal::NotBearer);
    }
    Ok(Some(token))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn a_token_is_the_one_after_bearer() {
        assert_eq!(bearer(&headers(&[])), Ok(None));
        for text in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(bearer(&headers(&[text])), Ok(Some("abc")), "{text}");
        }
        for texts in [&["abc"][..], &["Bearer"], &["Bearer "], &["Bearer a b"], &["Basic abc"], &["Bearer é"]] {
            assert_eq!(bearer(&headers(texts)), Err(Refusal::NotBearer), "{texts:?}");
        }
        assert_eq!(bearer(&headers(&["Bearer a", "Bearer a"])), Err(Refusal::NotBearer));
    }
}
