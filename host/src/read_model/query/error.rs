//! What a client is told when a query fails, in PostgREST's four fields.

use std::borrow::Cow;

use gnomon_values::TimeError;
use serde::Serialize;

/// A refusal in the form that PostgREST's clients read: `code`, `message`, `details` and `hint` are the fields of the
/// JSON body, `status` is the HTTP status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct QueryError {
    /// A code of PostgREST's (`PGRST…`), or an SQLSTATE.
    pub code: Cow<'static, str>,
    /// What is wrong.
    pub message: String,
    /// More about it.
    pub details: Option<String>,
    /// What would be right.
    pub hint: Option<String>,
    /// The HTTP status.
    #[serde(skip)]
    pub status: u16,
}

impl QueryError {
    /// An error of Postgres, which clients see as it is.
    #[must_use]
    pub fn from_postgres(sqlstate: &str, message: &str, details: Option<&str>, hint: Option<&str>) -> Self {
        Self {
            status: http_status(sqlstate),
            code: Cow::Owned(sqlstate.to_owned()),
            message: message.to_owned(),
            details: details.map(str::to_owned),
            hint: hint.map(str::to_owned),
        }
    }

    /// A parameter that breaks the grammar: PGRST100.
    pub(super) fn syntax(message: String, details: String) -> Self {
        Self { details: Some(details), ..Self::new("PGRST100", 400, message) }
    }

    /// More of something than a query may have. PostgREST has no such limits, hence no code of its own for them.
    pub(super) fn too_many(what: &str, limit: usize) -> Self {
        Self::syntax(format!("the query has too many {what}"), format!("At most {limit} are allowed."))
    }

    /// A parameter without `=`.
    pub(super) fn without_value(parameter: &str) -> Self {
        Self::syntax(
            format!("the parameter \"{parameter}\" has no value"),
            "A filter is written column=operator.value, as carrier=eq.UA.".to_owned(),
        )
    }

    /// A parameter that can be there once, and is there again.
    pub(super) fn twice(parameter: &str) -> Self {
        Self::syntax(
            format!("the parameter \"{parameter}\" is there twice"),
            "Only filters and logic trees can be there several times.".to_owned(),
        )
    }

    /// A `limit` or `offset` that is not a number.
    pub(super) fn no_number(parameter: &str, value: &str) -> Self {
        Self::syntax(format!("the parameter \"{parameter}\" must be a whole number"), format!("It is \"{value}\"."))
    }

    /// A schema, where the projection in the path is the only one.
    pub(super) fn invalid_schema(schema: &str, projection: &str) -> Self {
        Self {
            hint: Some(format!("Only the following schemas are exposed: {projection}")),
            ..Self::new("PGRST106", 406, format!("Invalid schema: {schema}"))
        }
    }

    /// A query string that is not even looked at.
    pub(super) fn too_long(bytes: usize, limit: usize) -> Self {
        let details = format!("It has {bytes} bytes; at most {limit} are allowed.");
        Self { status: 414, ..Self::syntax("the query string is too long".to_owned(), details) }
    }

    /// A filter, order or limit for a resource that `select` does not embed. None can be embedded yet, so this is the
    /// truth for every such parameter.
    pub(super) fn not_embedded(resource: &str) -> Self {
        Self {
            hint: Some(format!("Verify that '{resource}' is included in the 'select' query parameter.")),
            ..Self::new("PGRST108", 400, format!("'{resource}' is not an embedded resource in this request"))
        }
    }

    /// An aggregate function. PostgREST refuses them in these words unless they are switched on.
    pub(super) fn aggregate() -> Self {
        Self::new("PGRST123", 400, "Use of aggregate functions is not allowed".to_owned())
    }

    /// Something that PostgREST knows and we do not.
    pub(super) fn not_implemented(details: String) -> Self {
        Self { details: Some(details), ..Self::new("PGRST127", 400, "Feature not implemented".to_owned()) }
    }

    /// A limit below zero.
    pub(super) fn negative_limit() -> Self {
        Self::range("Limit should be greater than or equal to zero.".to_owned())
    }

    /// An offset below zero.
    pub(super) fn negative_offset() -> Self {
        Self::range("Offset should be greater than or equal to zero.".to_owned())
    }

