//! What `/v1/streams` takes and answers.

use serde_json::json;

use super::cloud_events;
use crate::{
    api,
    http::{needs::Needs, openapi::Operation, problem::Code},
};

/// The operations of these routes.
pub(in crate::http) fn describe() -> Vec<Operation> {
    let events = "/v1/streams/{stream}/events";
    let appended = json!({
        "stream": "account-7", "first_version": 1, "last_version": 1, "first_position": 5, "last_position": 5,
    });
    let cloud_event = json!({
        "specversion": "1.0", "id": "0190f3c2-0000-7000-8000-000000000001", "source": "/tellers/7", "type": "Opened",
        "time": "2013-01-01T10:17:00Z", "data": {"owner": "Ada", "currency": "EUR"},
    });
    vec![
        Operation::get(Needs::READ_EACH, "/v1/streams", "list_streams", "Lists streams by name, a page at a time.")
            .query::<api::ListStreamsQuery>()
            .answers::<api::StreamsPage>(
                200,
                "The page.",
                json!({"streams": [{"stream": "account-7", "version": 2, "last_position": 6}], "next": null}),
            )
            .problems(&[Code::InvalidCategory]),
        Operation::post(Needs::APPEND, events, "append", "Appends events to a stream, all of them or none.")
            .about(
                "Repeating an append with the same event ids is safe: it is answered with the first result. With a `condition` the \
                 append fails if an event that its query finds stands after its position: read with `POST /v1/events/query`, decide, \
                 and append with the query and the position up to which you read. A CloudEvent may also come in binary mode: its attributes are \
                 headers, and the body is its data, any JSON.",
            )
            .query::<api::AppendQuery>()
            .header("ce-specversion", json!({"type": "string", "enum": ["1.0"]}), "Of a CloudEvent in binary mode: `1.0`.")
            .header("ce-id", text(), "Of a CloudEvent in binary mode: its id.")
            .header("ce-source", text(), "Of a CloudEvent in binary mode: where it comes from.")
            .header("ce-type", text(), "Of a CloudEvent in binary mode: the type of the event.")
            .header("ce-time", json!({"type": "string", "format": "date-time"}), "Of a CloudEvent in binary mode: when it happened.")
            .takes::<api::Append>(json!({
                "expected_version": "no_stream",
                "events": [{"type": "Opened", "data": {"owner": "Ada", "currency": "EUR"}}],
            }))
            .takes_as::<api::CloudEvent>(cloud_events::ONE, cloud_event.clone())
            .takes_as::<Vec<api::CloudEvent>>(cloud_events::BATCH, json!([cloud_event]))
            .answers::<api::Appended>(201, "The events are in the log.", appended.clone())
            .answers::<api::Appended>(200, "The events were in the log before.", appended)
            .problems(&APPEND_CODES)
            .problems(&[Code::InvalidHeader]),
        Operation::get(Needs::READ_STREAM, events, "read_stream", "Reads the events of a stream, or follows it.")
            .query::<api::ReadStreamQuery>()
            .header(
                "Last-Event-ID",
                json!({"type": "integer", "format": "int64", "minimum": 0}),
                "For followers: the version of the last event that the client has.",
            )
            .answers::<api::StreamPage>(
                200,
                "The page.",
                json!({"stream": "account-7", "version": 1, "next": null, "events": [{
                    "position": 5, "stream": "account-7", "version": 1, "id": "0190f3c2-0000-7000-8000-000000000001",
                    "type": "Opened", "schema_version": 1, "time": "2013-01-01T10:17:00Z",
                    "recorded_at": "2013-01-01T10:17:00.000123Z", "data": {"owner": "Ada", "currency": "EUR"},
                }]}),
            )
            .follows("Each event's data is an event of the stream, and its id is the version.")
            .problems(&[
                Code::StreamNotFound,
                Code::PositionBeyondHead,
                Code::TooMuchToSend,
                Code::InvalidHeader,
                Code::LimitExceeded,
            ]),
        Operation::get(Needs::READ_STREAM,
            "/v1/streams/{stream}/state",
            "stream_state",
            "The rows that the events of a stream have left, after any of them.",
        )
        .about(
            "For projections that are partitioned by stream. The events are folded again, from the nearest snapshot on, with the version of the \
             projection that is asked for: also with one whose builds are retired. Events that its build has set aside do not count.",
        )
        .query::<api::StreamStateQuery>()
        .answers::<api::StreamState>(
            200,
            "The rows.",
            json!({
                "stream": "account-7", "version": 2, "position": 6, "recorded_at": "2013-01-01T10:17:00.000123Z", "newest_version": 3,
                "logic": logic(), "events_left_out": 0, "snapshot": 0, "events_folded": 2,
                "tables": {"accounts": [{"account": "7", "owner": "Ada", "balance": 50}]},
            }),
        )
        .problems(&[&PAST_CODES[..], &[Code::AnswerTooLarge]].concat()),
        Operation::get(Needs::READ_STREAM,
            "/v1/streams/{stream}/history",
            "stream_history",
            "Each event of a stream with the rows before and after it, a page at a time.",
        )
        .about(
            "The audit trail of a stream, for projections that are partitioned by stream. What an event changes is shown for up to 100 rows; \
             `more_changes` counts the others.",
        )
        .query::<api::StreamHistoryQuery>()
        .answers::<api::StreamHistory>(
            200,
            "The page.",
            json!({
                "stream": "account-7", "newest_version": 1, "logic": logic(), "snapshot": 0, "events_folded": 1, "next": 1,
                "events": [{
                    "event": {
                        "position": 5, "stream": "account-7", "version": 1, "id": "0190f3c2-0000-7000-8000-000000000001",
                        "type": "Opened", "schema_version": 1, "time": "2013-01-01T10:17:00Z",
                        "recorded_at": "2013-01-01T10:17:00.000123Z", "data": {"owner": "Ada", "currency": "EUR"},
                    },
                    "status": "handled", "passed_over": null, "failure": null, "more_changes": 0,
                    "changes": [{
                        "table": "accounts", "before": null, "after": {"account": "7", "owner": "Ada", "balance": 0},
                        "columns": ["account", "owner", "balance"],
                    }],
                }],
            }),
        )
        .problems(&PAST_CODES),
        Operation::post(Needs::OPERATE_HOST,
            "/v1/streams/{stream}/verify",
            "verify_stream",
            "Checks the rows and snapshots of a stream against its events.",
        )
        .about(
            "All events of the stream are folded again, from the first. Snapshots that are not what they give are removed. Of the build, the rows \
             are compared that the events have written or deleted; rows that only the build has are found by a verification of the projection.",
        )
        .query::<api::VerifyStreamQuery>()
        .answers::<api::StreamVerification>(
            200,
            "What was compared.",
            json!({
                "stream": "account-7", "newest_version": 230, "logic": logic(), "identical": true, "events_folded": 230,
                "snapshots": 2, "wrong_snapshots": [], "checkpoint": 18262, "rows": 1, "different_rows": 0, "differences": [],
            }),
        )
        .problems(&[&PAST_CODES[..], &[Code::BuildRetired]].concat()),
    ]
}

fn text() -> serde_json::Value {
    json!({"type": "string", "minLength": 1})
}

fn logic() -> serde_json::Value {
    json!({"projection": "bank", "version": 2, "upcasters": [], "build": 4})
}

/// Errors of every question about the past of a stream.
const PAST_CODES: [Code; 12] = [
    Code::StreamNotFound,
    Code::ProjectionNotFound,
    Code::ModuleNotFound,
    Code::NotPartitioned,
    Code::PositionBeyondHead,
    Code::FoldFailed,
    Code::PastTimedOut,
    Code::LimitExceeded,
    Code::InvalidModule,
    Code::UpcasterConflict,
    Code::ModulesBusy,
    Code::TooMuchToSend,
];

/// Errors of every append.
pub(in crate::http) const APPEND_CODES: [Code; 12] = [
    Code::WrongExpectedVersion,
    Code::AppendConditionFailed,
    Code::PositionBeyondHead,
    Code::EventIdTaken,
    Code::PartlyRepeated,
    Code::DuplicateEventId,
    Code::EmptyAppend,
    Code::ReservedStream,
    Code::InvalidPersonalData,
    Code::LimitExceeded,
    Code::LogUnavailable,
    Code::AppendUnknown,
];
