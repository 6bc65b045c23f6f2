//! The header `Accept-Profile`: the schema that a client names.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::error::PostgrestError;

/// The schema that clients name by default.
const DEFAULT_SCHEMA: &str = "public";
const ACCEPT_PROFILE: HeaderName = HeaderName::from_static("accept-profile");

/// The schema that a client names, for the header `Content-Profile` of the answer. The projection of the path is the only schema, which clients
/// may also call `public`. The header `Content-Profile` of a request is for writes.
///
/// # Errors
/// The client names another schema.
pub(super) fn accepted_profile(projection: &str, headers: &HeaderMap) -> Result<Option<HeaderValue>, PostgrestError> {
    let Some(value) = headers.get(ACCEPT_PROFILE) else { return Ok(None) };
    if [projection, DEFAULT_SCHEMA].iter().any(|schema| schema.as_bytes() == value.as_bytes()) {
        return Ok(Some(value.clone()));
    }
    Err(PostgrestError::invalid_schema(&String::from_utf8_lossy(value.as_bytes()), projection))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn accepted(name: &'static str, value: &'static str) -> Result<Option<HeaderValue>, PostgrestError> {
        let header = (HeaderName::from_static(name), HeaderValue::from_static(value));
        accepted_profile("bank", &HeaderMap::from_iter([header]))
    }

    #[test]
    fn the_projection_is_the_only_schema() {
        for name in ["bank", "public"] {
            assert_eq!(accepted("accept-profile", name), Ok(Some(HeaderValue::from_static(name))));
        }
        assert_eq!(accepted("content-profile", "shop"), Ok(None));
        for name in ["shop", "", "Bank", "bank "] {
            assert_eq!(
                accepted("accept-profile", name),
                Err(PostgrestError {
                    code: "PGRST106".into(),
                    message: format!("Invalid schema: {name}"),
                    details: None,
                    hint: Some("Only the following schemas are exposed: bank".into()),
                    status: StatusCode::NOT_ACCEPTABLE,
                }),
                "{name}"
            );
        }
    }
}
