//! The door of the API: who may come in, how many at once, and for how long.
//!
//! The requests under way are counted by kind, so that no kind keeps another one out. What is beyond a bound is refused at once, and not kept
//! waiting: a host that cannot keep up would only make everybody's answers late, and its memory full. A client that tries again later finds room.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody as _},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tracing::warn;

use super::{
    audited::Audited,
    body::discard,
    body_memory::{self, BodyMemory, HeldBody},
    columnar,
    content_encoding::decompressed,
    content_type::is_media_type,
    guard::Guard,
    known_host::{check_host, check_origin},
    no_body,
    problem::{Code, Problem},
    request_id::RequestId,
    settings::HttpSettings,
    sse,
    with_guard::WithGuard,
};
use crate::metrics;

/// The door. Clones are handles on one.
#[derive(Clone, Debug)]
pub(super) struct Door(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: Arc<HttpSettings>,
    guard: Guard,
    bodies: BodyMemory,
    appends: Room,
    reads: Room,
    waits: Room,
    operations: Room,
    followers: Room,
    exports: Room,
}

/// Room for requests of one kind.
#[derive(Debug)]
struct Room {
    /// What they are, and the setting that says how many there may be.
    name: &'static str,
    limit: &'static str,
    max: usize,
    free: Arc<Semaphore>,
}

/// What a request is, as far as bounds are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Append,
    /// An append that takes as long as its client sends.
    Import,
    Read,
    /// A read that waits for a position.
    Wait,
    /// A comparison of builds, which waits, and then takes as long as their tables are large; or a rehearsal, which has a bound of its own.
    Compare,
    /// The upload of a module.
    Upload,
    Operation,
    Follow,
    /// All rows of a read model, for as long as its client takes to read them.
    Export,
    /// Health, and what is part of the program.
    Free,
}

impl Door {
    /// A door before handlers that take components of so many bytes.
    pub(super) fn new(settings: Arc<HttpSettings>, guard: Guard, max_module_bytes: usize) -> Self {
        let work = &settings.work;
        let room = |name, limit, max| Room { name, limit, max, free: Arc::new(Semaphore::new(max)) };
        // Each body that is within its own limit has to fit.
        let bodies = settings.max_bodies_bytes.max(settings.max_body_bytes).max(max_module_bytes);
        Self(Arc::new(Shared {
            bodies: BodyMemory::new(bodies),
            appends: room("appends", "max_appends", work.max_appends),
            reads: room("reads", "max_reads", work.max_reads),
            waits: room("requests that wait", "max_waits", work.max_waits),
            operations: room("operations", "max_operations", work.max_operations),
            followers: room("followers", "max_followers", work.max_followers),
            exports: room("exports", "max_exports", work.max_exports),
            settings,
            guard,
        }))
    }

    async fn answer(&self, request: Request, next: Next) -> Result<Response, Problem> {
        let Shared { settings, guard, bodies, .. } = &*self.0;
        let mut request = decompressed(request)?;
        check_host(&request, &settings.allowed_hosts)?;
        check_origin(&request, &settings.allowed_hosts)?;
        let caller = match guard.check(&mut request).await {
            Ok(caller) => caller,
            Err(refused) => {
                discard(request.into_body()).await;
                return Err(refused);
            }
        };
        let kind = kind(&request);
        let entered = match self.room(kind).map(Room::enter).transpose() {
            Ok(entered) => entered,
            Err(full) => {
                discard(request.into_body()).await;
                return Err(full);
            }
        };
        let body = (!request.body().is_end_stream()).then(|| bodies.begin());
        let audited = matches!(kind, Kind::Operation | Kind::Upload).then(|| Audited::new(&request, &caller));
        let answer = body_memory::scope(body.clone(), async {
            let answer = async {
                let request = no_body::check(request, settings.work.body_timeout).await?;
                Ok(next.run(request).await)
            };
            match audited {
                Some(audited) => audited.run(answer).await,
                None => answer.await,
            }
        });
        let response = match self.deadline(kind) {
            None => answer.await?,
            Some(deadline) => {
                timeout(deadline, answer).await.unwrap_or_else(|_| Err(late(kind, body.as_deref(), deadline)))?
            }
        };
        let response = guard.until_ended(&caller, response);
        Ok(match entered {
            // The others have done their work when the answer begins.
            Some(entered) if matches!(kind, Kind::Follow | Kind::Export) && response.status() == StatusCode::OK => {
                // A query that is followed, or exported, stays in memory.
                response.map(|answer| Body::new(WithGuard::new(answer, (entered, body))))
            }
            _ => response,
        })
    }

