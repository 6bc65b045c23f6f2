//! Extractors: the parts of a request as types, or a problem that says what is wrong.

use axum::{
    extract::{FromRequest, FromRequestParts, Request, rejection::PathRejection},
    http::{HeaderMap, header, request::Parts},
};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{
    body::read_body,
    problem::{Code, Problem},
    state::Api,
};

/// The body of a request, read from JSON.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        if !is_media_type(request.headers(), "application/json") {
            return Err(unsupported(request.headers(), "application/json"));
        }
        let max = api.settings.max_body_bytes;
        let body = read_body(request.into_body(), max as u64, "max_body_bytes").await?;
        parse_json(&body).map(Self)
    }
}

/// Reads a JSON object. (serde would also read an array as one, its items as the fields.)
pub(super) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    parse_object(bytes, |error| format!("line {} column {}", error.line(), error.column()))
}

/// Reads a JSON object that stands in one line of the body. The caller adds which line.
pub(super) fn parse_json_line<T: DeserializeOwned>(line: &[u8]) -> Result<T, Problem> {
    parse_object(line.trim_ascii_end(), |error| format!("column {}", error.column()))
}

fn parse_object<T: DeserializeOwned>(
    bytes: &[u8],
    position: impl Fn(&serde_json::Error) -> String,
) -> Result<T, Problem> {
    let malformed = |error: &serde_json::Error| {
        Problem::new(Code::MalformedJson, format!("{} at {}", without_position(error), position(error)))
    };
    if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| malformed(&error))?;
        return Err(Problem::new(Code::InvalidBody, "a JSON object is expected"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner());
        match path.as_str() {
            _ if !inner.is_data() => malformed(inner),
            // The sentence names the field that the object lacks.
            "." => Problem::new(Code::InvalidBody, without_position(inner)),
            _ => Problem::new(Code::InvalidBody, format!("{path}: {}", without_position(inner))).with("field", path),
        }
    })?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(parsed)
}

/// serde_json's message without its ` at line 1 column 2`.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).map(str::to_owned).unwrap_or(text)
}

/// The parameters of the query string. A parameter that is unknown or is given twice is refused, since ignoring it could change
/// what the client asks for.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let parameters = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(parameters).map(Self).map_err(|error| {
            let (path, inner) = (error.path().to_string(), error.inner().to_string());
            let reason = if let Some(parameter) = inner.strip_prefix("duplicate field ") {
                format!("the parameter {parameter} is given twice")
            } else if inner.starts_with("unknown field") {
                inner
                    .replace("unknown field", "unknown parameter")
                    .replace("there are no fields", "the path takes none")
            } else if inner.contains(&format!("`{path}`")) {
                // The message names the parameter itself.
                inner
            } else {
                format!("{path}: {inner}")
            };
            Problem::new(Code::InvalidQuery, format!("query string: {reason}"))
        })
    }
}

/// An empty query string, for paths that take no parameters.
pub(super) struct NoParams;

impl FromRequestParts<Api> for NoParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Empty {}

        let Params(Empty {}) = Params::from_request_parts(parts, api).await?;
        Ok(Self)
    }
}

/// The parameters of the path.
pub(super) struct PathParams<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(params)| Self(params))
            .map_err(|error: PathRejection| Problem::new(Code::InvalidPath, error.body_text()))
    }
}

/// Whether `Content-Type` names a media type, with any parameters.
pub(super) fn is_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    media_type(headers).is_some_and(|found| found.eq_ignore_ascii_case(wanted))
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim())
}

/// The problem of a body whose media type is not the one that the path takes.
pub(super) fn unsupported(headers: &HeaderMap, wanted: &str) -> Problem {
    let found = media_type(headers).map_or_else(|| "none".to_owned(), |found| format!("`{found}`"));
    Problem::new(Code::UnsupportedMediaType, format!("Content-Type must be {wanted}; it is {found}"))
}
