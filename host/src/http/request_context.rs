//! What every request and every answer has: an id, the prefix of a proxy, a span, and headers; and it is counted.
//!
//! One middleware, not one for each: axum puts each on the heap for each request, again with all that is inside it.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::{dialect::Dialect, forwarded_prefix::ForwardedPrefix, request_id::RequestId, traces::request_span};
use crate::metrics;

/// Answers a request under its id, and with the prefix under which its client knows this host.
pub(super) async fn with_context(request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let prefix = ForwardedPrefix::of(&request);
    let dialect = Dialect::of(request.uri().path());
    let began = Instant::now();
    let (method, route) = (request.method().clone(), request.extensions().get::<MatchedPath>().cloned());
    let route = route.as_ref().map(MatchedPath::as_str);
    let span = request_span(&method, route, &id, request.headers());
    let mut response = span.scope(id.clone().scope(prefix.scope(dialect.scope(next.run(request))))).await;
    let status = response.status();
    span.answered(status.as_u16());
    metrics::of_host().http.answered(method.as_str(), route, status.as_str(), began.elapsed());
    let headers = response.headers_mut();
    id.write(headers);
    // Keeps browsers from rendering what users wrote into events as a page.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
