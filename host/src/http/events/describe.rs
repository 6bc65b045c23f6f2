//! What `/v1/events` takes and answers.

use serde_json::{Value, json};

use crate::{
    api,
    http::{needs::Needs, openapi::Operation, problem::Code, streams::APPEND_CODES},
};

/// The operations of these routes.
pub(in crate::http) fn describe() -> Vec<Operation> {
    vec![append(), read(), query(), explain()]
}

fn append() -> Operation {
    let appended = json!({"appends": [{
        "stream": "account-7", "first_version": 1, "last_version": 1, "first_position": 5, "last_position": 5,
    }]});
    Operation::post(Needs::APPEND_EACH, "/v1/events", "append_many", "Appends to several streams, all or nothing; or imports JSON lines.")
        .about(
            "With `application/json`, every append is made or none. Where an append has no stream, each of its events goes into the \
             stream of its first tag. With `application/x-ndjson`, each line is an event with its stream, or with tags of which \
             the first names it; the lines are appended in chunks, and lines whose events are in the log already are passed over.",
        )
        .takes::<api::AppendMany>(json!({
            "appends": [{
                "stream": "account-7", "expected_version": "any",
                "events": [{"type": "Deposited", "tags": ["account:7"], "data": {"amount": 50}}],
            }],
            "condition": {"fail_if_events_match": {"items": [{"types": ["Closed"], "tags": ["account:7"]}]}, "after": 4},
        }))
        .takes_as::<api::ImportLine>(
            "application/x-ndjson",
            json!({"stream": "account-7", "type": "Deposited", "data": {"amount": 50}}),
        )
        .answers::<AppendedOrImported>(201, "Events are in the log that were not before.", appended.clone())
        .answers::<AppendedOrImported>(200, "The events were in the log before.", appended)
        .problems(&APPEND_CODES)
        .problems(&[Code::DuplicateStream])
}

fn read() -> Operation {
    let read = Operation::get(Needs::READ_EACH, "/v1/events", "read_events", "Reads the log, or follows it.");
    answers_events(read.query::<api::ReadEventsQuery>()).problems(&[Code::InvalidCategory])
}

fn query() -> Operation {
    let query = Operation::post(Needs::READ_ALL, "/v1/events/query", "query_events", "Reads the events that a query finds, or follows them.").about(
        "An event is found if it matches one of the items: if its type is one of the item's types, and it has all of the item's tags. An \
         item without types or without tags does not ask for any. Read until `next` is `head`; then append with the same query in a \
         `condition`, and with that `next` as its `after`. Read backward, it is the `head` of the first page.",
    );
    answers_events(query.query::<api::QueryEventsQuery>()).takes::<api::EventQuery>(json!({"items": [
        {"types": ["Opened", "Closed"], "tags": ["account:7"]},
        {"types": ["CurrencyRetired"]},
    ]}))
}

fn explain() -> Operation {
    Operation::get(Needs::OPERATE_HOST, "/v1/events/{position}/explanation", "explain_event", "Explains what became of an event.")
        .about(
            "For each build: whether it wants the event, and if not, why; where the event stands in it; what its upcasters make of the event; \
             and which rows the event changes. For the rows, the host folds the event again, in an instance of its own, and changes nothing. An \
             event that the build has not come to is folded over its present rows; one that it has handled is folded over a replay, in \
             memory, of the events before it: those of its stream if the projection is partitioned by stream, else all that the build reads. \
             If those are too many, `not_folded` says so.",
        )
        .query::<api::ExplainQuery>()
        .answers::<api::Explanation>(200, "What became of it.", explanation())
        .problems(&[Code::NotFound, Code::ProjectionNotFound, Code::ModulesBusy, Code::TooMuchToSend])
}

fn explanation() -> Value {
    json!({
        "event": page()["events"][0],
        "head": 5,
        "builds": [{
            "projection": "bank", "build": 1, "verification": null, "version": 1, "state": "active", "checkpoint": 5,
            "status": "handled", "passed_over": null, "dead_letter": null, "upcasters": [], "upcasted": null,
            "fold": {
                "over": "stream", "checkpoint": null, "events_before": 0, "seconds": 0.00004, "more_changes": 0, "failure": null,
                "changes": [{"table": "accounts", "before": null, "after": {"id": "account-7", "owner": "Ada", "balance": 0}}],
            },
            "not_folded": null,
        }],
        "more_builds": 0,
    })
}

/// A page of events, or all that come.
fn answers_events(operation: Operation) -> Operation {
    operation
        .header(
            "Last-Event-ID",
            json!({"type": "integer", "format": "int64", "minimum": 0}),
            "For followers: the position of the last event that the client has.",
        )
        .answers::<api::EventsPage>(200, "The page.", page())
        .follows("Each event's data is an event of the log, and its id is the position.")
        .problems(&[
            Code::LimitExceeded,
            Code::TooMuchToSend,
            Code::InvalidHeader,
            Code::PositionBeyondHead,
            Code::UpcastFailed,
            Code::UpcasterConflict,
            Code::InvalidModule,
            Code::ModulesBusy,
            Code::ModuleNotFound,
        ])
}

fn page() -> Value {
    json!({"head": 5, "next": 5, "events": [{
        "position": 5, "stream": "account-7", "version": 1, "id": "0190f3c2-0000-7000-8000-000000000001",
        "type": "Opened", "schema_version": 1, "time": "2013-01-01T10:17:00Z",
        "recorded_at": "2013-01-01T10:17:00.000123Z", "tags": ["account:7"], "data": {"owner": "Ada", "currency": "EUR"},
    }]})
}

/// What the two kinds of bodies are answered with.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described: each handler answers with its own")]
enum AppendedOrImported {
    /// `application/json`
    Appended(api::AppendedMany),
    /// `application/x-ndjson`
    Imported(api::Imported),
}
