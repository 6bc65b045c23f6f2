//! The HTTP status of an error of PostgREST.

use axum::http::StatusCode;

use crate::read_model::query::ErrorCode;

/// The status that PostgREST answers for the code.
pub(super) fn status(code: &ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Syntax
        | ErrorCode::NotEmbedded
        | ErrorCode::RelatedOrder
        | ErrorCode::EmbeddingFilter
        | ErrorCode::Aggregate
        | ErrorCode::NotImplemented
        | ErrorCode::NoRelationship => StatusCode::BAD_REQUEST,
        ErrorCode::Ambiguous(_) => StatusCode::MULTIPLE_CHOICES,
        ErrorCode::TooLong => StatusCode::URI_TOO_LONG,
        ErrorCode::Range => StatusCode::RANGE_NOT_SATISFIABLE,
        ErrorCode::Postgres(sqlstate) => status_of_sqlstate(sqlstate),
    }
}

/// As in the table of PostgREST's documentation, but for class 54: what the query asks for is beyond a limit of Postgres, such as its stack
/// for nested brackets. PostgREST calls that an error of the server, which a client would try again.
///
/// For 42501 the table distinguishes whether the client is logged in; this host has no logins, and answers as if it were.
fn status_of_sqlstate(sqlstate: &str) -> StatusCode {
    match sqlstate {
        "23503" | "23505" => return StatusCode::CONFLICT,
        "25006" => return StatusCode::METHOD_NOT_ALLOWED,
        "42501" => return StatusCode::FORBIDDEN,
        "42883" | "42P01" => return StatusCode::NOT_FOUND,
        "42P17" | "21000" | "53400" => return StatusCode::INTERNAL_SERVER_ERROR,
        // Postgres is being stopped: the same request may succeed later.
        "57P01" => return StatusCode::SERVICE_UNAVAILABLE,
        "P0001" => return StatusCode::BAD_REQUEST,
        _ => {}
    }
    match sqlstate.get(..2).unwrap_or_default() {
        "08" | "53" => StatusCode::SERVICE_UNAVAILABLE,
        "0L" | "0P" | "28" => StatusCode::FORBIDDEN,
        "09" | "25" | "2D" | "38" | "39" | "3B" | "40" | "55" | "57" | "58" | "F0" | "HV" | "P0" | "XX" => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        _ => StatusCode::BAD_REQUEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_model::{
        query::{MAX_QUERY_BYTES, Query},
        samples::table,
    };

    #[test]
    fn refused_queries_have_the_statuses_of_postgrest() {
        let long = "x".repeat(MAX_QUERY_BYTES + 1);
        for (query, code, expected) in [
            ("delay=eq1", "PGRST100", 400),
            ("delay=5", "PGRST100", 400),
            ("select=id&select=id", "PGRST100", 400),
            (&*long, "PGRST100", 414),
            ("limit=x", "PGRST100", 400),
            ("limit=-1", "PGRST103", 416),
            ("offset=-1", "PGRST103", 416),
            ("clients.order=id", "PGRST108", 400),
            ("select=clients(*)", "PGRST200", 400),
            ("select=id::money", "42704", 400),
            ("select=count()&order=id", "42803", 400),
            ("select=delays", "42703", 400),
            ("landed=eq.2016-12-31T23:59:60Z", "22008", 400),
        ] {
            let error = Query::parse(query, &table()).unwrap_err();
            assert_eq!((error.code.as_str(), status(&error.code).as_u16()), (code, expected), "{query}");
        }
    }

    #[test]
    fn errors_of_postgres_have_the_statuses_of_postgrest() {
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
            ("54000", 400),
            ("54001", 400),
            ("57014", 500),
            ("57P01", 503),
            ("P0001", 400),
            ("P0002", 500),
            ("XX000", 500),
            ("", 400),
            ("é", 400),
        ] {
            assert_eq!(status_of_sqlstate(sqlstate).as_u16(), status, "{sqlstate}");
        }
    }
}
