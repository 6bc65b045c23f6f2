//! Extractors: the parts of a request as types, or a problem that says what is wrong.

use axum::{
    extract::{FromRequest, FromRequestParts, Request, path::ErrorKind, rejection::PathRejection},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    body::read_body,
    content_type::{check_charset, is_media_type, unsupported},
    json::parse_json,
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
        check_charset(request.headers())?;
        let max = api.settings.max_body_bytes;
        let timeout = api.settings.work.body_timeout;
        let body = read_body(request.into_body(), max as u64, "max_body_bytes", timeout).await?;
        parse_json(&body).map(Self)
    }
}

/// The parameters of the query string. A parameter that is unknown or is given twice is refused, since ignoring it could change
/// what the client asks for.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        refuse_nul(query)?;
        let parameters = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(parameters).map(Self).map_err(|error| {
            let (path, inner) = (error.path().to_string(), error.inner().to_string());
            let reason = if let Some(parameter) = inner.strip_prefix("duplicate field ") {
                format!("the parameter {parameter} is given twice")
            } else if let Some(parameter) = inner.strip_prefix("missing field ") {
                format!("the parameter {parameter} is missing")
            } else if inner.starts_with("unknown field") {
                inner
                    .replace("unknown field", "unknown parameter")
                    .replace("there are no fields", "the path takes none")
            } else if let Some(reason) = not_a_number(&inner) {
                format!("`{path}` must be a whole number, 0 or more; {reason}")
            } else if inner == "provided string was not `true` or `false`" {
                format!("`{path}` must be `true` or `false`")
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

/// Refuses a query string with a text that nothing can have: Postgres does not take it.
fn refuse_nul(query: &str) -> Result<(), Problem> {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let Some((name, _)) = parameters.find(|(name, value)| name.contains('\0') || value.contains('\0')) else {
        return Ok(());
    };
    let what = if name.contains('\0') { "the name of a parameter".to_owned() } else { format!("`{name}`") };
    let detail = format!("query string: {what} has the character NUL (%00), which no text may have");
    Err(Problem::new(Code::InvalidQuery, detail))
}

/// What is wrong with a number, if that is what Rust's message is about.
fn not_a_number(message: &str) -> Option<&'static str> {
    match message {
        "invalid digit found in string" => Some("it has other characters"),
        "cannot parse integer from empty string" => Some("it is empty"),
        "number too large to fit in target type" => Some("it is too large"),
        _ => None,
    }
}

/// An empty query string, for paths that take no parameters.
pub(super) struct NoParams;

impl<S: Send + Sync> FromRequestParts<S> for NoParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Empty {}

        let Params(Empty {}) = Params::from_request_parts(parts, state).await?;
        Ok(Self)
    }
}

/// The parameters of the path.
pub(super) struct PathParams<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.uri.path().contains("%00") {
            return Err(Problem::new(
                Code::InvalidPath,
                "the path has the character NUL (%00), which no name may have",
            ));
        }
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(params)| Self(params))
            .map_err(|error| Problem::new(Code::InvalidPath, path_error(&error)))
    }
}

/// What is wrong with the path, in words that name the part and not Rust's types.
fn path_error(error: &PathRejection) -> String {
    let PathRejection::FailedToDeserializePathParams(error) = error else { return error.body_text() };
    match error.kind() {
        ErrorKind::InvalidUtf8InPathParam { key } => format!("the part `{key}` of the path is not UTF-8"),
        ErrorKind::ParseErrorAtKey { key, value, .. } => {
            format!("the part `{key}` of the path must be a whole number; it is `{value}`")
        }
        ErrorKind::ParseErrorAtIndex { value, .. } | ErrorKind::ParseError { value, .. } => {
            format!("a part of the path must be a whole number; it is `{value}`")
        }
        ErrorKind::DeserializeError { message, .. } | ErrorKind::Message(message) => message.clone(),
        _ => error.body_text(),
    }
}