    /// A page behind the last row.
    pub(super) fn out_of_bounds(offset: u64, total: u64) -> Self {
        Self::range(format!("An offset of {offset} was requested, but there are only {total} rows."))
    }

    /// One object was asked for and there is not exactly one row.
    pub(super) fn not_single(rows: u64) -> Self {
        Self {
            details: Some(format!("The result contains {rows} rows")),
            ..Self::new("PGRST116", 406, "Cannot coerce the result to a single JSON object".to_owned())
        }
    }

    /// An `Accept` header that names nothing we can answer.
    pub(super) fn not_acceptable(media_types: &str) -> Self {
        Self::new("PGRST107", 406, format!("None of these media types are available: {media_types}"))
    }

    /// Preferences that we cannot keep, where the client insists.
    pub(super) fn preferences(invalid: &[String]) -> Self {
        Self {
            details: Some(format!("Invalid preferences: {}", invalid.join(", "))),
            ..Self::new("PGRST122", 400, "Invalid preferences given with handling=strict".to_owned())
        }
    }

    /// A column that the table does not have: Postgres' own code and words.
    pub(super) fn undefined_column(table: &str, column: &str, hint: Option<String>) -> Self {
        let message = format!("column {table}.{column} does not exist");
        Self { hint, ..Self::new("42703", http_status("42703"), message) }
    }

    /// An instant within a leap second: Postgres' own code and words for times that it does not know.
    pub(super) fn leap_second(value: &str) -> Self {
        let error = TimeError::LeapSecond(value.to_owned());
        let message = format!("date/time field value out of range: {value:?}");
        Self { details: Some(error.to_string()), ..Self::new("22008", http_status("22008"), message) }
    }

    fn range(details: String) -> Self {
        Self { details: Some(details), ..Self::new("PGRST103", 416, "Requested range not satisfiable".to_owned()) }
    }

    fn new(code: &'static str, status: u16, message: String) -> Self {
        Self { code: Cow::Borrowed(code), message, details: None, hint: None, status }
    }
}

/// The HTTP status for an error of Postgres: the table of PostgREST's documentation. Where that asks who the client is
/// (42501), this answers as for one who is known: there is nobody to log in as.
#[must_use]
pub fn http_status(sqlstate: &str) -> u16 {
    match sqlstate {
        "23503" | "23505" => return 409,
        "25006" => return 405,
        "42501" => return 403,
        "42883" | "42P01" => return 404,
        "42P17" | "21000" | "53400" => return 500,
        // The server is told to stop: another try, later or elsewhere, may succeed.
        "57P01" => return 503,
        "P0001" => return 400,
        _ => {}
    }
    match sqlstate.get(..2).unwrap_or_default() {
        "08" | "53" => 503,
        "0L" | "0P" | "28" => 403,
        "09" | "25" | "2D" | "38" | "39" | "3B" | "40" | "54" | "55" | "57" | "58" | "F0" | "HV" | "P0" | "XX" => 500,
        _ => 400,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_four_fields_of_postgrest() {
        assert_eq!(
            serde_json::to_string(&QueryError::not_single(0)).unwrap(),
            concat!(
                r#"{"code":"PGRST116","message":"Cannot coerce the result to a single JSON object","#,
                r#""details":"The result contains 0 rows","hint":null}"#
            )
        );
    }

    #[test]
    fn statuses_are_those_of_postgrest() {
        for (sqlstate, status) in [
            ("08006", 503),
            ("21000", 500),
            ("22P02", 400),
            ("23505", 409),
            ("25006", 405),
            ("25001", 500),
            ("28000", 403),
            ("40001", 500),
            ("42501", 403),
            ("42703", 400),
            ("42883", 404),
            ("42P01", 404),
            ("42P17", 500),
            ("53300", 503),
            ("53400", 500),
            ("54001", 500),
            ("57014", 500),
            ("57P01", 503),
            ("P0001", 400),
            ("P0002", 500),
            ("XX000", 500),
            ("", 400),
            ("é", 400),
        ] {
            assert_eq!(http_status(sqlstate), status, "{sqlstate}");
        }
    }
}
