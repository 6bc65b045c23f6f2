//! What `/v1/streams` takes and answers.

use serde_json::json;

use crate::{
    api,
    http::{openapi::Operation, problem::Code},
};

/// The operations of these routes.
pub(in crate::http) fn describe() -> Vec<Operation> {
    let events = "/v1/streams/{stream}/events";
    let appended = json!({
        "stream": "account-7", "first_version": 1, "last_version": 1, "first_position": 5, "last_position": 5,
    });
    vec![
        Operation::get("/v1/streams", "list_streams", "Lists streams by name, a page at a time.")
            .query::<api::ListStreamsQuery>()
            .answers::<api::StreamsPage>(
                200,
                "The page.",
                json!({"streams": [{"stream": "account-7", "version": 2, "last_position": 6}], "next": null}),
            )
            .problems(&[Code::InvalidCategory]),
        Operation::post(events, "append", "Appends events to a stream, all of them or none.")
            .about(
                "Repeating an append with the same event ids is safe: it is answered with the first result. With a `condition` the \
                 append fails if an event that its query finds stands after its position: read with `POST /v1/events/query`, decide, \
                 and append with the query and the position up to which you read.",
            )
            .takes::<api::Append>(json!({
                "expected_version": "no_stream",
                "events": [{"type": "Opened", "data": {"owner": "Ada", "currency": "EUR"}}],
            }))
            .answers::<api::Appended>(201, "The events are in the log.", appended.clone())
            .answers::<api::Appended>(200, "The events were in the log before.", appended)
            .problems(&APPEND_CODES),
        Operation::get(events, "read_stream", "Reads the events of a stream, or follows it.")
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
    ]
}

/// Errors of every append.
pub(in crate::http) const APPEND_CODES: [Code; 10] = [
    Code::WrongExpectedVersion,
    Code::AppendConditionFailed,
    Code::PositionBeyondHead,
    Code::EventIdTaken,
    Code::PartlyRepeated,
    Code::DuplicateEventId,
    Code::EmptyAppend,
    Code::LimitExceeded,
    Code::LogUnavailable,
    Code::AppendUnknown,
];