    /// How many requests of each kind are under way.
    pub(super) fn under_way(&self) -> impl Iterator<Item = UnderWay> {
        let Shared { appends, reads, waits, operations, followers, exports, .. } = &*self.0;
        [appends, reads, waits, operations, followers, exports].into_iter().map(|room| UnderWay {
            kind: room.kind(),
            requests: room.max.saturating_sub(room.free.available_permits()),
            max: room.max,
        })
    }

    fn room(&self, kind: Kind) -> Option<&Room> {
        let rooms = &*self.0;
        match kind {
            Kind::Append | Kind::Import => Some(&rooms.appends),
            Kind::Read => Some(&rooms.reads),
            Kind::Wait | Kind::Compare => Some(&rooms.waits),
            Kind::Operation => Some(&rooms.operations),
            Kind::Follow => Some(&rooms.followers),
            Kind::Export => Some(&rooms.exports),
            // Uploads have places of their own, see `modules/lanes.rs`.
            Kind::Upload | Kind::Free => None,
        }
    }

    /// How long a request may take until its answer begins.
    fn deadline(&self, kind: Kind) -> Option<Duration> {
        let settings = &self.0.settings;
        match kind {
            Kind::Import | Kind::Compare => None,
            Kind::Wait | Kind::Export => Some(settings.work.request_timeout.saturating_add(settings.max_wait)),
            _ => Some(settings.work.request_timeout),
        }
    }
}

/// How many requests of a kind are under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnderWay {
    pub(super) kind: &'static str,
    pub(super) requests: usize,
    pub(super) max: usize,
}

impl Room {
    /// What they are, in a word.
    fn kind(&self) -> &'static str {
        self.limit.strip_prefix("max_").unwrap_or(self.limit)
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let Self { name, limit, max, free } = self;
        Arc::clone(free).try_acquire_owned().map_err(|_| {
            metrics::of_host().http.refused(self.kind());
            let detail = format!("the host has {max} {name} under way, and takes on no more ({limit}); try again soon");
            Problem::new(Code::Overloaded, detail).with("limit", limit).with("max", max)
        })
    }
}

/// Lets a request in, or refuses it.
pub(super) async fn admit(State(door): State<Door>, request: Request, next: Next) -> Response {
    door.answer(request, next).await.unwrap_or_else(IntoResponse::into_response)
}

fn kind(request: &Request) -> Kind {
    let (method, path, headers) = (request.method(), request.uri().path(), request.headers());
    if !path.starts_with("/v1/") {
        // The description names the tables that there are.
        return if path == "/openapi.json" { Kind::Read } else { Kind::Free };
    }
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) {
        return match path {
            _ if sse::wanted(headers) => Kind::Follow,
            _ if is_export(path, headers) => Kind::Export,
            _ if waits(request) => Kind::Wait,
            _ if path.ends_with("/compare") || path.contains("/verify/") => Kind::Compare,
            _ if path.strip_prefix("/v1/reactors/").is_some_and(|of| of.ends_with("/rehearsal")) => Kind::Compare,
            _ => Kind::Read,
        };
    }
    match *method {
        Method::POST if path == "/v1/events/query" && sse::wanted(headers) => Kind::Follow,
        Method::POST if path == "/v1/events/query" => Kind::Read,
        Method::POST if is_export(path, headers) => Kind::Export,
        Method::POST if path.starts_with("/v1/read-models/") => {
            if waits(request) {
                Kind::Wait
            } else {
                Kind::Read
            }
        }
        Method::POST if path == "/v1/events" && is_media_type(headers, "application/x-ndjson") => Kind::Import,
        Method::POST if path.starts_with("/v1/streams/") && path.ends_with("/verify") => Kind::Compare,
        Method::POST if path == "/v1/events" || path.starts_with("/v1/streams/") => Kind::Append,
        Method::PUT if path.starts_with("/v1/modules/") => Kind::Upload,
        _ => Kind::Operation,
    }
}

/// Whether a read may be one of all rows, which it is if its client prefers that of all that it accepts.
fn is_export(path: &str, headers: &HeaderMap) -> bool {
    path.starts_with("/v1/read-models/") && columnar::may_be_wanted(headers)
}

/// Whether a read waits for a position, or for the past to be made.
fn waits(request: &Request) -> bool {
    let is_there = |name: &&str| request.headers().contains_key(*name);
    ["gnomon-min-position", "gnomon-session", "gnomon-as-of"].iter().any(is_there)
        || request.uri().path().starts_with("/v1/read-models/") && request.uri().query().is_some_and(names_a_moment)
}

/// Whether a query string has a parameter `as_of`.
fn names_a_moment(query: &str) -> bool {
    query.split('&').any(|parameter| {
        let name = parameter.split('=').next().unwrap_or_default();
        name == "as_of" || name.contains('%') && percent_decode_str(name).eq(*b"as_of")
    })
}

