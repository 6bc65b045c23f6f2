//! How a body is compressed, as `Content-Encoding` says. Bodies in gzip are decompressed on their way to the handlers, whose limits
//! count the bytes that come out; every other compression is refused.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower_http::decompression::RequestDecompressionLayer;

use super::problem::{Code, Problem};

/// The routes, behind the decompression of bodies.
pub(super) fn decompressing<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    // The layer that is added last sees a request first.
    router
        .layer(middleware::map_request(|request: Request<_>| std::future::ready(Request::map(request, Body::new))))
        .layer(RequestDecompressionLayer::new())
        .layer(middleware::from_fn(check))
}

async fn check(mut request: Request, next: Next) -> Response {
    match encoding(request.headers()) {
        Ok(Encoding::None) => {
            request.headers_mut().remove(header::CONTENT_ENCODING);
        }
        // Names of encodings have no case, and the layer knows one spelling.
        Ok(Encoding::Gzip) => {
            request.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Err(problem) => return problem.into_response(),
    }
    next.run(request).await
}

enum Encoding {
    None,
    Gzip,
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let values: Vec<_> = headers.get_all(header::CONTENT_ENCODING).iter().map(HeaderValue::to_str).collect();
    let encoding = match values.as_slice() {
        [] => return Ok(Encoding::None),
        [Ok(encoding)] => encoding.trim().to_ascii_lowercase(),
        several => {
            several.iter().map(|value| value.as_ref().map_or("?", |value| *value)).collect::<Vec<_>>().join(", ")
        }
    };
    match encoding.as_str() {
        "identity" => Ok(Encoding::None),
        "gzip" | "x-gzip" => Ok(Encoding::Gzip),
        other => {
            let detail = format!("Content-Encoding must be gzip, or be left out; it is `{other}`");
            let problem = Problem::new(Code::UnsupportedMediaType, detail);
            // RFC 7694: says what the client may send instead.
            Err(problem.with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip")))
        }
    }
}
