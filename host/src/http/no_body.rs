//! Bodies of requests that take none: ignoring one could do something else than the client asks for.

use std::{collections::HashMap, sync::LazyLock, time::Duration};

use axum::{
    body::{Body, HttpBody as _},
    extract::{MatchedPath, Request},
    http::Method,
};

use super::{
    body::BoundedBody,
    openapi::routes,
    problem::{Code, Problem},
};

/// More is not a body that means nothing.
const MAX_BYTES: usize = 16;

/// Which methods and paths take a body, as the API's description has them.
static TAKES_BODY: LazyLock<HashMap<(String, &'static str), bool>> = LazyLock::new(|| {
    let described = routes().into_iter();
    described
        .map(|operation| ((operation.method.to_ascii_uppercase(), operation.path), operation.takes_body()))
        .collect()
});

/// Refuses a body where none is taken. `{}` passes, which some clients send with every request.
pub(super) async fn check(request: Request, timeout: Duration) -> Result<Request, Problem> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let method = request.method().as_str();
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    // A path that does not exist is refused as such, and so is a method that the path does not take.
    let Some(path) = path else { return Ok(request) };
    let described = if request.method() == Method::HEAD { "GET" } else { method };
    if TAKES_BODY.get(&(described.to_owned(), path)) != Some(&false) {
        return Ok(request);
    }
    let detail = format!(
        "{method} {} takes no body; what it takes is in the path and in the query string",
        request.uri().path()
    );
    let (parts, body) = request.into_parts();
    let mut body = BoundedBody::new(body, MAX_BYTES as u64, "no body", timeout);
    let mut found = Vec::new();
    while let Some(chunk) = body.next_unchecked().await? {
        found.extend_from_slice(&chunk);
        if found.len() > MAX_BYTES {
            body.drain().await;
            break;
        }
    }
    if found.len() <= MAX_BYTES && [b"".as_slice(), b"{}"].contains(&found.trim_ascii()) {
        return Ok(Request::from_parts(parts, Body::empty()));
    }
    Err(Problem::new(Code::InvalidBody, detail))
}
