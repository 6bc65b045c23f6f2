//! Taking requests apart; what does not fit becomes a problem.

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

/// The body of a request, as JSON.
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

/// Reads a JSON object. (serde would take an array for one, too, its items for the fields.)
pub(super) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| json_problem(&error))?;
        return Err(Problem::new(Code::InvalidBody, "a JSON object is expected"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner());
        if inner.is_data() && path != "." {
            Problem::new(Code::InvalidBody, format!("{path}: {inner}")).with("field", path)
        } else {
            json_problem(inner)
        }
    })?;
    json.end().map_err(|error| json_problem(&error))?;
    Ok(parsed)
}

fn json_problem(error: &serde_json::Error) -> Problem {
    let code = if error.is_data() { Code::InvalidBody } else { Code::MalformedJson };
    Problem::new(code, error.to_string())
}

/// The parameters of the query string. One that is unknown, or is there twice, is refused: it would change what is asked for,
/// if only one knew how.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let parameters = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(parameters).map(Self).map_err(|error| {
            let (path, inner) = (error.path().to_string(), error.inner().to_string());
            let words = if let Some(parameter) = inner.strip_prefix("duplicate field ") {
                format!("the parameter {parameter} is there twice")
            } else if inner.starts_with("unknown field") {
                inner.replace("unknown field", "unknown parameter").replace("there are no fields", "none is known")
            } else if inner.contains(&format!("`{path}`")) {
                // The words name the parameter by themselves.
                inner
            } else {
                format!("{path}: {inner}")
            };
            Problem::new(Code::InvalidQuery, format!("query string: {words}"))
        })
    }
}

/// A query string without parameters, for what has none.
pub(super) struct NoParams;

impl FromRequestParts<Api> for NoParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}

        let Params(Nothing {}) = Params::from_request_parts(parts, api).await?;
        Ok(Self)
    }
}

/// The parameters of the path.
pub(super) struct PathParams<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Api> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, api)
            .await
            .map(|axum::extract::Path(params)| Self(params))
            .map_err(|error: PathRejection| Problem::new(Code::InvalidPath, error.body_text()))
    }
}

/// Whether the body is said to be of a media type, whatever its parameters.
pub(super) fn is_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    media_type(headers).is_some_and(|found| found.eq_ignore_ascii_case(wanted))
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim())
}

/// The problem of a body that is not of the wanted media type.
pub(super) fn unsupported(headers: &HeaderMap, wanted: &str) -> Problem {
    let found = media_type(headers).map_or_else(|| "none".to_owned(), |found| format!("`{found}`"));
    Problem::new(Code::UnsupportedMediaType, format!("Content-Type must be {wanted}; it is {found}"))
}
