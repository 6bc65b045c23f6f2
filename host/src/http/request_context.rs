//! What every request and every answer has: an id, the prefix of a proxy, and headers.
//!
//! One middleware, not one for each: axum puts each on the heap for each request, again with all that is inside it.

use axum::{
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::{forwarded_prefix::ForwardedPrefix, request_id::RequestId};

/// Answers a request under its id, and with the prefix under which its client knows this host.
pub(super) async fn with_context(request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let prefix = ForwardedPrefix::of(request.headers());
    let mut response = id.clone().scope(prefix.scope(next.run(request))).await;
    let headers = response.headers_mut();
    id.write(headers);
    // Keeps browsers from rendering what users wrote into events as a page.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