/// The problem of a request that has taken too long.
fn late(kind: Kind, body: Option<&HeldBody>, deadline: Duration) -> Problem {
    let seconds = deadline.as_secs_f64();
    if body.is_some_and(HeldBody::is_reading) {
        let detail =
            format!("the body of the request was not there after {seconds} s (request_timeout); nothing was done");
        return Problem::new(Code::BodyTimeout, detail).with("limit", "request_timeout");
    }
    warn!(request_id = %RequestId::current(), ?kind, "a request is given up after {seconds} s (--request-timeout)");
    let (code, meaning) = match kind {
        Kind::Append => (
            Code::AppendUnknown,
            "; whether the events were appended is not known. With event ids it is safe to send them again",
        ),
        Kind::Upload | Kind::Operation => (Code::TimedOut, "; what it asks for may have been done, or may still be"),
        _ => (Code::TimedOut, ""),
    };
    Problem::new(code, format!("the host did not answer within {seconds} s (request_timeout){meaning}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_by_what_they_cost() {
        for (method, path, header, expected) in [
            ("GET", "/health/live", ("accept", "*/*"), Kind::Free),
            ("GET", "/docs", ("accept", "text/html"), Kind::Free),
            ("GET", "/metrics", ("accept", "text/plain"), Kind::Free),
            ("GET", "/openapi.json", ("accept", "*/*"), Kind::Read),
            ("GET", "/v1/events", ("accept", "*/*"), Kind::Read),
            ("GET", "/v1/events", ("accept", "text/event-stream"), Kind::Follow),
            ("POST", "/v1/events", ("content-type", "application/json"), Kind::Append),
            ("POST", "/v1/events", ("content-type", "application/x-ndjson; charset=utf-8"), Kind::Import),
            ("POST", "/v1/events/query", ("content-type", "application/json"), Kind::Read),
            ("POST", "/v1/events/query", ("accept", "text/event-stream"), Kind::Follow),
            ("POST", "/v1/streams/a-1/events", ("content-type", "application/json"), Kind::Append),
            ("GET", "/v1/read-models/bank/accounts", ("gnomon-min-position", "7"), Kind::Wait),
            ("GET", "/v1/read-models/bank/accounts", ("gnomon-session", "s2-0.bank=7"), Kind::Wait),
            ("GET", "/v1/read-models/bank/accounts", ("gnomon-as-of", "7"), Kind::Wait),
            ("GET", "/v1/read-models/bank/accounts?limit=1&as_of=7", ("accept", "text/csv"), Kind::Wait),
            ("GET", "/v1/read-models/bank/accounts?%61s%5Fof=7", ("accept", "text/csv"), Kind::Wait),
            ("GET", "/v1/read-models/bank/accounts?was_of=7", ("accept", "text/csv"), Kind::Read),
            ("GET", "/v1/read-models/bank/accounts", ("accept", "text/csv"), Kind::Read),
            ("GET", "/v1/read-models/bank/accounts", ("accept", "application/vnd.apache.parquet"), Kind::Export),
            ("GET", "/v1/read-models/bank/accounts", ("accept", "application/vnd.apache.parquet;q=0"), Kind::Read),
            (
                "POST",
                "/v1/read-models/bank/accounts/query",
                ("accept", "application/vnd.apache.arrow.stream"),
                Kind::Export,
            ),
            ("GET", "/v1/projections/bank", ("accept", "application/vnd.apache.parquet"), Kind::Read),
            ("POST", "/v1/read-models/bank/accounts/query", ("accept", "*/*"), Kind::Read),
            ("POST", "/v1/read-models/bank/accounts/query", ("gnomon-min-position", "7"), Kind::Wait),
            ("GET", "/v1/streams/a-1/state", ("accept", "*/*"), Kind::Read),
            ("POST", "/v1/streams/a-1/verify", ("accept", "*/*"), Kind::Compare),
            ("POST", "/v1/streams/verify/events", ("accept", "*/*"), Kind::Append),
            ("GET", "/v1/projections/bank/compare", ("prefer", "wait=7"), Kind::Compare),
            ("GET", "/v1/projections/bank/verify/3", ("accept", "*/*"), Kind::Compare),
            ("GET", "/v1/reactors/settlement/rehearsal", ("accept", "*/*"), Kind::Compare),
            ("GET", "/v1/reactors/rehearsal", ("accept", "*/*"), Kind::Read),
            ("PUT", "/v1/modules/bank", ("content-type", "application/wasm"), Kind::Upload),
            ("POST", "/v1/projections/bank/pause", ("accept", "*/*"), Kind::Operation),
            ("DELETE", "/v1/projections/bank", ("accept", "*/*"), Kind::Operation),
        ] {
            let request = Request::builder().method(method).uri(path).header(header.0, header.1);
            assert_eq!(kind(&request.body(Body::empty()).unwrap()), expected, "{method} {path}");
        }
    }
}
