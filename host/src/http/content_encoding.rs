//! How a body is compressed, as `Content-Encoding` says. Bodies in gzip are decompressed on their way to the handlers, whose limits
//! count the bytes that come out; every other compression is refused.

use std::io;

use async_compression::tokio::bufread::GzipDecoder;
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
};
use futures_util::TryStreamExt as _;
use tokio_util::io::{ReaderStream, StreamReader};

use super::problem::{Code, Problem};

/// The request, whose body is decompressed as it is read.
pub(super) fn decompressed(mut request: Request) -> Result<Request, Problem> {
    let encoding = encoding(request.headers())?;
    request.headers_mut().remove(header::CONTENT_ENCODING);
    Ok(match encoding {
        Encoding::None => request,
        Encoding::Gzip => {
            // It is that of the compressed bytes.
            request.headers_mut().remove(header::CONTENT_LENGTH);
            request.map(from_gzip)
        }
    })
}

/// What comes out of a body in gzip: of all its members, and an error if anything else follows them.
fn from_gzip(body: Body) -> Body {
    let compressed = body.into_data_stream().map_err(io::Error::other);
    let mut decoder = GzipDecoder::new(StreamReader::new(compressed));
    decoder.multiple_members(true);
    Body::from_stream(ReaderStream::with_capacity(decoder, 64 * 1024))
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
