//! `/docs`: the description of the API in a browser. The page and its script are part of the program, and ask no other server.

use std::io::Read as _;

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use flate2::read::GzDecoder;
use serde_json::json;

use super::{
    etag::{tag_of, with_tag},
    extract::NoParams,
    forwarded_prefix::ForwardedPrefix,
    needs::Needs,
    openapi::Operation,
    problem::{Code, Problem},
    server_error::internal,
};

const PAGE: &str = include_str!("page.html");
/// RapiDoc, see the README beside it.
const SCRIPT: &[u8] = include_bytes!("rapidoc-min.js.gz");
const LICENCE: &str = include_str!("LICENSE-rapidoc.txt");

/// Only what this host serves: RapiDoc sets styles on elements, and asks for the document and, if its reader tries a route out, for that.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; \
                                       connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /docs`
pub(super) async fn page(NoParams: NoParams, headers: HeaderMap) -> Response {
    let page = PAGE.replace("{prefix}", &ForwardedPrefix::current().path(""));
    let policy = (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    let response = with_tag(&headers, &tag_of(page.as_bytes()), "text/html; charset=utf-8", page.into());
    checked_again(response, [policy])
}

/// `GET /docs/rapidoc.js`: compressed, if the client takes it so.
pub(super) async fn script(NoParams: NoParams, headers: HeaderMap) -> Result<Response, Problem> {
    let script = "text/javascript; charset=utf-8";
    let vary = (header::VARY, HeaderValue::from_static("accept-encoding"));
    if takes_gzip(&headers) {
        let response = with_tag(&headers, &tag_of(SCRIPT), script, Bytes::from_static(SCRIPT));
        return Ok(checked_again(response, [vary, (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))]));
    }
    let mut plain = Vec::new();
    GzDecoder::new(SCRIPT).read_to_end(&mut plain).map_err(|error| internal(&error))?;
    Ok(checked_again(with_tag(&headers, &tag_of(&plain), script, plain.into()), [vary]))
}

/// `GET /docs/licence`: that of the script.
pub(super) async fn licence(NoParams: NoParams) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], LICENCE)
}

/// A response that clients may keep, if they ask each time whether it is still the same.
fn checked_again<const N: usize>(mut response: Response, headers: [(HeaderName, HeaderValue); N]) -> Response {
    response.headers_mut().extend(headers);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.unwrap_or(1.0) > 0.0
    })
}

/// The operations of these routes, and of the document.
pub(super) fn describe() -> Vec<Operation> {
    let text = || json!({"type": "string"});
    let tag = "The tag of the content: with `If-None-Match`, the answer is 304 as long as it is the same.";
    vec![
        Operation::get(
            Needs::NothingYet,
            "/openapi.json",
            "openapi",
            "This description of the API, with the tables of the active builds.",
        )
        .header("If-None-Match", text(), "The `ETag` of the document that the client has.")
        .answers_as(200, "The document.", "application/json", json!({"type": "object"}), None)
        .answers_header(200, "ETag", text(), tag)
        .answers_nothing(304, "The client has it.")
        .problems(&[Code::DatabaseUnavailable, Code::Starting]),
        Operation::get(Needs::Nothing, "/docs", "docs", "The description of the API, for browsers.")
            .answers_as(200, "The page.", "text/html", text(), None)
            .answers_nothing(304, "The client has it."),
        Operation::get(Needs::Nothing, "/docs/rapidoc.js", "docs_script", "The script of that page: RapiDoc.")
            .answers_as(200, "The script.", "text/javascript", text(), None)
            .answers_nothing(304, "The client has it."),
        Operation::get(Needs::Nothing, "/docs/licence", "docs_licence", "The licence of that script.").answers_as(
            200,
            "The licence.",
            "text/plain",
            text(),
            None,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_compressed_for_those_who_take_it() {
        for (accept, takes) in
            [("gzip", true), ("deflate, GZIP;q=0.5, br", true), ("gzip;q=0", false), ("br", false), ("", false)]
        {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, accept.parse().unwrap())]);
            assert_eq!(takes_gzip(&headers), takes, "{accept}");
        }
    }
}
