//! Headers of PostgREST's that would change the answer.

use std::borrow::Cow;

use super::error::QueryError;

/// The schema that clients name where nobody told them of one.
const UNASKED: &str = "public";

/// Refuses what would be misread: a range of rows, which is not there yet, and a schema that is not the projection.
///
/// # Errors
/// Such a header is there; `header` looks for one by its name.
pub fn check_headers<'h>(projection: &str, header: impl Fn(&str) -> Option<Cow<'h, str>>) -> Result<(), QueryError> {
    for name in ["Range", "Range-Unit"] {
        if header(name).is_some() {
            let details = format!("The header {name} is not implemented; limit and offset select a part of the rows.");
            return Err(QueryError::not_implemented(details));
        }
    }
    for name in ["Accept-Profile", "Content-Profile"] {
        if let Some(schema) = header(name).filter(|schema| schema != projection && schema != UNASKED) {
            return Err(QueryError::invalid_schema(&schema, projection));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &'static str) -> Result<(), QueryError> {
        check_headers("bank", |header| (header == name).then_some(Cow::Borrowed(value)))
    }

    #[test]
    fn ranges_are_not_there_yet() {
        for (name, value) in [("Range", "5-6"), ("Range", "bytes=0-"), ("Range-Unit", "items")] {
            let error = check(name, value).unwrap_err();
            assert_eq!((error.status, error.code.as_ref()), (400, "PGRST127"));
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
                Err(QueryError {
                    code: "PGRST106".into(),
                    message: "Invalid schema: shop".into(),
                    details: None,
                    hint: Some("Only the following schemas are exposed: bank".into()),
                    status: 406,
                })
            );
        }
    }
}
