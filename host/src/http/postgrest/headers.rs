//! Headers of PostgREST that would change the answer and are refused.

use axum::http::HeaderMap;

use super::error::PostgrestError;

/// The schema that clients name by default.
const DEFAULT_SCHEMA: &str = "public";

/// Refuses a range of rows, which is not implemented, and a schema that is not the projection.
///
/// # Errors
/// The request has such a header.
pub(super) fn check_headers(projection: &str, headers: &HeaderMap) -> Result<(), PostgrestError> {
    for name in ["Range", "Range-Unit"] {
        if headers.contains_key(name) {
            let details = format!("The header {name} is not implemented; limit and offset select a part of the rows.");
            return Err(PostgrestError::not_implemented(details));
        }
    }
    for name in ["Accept-Profile", "Content-Profile"] {
        let schema = headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        if let Some(schema) = schema.filter(|schema| schema != projection && schema != DEFAULT_SCHEMA) {
            return Err(PostgrestError::invalid_schema(&schema, projection));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue, StatusCode};

    use super::*;

    fn check(name: &'static str, value: &'static str) -> Result<(), PostgrestError> {
        let header = (HeaderName::try_from(name).unwrap(), HeaderValue::from_static(value));
        check_headers("bank", &[header].into_iter().collect())
    }

    #[test]
    fn ranges_are_not_implemented() {
        for (name, value) in [("Range", "5-6"), ("Range", "bytes=0-"), ("Range-Unit", "items")] {
            let error = check(name, value).unwrap_err();
            assert_eq!((error.status, error.code.as_ref()), (StatusCode::BAD_REQUEST, "PGRST127"));
            let details = format!("The header {name} is not implemented; limit and offset select a part of the rows.");
            assert_eq!(error.details, Some(details));
        }
    }

    #[test]
    fn the_projection_is_the_only_schema() {
        assert_eq!(check("Accept-Profile", "bank"), Ok(()));
        assert_eq!(check("Accept-Profile", "public"), Ok(()));
        for name in ["Accept-Profile", "Content-Profile"] {
            assert_eq!(
                check(name, "shop"),
                Err(PostgrestError {
                    code: "PGRST106".into(),
                    message: "Invalid schema: shop".into(),
                    details: None,
                    hint: Some("Only the following schemas are exposed: bank".into()),
                    status: StatusCode::NOT_ACCEPTABLE,
                })
            );
        }
    }
}
