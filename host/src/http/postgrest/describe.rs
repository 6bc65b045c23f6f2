//! What `/v1/read-models` takes and answers. Each table of an active build is described beside these, by
//! [`openapi`](crate::http::openapi).

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    api,
    http::{openapi::Operation, problem::Code},
};

/// The operations of these routes.
pub(in crate::http) fn describe() -> Vec<Operation> {
    let read_model = || {
        json!({
            "projection": "bank", "active_build": 1, "active_version": 1, "state": "active", "position": 6,
            "tables": [{
                "name": "accounts", "columns": [{"name": "account", "type": "text", "nullable": false}],
                "key": ["account"], "indexes": [], "references": [], "view": "read_models.bank_accounts",
                "links": {"rows": "/v1/read-models/bank/accounts"},
            }],
            "links": {"self": "/v1/read-models/bank", "projection": "/v1/projections/bank"},
        })
    };
    vec![
        Operation::get("/v1/read-models", "list_read_models", "Lists what there is to read.")
            .answers::<api::ReadModels>(200, "The read models.", json!({"read_models": [read_model()]}))
            .problems_of_postgrest(&[]),
        waiting(Operation::get("/v1/read-models/{projection}", "get_read_model", "The tables of one projection."))
            .answers::<api::ReadModel>(200, "The read model.", read_model())
            .problems(&READ_CODES)
            .problems_of_postgrest(&[]),
        table("/v1/read-models/{projection}/{table}", "query", "Reads rows of a table.")
            .about("The tables that can be read now are described one by one.")
            .answers_as(200, "The rows.", "application/json", rows(), Some(json!([{"account": "7", "balance": 45}])))
            .answers_as(
                206,
                "A page of the rows; with `Prefer: count=exact`, if there are more.",
                "application/json",
                rows(),
                None,
            ),
    ]
}

/// A route that reads a table, without the schema of its rows.
pub(in crate::http) fn table(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    let query_statuses = [
        // An embedding may mean several relationships.
        StatusCode::MULTIPLE_CHOICES,
        StatusCode::NOT_ACCEPTABLE,
        StatusCode::URI_TOO_LONG,
        StatusCode::RANGE_NOT_SATISFIABLE,
    ];
    waiting(Operation::get(path, id, summary)).problems(&READ_CODES).problems_of_postgrest(&query_statuses)
}

fn waiting(operation: Operation) -> Operation {
    operation
        .header(
            "Gnomon-Min-Position",
            position(),
            "Wait until the answer holds the effect of every event up to this position.",
        )
        .header(
            "Prefer",
            json!({"type": "string", "examples": ["wait=10"]}),
            "`wait=SECONDS`: how long to wait for that position. `count=exact`: count all rows that match.",
        )
}

fn rows() -> Value {
    json!({"type": "array", "items": {"type": "object"}})
}

fn position() -> Value {
    json!({"type": "integer", "format": "int64", "minimum": 0})
}

/// Errors of reading, beside those of the query.
const READ_CODES: [Code; 10] = [
    Code::ProjectionNotFound,
    Code::ProjectionNotReady,
    Code::TableNotFound,
    Code::ReadModelBehind,
    Code::PositionBeyondHead,
    Code::InvalidHeader,
    Code::AnswerTooLarge,
    Code::QueryTimeout,
    Code::TooManyQueries,
    Code::TooMuchToSend,
];
