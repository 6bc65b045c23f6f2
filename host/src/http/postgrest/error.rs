//! Errors in the form of PostgREST.

use std::borrow::Cow;

use axum::http::StatusCode;

use super::status::status;
use crate::{
    http::{prefer::InvalidPreferences, problem::Problem, server_error},
    read_model::query::{ErrorCode, QueryError},
};

/// An error as PostgREST's clients read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct PostgrestError {
    pub(super) status: StatusCode,
    /// A code of PostgREST's (`PGRST…`), or an SQLSTATE.
    pub(super) code: Cow<'static, str>,
    /// What is wrong.
    pub(super) message: String,
    /// More about it.
    pub(super) details: Option<String>,
    /// What would be right.
    pub(super) hint: Option<String>,
}

impl PostgrestError {
    /// The client names a schema other than the projection in the path, which is the only one.
    pub(super) fn invalid_schema(schema: &str, projection: &str) -> Self {
        Self {
            hint: Some(format!("Only the following schemas are exposed: {projection}")),
            ..Self::new("PGRST106", StatusCode::NOT_ACCEPTABLE, format!("Invalid schema: {schema}"))
        }
    }

    /// The page begins after the last row.
    pub(super) fn out_of_bounds(offset: u64, total: u64) -> Self {
        QueryError::range(format!("An offset of {offset} was requested, but there are only {total} rows.")).into()
    }

    /// One object was requested, and there is not exactly one row.
    pub(super) fn not_single(rows: u64) -> Self {
        let message = "Cannot coerce the result to a single JSON object".to_owned();
        Self {
            details: Some(format!("The result contains {rows} rows")),
            ..Self::new("PGRST116", StatusCode::NOT_ACCEPTABLE, message)
        }
    }

    /// The header `Accept` names no media type that this host can answer with.
    pub(super) fn not_acceptable(media_types: &str) -> Self {
        let message = format!("None of these media types are available: {media_types}");
        Self::new("PGRST107", StatusCode::NOT_ACCEPTABLE, message)
    }

    /// What an answer of columns cannot have, and what to do instead.
    pub(super) fn not_of_columns(details: &str, hint: &str) -> Self {
        Self {
            details: Some(details.to_owned()),
            hint: Some(hint.to_owned()),
            ..Self::new("PGRST127", StatusCode::BAD_REQUEST, "Feature not implemented".to_owned())
        }
    }

    /// What an answer that follows cannot have, and what to do instead.
    pub(super) fn not_live(details: &str, hint: &str) -> Self {
        Self::not_of_columns(details, hint)
    }

    fn new(code: &'static str, status: StatusCode, message: String) -> Self {
        Self { status, code: Cow::Borrowed(code), message, details: None, hint: None }
    }
}

impl From<QueryError> for PostgrestError {
    fn from(QueryError { code, message, details, hint }: QueryError) -> Self {
        let status = status(&code);
        let code = match code {
            ErrorCode::Postgres(sqlstate) => sqlstate,
            code => Cow::Owned(code.as_str().to_owned()),
        };
        Self { status, code, message, details, hint }
    }
}

impl From<InvalidPreferences> for PostgrestError {
    fn from(InvalidPreferences(preferences): InvalidPreferences) -> Self {
        let message = "Invalid preferences given with handling=strict".to_owned();
        Self {
            details: Some(format!("Invalid preferences: {}", preferences.join(", "))),
            ..Self::new("PGRST122", StatusCode::BAD_REQUEST, message)
        }
    }
}

/// The code is not one of ours, so it has no page: the problem has the members of RFC 9457 and those of PostgREST.
impl From<PostgrestError> for Problem {
    fn from(error: PostgrestError) -> Self {
        let PostgrestError { status, code, message, details, hint } = error;
        if status.is_server_error() {
            let id = server_error::log(&format_args!("{code}: {message}"));
            let detail =
                format!("Postgres failed at the query; the host's log has the error under the request id {id}");
            return Self::from_status(status, detail).with("request_id", id).with_postgrest_code(&code, None, None);
        }
        Self::from_status(status, message).with_postgrest_code(&code, details.as_deref(), hint.as_deref())
    }
}

/// The candidates of an ambiguous embedding are a list, where other errors have a text.
impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let candidates = match &error.code {
            ErrorCode::Ambiguous(candidates) => Some(candidates.clone()),
            _ => None,
        };
        let problem = Self::from(PostgrestError::from(error));
        match candidates {
            Some(candidates) => problem.with("details", candidates),
            None => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::read_model::query::Candidate;

    fn body(error: impl Into<PostgrestError>) -> String {
        serde_json::to_string_pretty(&Problem::from(error.into())).unwrap()
    }

    #[test]
    fn the_body_has_the_four_fields_of_postgrest() {
        assert_snapshot!(body(PostgrestError::not_single(0)), @r#"
        {
          "type": "about:blank",
          "title": "Not Acceptable",
          "status": 406,
          "detail": "Cannot coerce the result to a single JSON object",
          "code": "PGRST116",
          "details": "The result contains 0 rows",
          "hint": null,
          "message": "Cannot coerce the result to a single JSON object"
        }
        "#);
        assert_snapshot!(body(PostgrestError::invalid_schema("shop", "bank")), @r#"
        {
          "type": "about:blank",
          "title": "Not Acceptable",
          "status": 406,
          "detail": "Invalid schema: shop",
          "code": "PGRST106",
          "details": null,
          "hint": "Only the following schemas are exposed: bank",
          "message": "Invalid schema: shop"
        }
        "#);
    }

    #[test]
    fn candidates_of_an_embedding_are_a_list() {
        let candidate = Candidate {
            cardinality: "many-to-one",
            embedding: "projects with people".to_owned(),
            relationship: "projects_lead_id_fkey using projects(lead_id) and people(id)".to_owned(),
            hint: "people!projects_lead_id_fkey".to_owned(),
        };
        let error = QueryError {
            code: ErrorCode::Ambiguous(vec![candidate]),
            message: "Could not embed".to_owned(),
            details: None,
            hint: None,
        };
        let problem = serde_json::to_value(Problem::from(error)).unwrap();
        assert_eq!((&problem["code"], &problem["status"]), (&"PGRST201".into(), &300.into()));
        assert_eq!(
            problem["details"],
            serde_json::json!([{
                "cardinality": "many-to-one",
                "embedding": "projects with people",
                "relationship": "projects_lead_id_fkey using projects(lead_id) and people(id)",
            }])
        );
    }

    #[test]
    fn preferences_are_refused_as_postgrest_does() {
        assert_snapshot!(body(InvalidPreferences(vec!["a".into(), "count=all".into()])), @r#"
        {
          "type": "about:blank",
          "title": "Bad Request",
          "status": 400,
          "detail": "Invalid preferences given with handling=strict",
          "code": "PGRST122",
          "details": "Invalid preferences: a, count=all",
          "hint": null,
          "message": "Invalid preferences given with handling=strict"
        }
        "#);
    }
}
