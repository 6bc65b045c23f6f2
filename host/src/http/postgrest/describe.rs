//! What `/v1/read-models` takes and answers. Each table of an active build is described beside these, by
//! [`openapi`](crate::http::openapi).

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    api,
    http::{needs::Needs, openapi::Operation, problem::Code, projections::past_build_example},
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
        Operation::get(Needs::LIST_MODELS, "/v1/read-models", "list_read_models", "Lists what there is to read.")
            .answers::<api::ReadModels>(200, "The read models.", json!({"read_models": [read_model()]}))
            .problems_of_postgrest(&[]),
        waiting(Operation::get(
            Needs::READ_MODEL,
            "/v1/read-models/{projection}",
            "get_read_model",
            "The tables of one projection.",
        ))
        .answers::<api::ReadModel>(200, "The read model.", read_model())
        .problems(&READ_CODES)
        .problems_of_postgrest(&[])
        .answers_header(200, "Gnomon-Position", position(), "The position of the read model.")
        .answers_header(200, "Gnomon-Session", json!({"type": "string"}), "To be sent with the next request."),
        with_rows(table("/v1/read-models/{projection}/{table}", "query", "Reads rows of a table, or follows them."))
            .follows(EVENTS)
            .about("The tables that can be read now are described one by one."),
        with_rows(queried(Operation::post(
            Needs::READ_MODEL,
            "/v1/read-models/{projection}/{table}/query",
            "query_by_body",
            "Reads rows of a table by a query that is too long for a URL.",
        )))
        .takes::<api::TableQuery>(json!({"select": "account,balance", "balance": ["gte.10", "lt.50"], "limit": 5})),
    ]
}

/// A route that reads a table, without the schema of its rows.
pub(in crate::http) fn table(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    let text = || json!({"type": "string"});
    queried(Operation::get(Needs::READ_MODEL, path, id, summary))
        .header(
            "Range",
            json!({"type": "string", "examples": ["0-9"]}),
            "The rows of the page by their offsets, `0-9` or `10-`, together with `limit` and `offset`.",
        )
        .header(
            "If-None-Match",
            text(),
            "The `ETag` of an answer that the client has. If it is right still, the answer is 304. `*` stands for any answer.",
        )
        .header(
            "Last-Event-ID",
            text(),
            "The id of the last event that a follower has got, with `Accept: text/event-stream`: it gets what has changed since.",
        )
        .answers_with(304, json!({"description": "The rows have not changed.", "headers": headers_without_body()}))
}

fn queried(operation: Operation) -> Operation {
    let query_statuses = [
        // An embedding may mean several relationships.
        StatusCode::MULTIPLE_CHOICES,
        StatusCode::NOT_ACCEPTABLE,
        StatusCode::URI_TOO_LONG,
        StatusCode::RANGE_NOT_SATISFIABLE,
    ];
    waiting(operation)
        .query::<api::PastQuery>()
        .header(
            "Gnomon-As-Of",
            json!({"type": "string", "examples": ["7", "2026-05-01T00:00:00Z"]}),
            "Answer from the past: as of this position, or as of this instant. The same as `as_of`.",
        )
        .answers::<api::PastBuild>(
            202,
            "The past is being made: how far that is. `Location` is where to look.",
            past_build_example(),
        )
        .problems(&PAST_CODES)
        .header(
            "Accept-Profile",
            json!({"type": "string", "examples": ["public"]}),
            "The schema: the projection, which is also called `public`.",
        )
        .problems(&READ_CODES)
        .problems_of_postgrest(&query_statuses)
}

fn with_rows(operation: Operation) -> Operation {
    let row = json!({"type": "object"});
    let mut rows = rows_answer(&row, "The rows.");
    rows["content"]["application/json"]["example"] = json!([{"account": "7", "balance": 45}]);
    operation.answers_with(200, rows).answers_with(206, rows_answer(&row, PARTIAL))
}

/// What followers get.
pub(in crate::http) const EVENTS: &str = "The rows that match, and then what becomes of them. `snapshot` (`reason`, `position`, `build`): forget all \
    rows, they come now. `insert`, `update` (`position`, `key`, `row`) and `delete` (`position`, `key`): a row matches now, has changed, or does not \
    match any more. `answer` (`position`, `rows`): the whole answer, of a query with aggregates. `swap` (`position`, `build`): another build is read. \
    `position` (`position`, `build`), with the id to go on from: the rows are those of this position. `end` (`reason`): no more comes.";

