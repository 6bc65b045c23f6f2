//! `OPTIONS` of read models: what can be done with them.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::refusal::{ReadTableError, to_problem};
use crate::{
    http::{extract::PathParams, problem::Problem, state::Api},
    queries::ReadError,
    read_model::Identifier,
};

/// As PostgREST writes it for a table that cannot be written to.
const READS: HeaderValue = HeaderValue::from_static("OPTIONS,GET,HEAD");

/// What can be done with a table.
pub(in crate::http) async fn table_options(
    State(api): State<Api>,
    PathParams((projection, table)): PathParams<(Identifier, String)>,
) -> Result<Response, Problem> {
    check_table(&api, projection, table).await.map_err(|error| to_problem(ReadTableError::Read(error)))?;
    Ok(reads())
}

/// What can be done with the lists of read models and of tables.
pub(in crate::http) async fn list_options() -> Response {
    reads()
}

fn reads() -> Response {
    (StatusCode::OK, [(header::ALLOW, READS)]).into_response()
}

async fn check_table(api: &Api, projection: Identifier, table: String) -> Result<(), ReadError> {
    let read_model = api.queries.read_model(&projection).await?;
    let tables: Vec<String> = read_model.tables.into_iter().map(|found| found.table.name).collect();
    if tables.contains(&table) { Ok(()) } else { Err(ReadError::NoTable { projection, table, tables }) }
}