/// What 206 is.
pub(in crate::http) const PARTIAL: &str = "A page of the rows; if they are counted and there are more.";

/// The answer with rows of a schema.
pub(in crate::http) fn rows_answer(row: &Value, description: &str) -> Value {
    let rows = json!({"type": "array", "items": row});
    let plan = |schema: Value| {
        let mut schema = schema;
        schema["description"] = "How Postgres reads the rows, of a host with `--plans`.".into();
        json!({"schema": schema})
    };
    let file =
        |description: &str| json!({"schema": {"type": "string", "format": "binary", "description": description}});
    json!({
        "description": description,
        "headers": headers(),
        "content": {
            "application/json": {"schema": rows},
            "application/vnd.pgrst.array+json": {"schema": rows},
            "application/vnd.pgrst.object+json": {"schema": row},
            "text/csv": {"schema": {"type": "string", "description": "A line with the names of the columns, and one for each row."}},
            "application/vnd.apache.parquet": file("A file of Parquet with all rows that the query asks for, at one position."),
            "application/vnd.apache.arrow.stream": file("The same as a stream of Arrow IPC."),
            "application/vnd.pgrst.plan+json": plan(json!({"type": "array"})),
            "application/vnd.pgrst.plan+text": plan(json!({"type": "string"})),
        },
    })
}

/// The headers of an answer with rows.
fn headers() -> Value {
    let text = || json!({"type": "string"});
    let mut headers = headers_without_body();
    for (name, description) in [
        ("Content-Range", "The offsets of the first and the last row of the page, and the total if it is counted."),
        ("Content-Profile", "What `Accept-Profile` names."),
        ("Preference-Applied", "The preferences that were applied."),
    ] {
        headers[name] = json!({"schema": text(), "description": description});
    }
    headers
}

/// The headers that an answer has also where it has no body.
fn headers_without_body() -> Value {
    let (number, text) = (position(), json!({"type": "string"}));
    json!({
        "Gnomon-Position": {"schema": number, "description": "The rows hold the effect of every event up to this position."},
        "Gnomon-Build": {"schema": number, "description": "The build that the rows are of."},
        "Gnomon-Max-Rows": {"schema": number, "description": "The most rows that a page of this host has."},
        "Gnomon-Next": {
            "schema": {"type": "string"},
            "description": "The `cursor` of the next page, if this one has as many rows as it may have.",
        },
        "Link": {"schema": {"type": "string"}, "description": "The URL of the next page, with `rel=next`."},
        "Gnomon-Session": {"schema": text, "description": "To be sent with the next request, so that no answer is older than one of the same projection before."},
        "Gnomon-Past-Build": {"schema": number, "description": "Of an answer from the past, instead of `Gnomon-Build`: the past build that the rows are of. Left out if the events of single streams told them."},
        "Gnomon-Version": {"schema": number, "description": "The version of the projection that made the rows."},
        "ETag": {"schema": text, "description": "Another answer has another one. It is left out if the same rows may have another answer later."},
        "Cache-Control": {"schema": text, "description": "`no-cache`: who keeps the answer asks each time whether it is right still."},
        "Vary": {"schema": text, "description": "The headers of the request that change the answer."},
        "Content-Location": {"schema": text, "description": "The path with the parameters in the order of their names, unless it is long."},
    })
}

fn waiting(operation: Operation) -> Operation {
    operation
        .header(
            "Gnomon-Min-Position",
            position(),
            "Wait until the answer holds the effect of every event up to this position.",
        )
        .header(
            "Gnomon-Session",
            json!({"type": "string", "examples": ["s2-0.bank=7"]}),
            "What the answer before had in its header of this name: wait until this one is not older than another one of the projection.",
        )
        .header(
            "Prefer",
            json!({"type": "string", "examples": ["count=exact, wait=10"]}),
            "`wait=SECONDS`: how long to wait for that position. `count=exact`, `planned` or `estimated`: count all rows that match. \
             `timezone=Europe/Berlin`: show instants in this time zone. `handling=strict`: refuse preferences that are not known.",
        )
}

fn position() -> Value {
    json!({"type": "integer", "format": "int64", "minimum": 0})
}

/// Errors of the past, beside those of reading.
const PAST_CODES: [Code; 6] = [
    Code::ModuleNotFound,
    Code::InvalidModule,
    Code::ModulesBusy,
    Code::Locked,
    Code::PastBuildStopped,
    Code::TooManyPastBuilds,
];

/// Errors of reading, beside those of the query.
const READ_CODES: [Code; 11] = [
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
    Code::Overloaded,
];
