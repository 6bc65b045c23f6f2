//! What `/v1/stats` takes and answers.

use serde_json::json;

use crate::{
    api,
    http::{needs::Needs, openapi::Operation},
};

/// The operation of this route.
pub(in crate::http) fn describe() -> Vec<Operation> {
    let example = json!({
        "position": 6, "head": 6, "events": 6, "bytes": 205,
        "streams": {"count": 3, "longest": [{"stream": "account-7", "version": 3, "last_position": 6}]},
        "types": {
            "count": 2, "most": [{"type": "MoneyDeposited", "events": 4, "bytes": 128}],
            "others": {"count": 1, "events": 2, "bytes": 77},
        },
        "categories": {
            "count": 1, "most": [{"category": "account", "streams": 3, "events": 6, "bytes": 205}],
            "others": {"count": 0, "events": 0, "bytes": 0},
        },
        "days": [{"day": "2026-05-01", "streams": 3, "events": 6, "bytes": 205}],
        "measured": {
            "at": "2026-05-01T10:17:00.000123Z", "log_bytes": 172_032,
            "events_in_an_hour": 2, "events_in_a_day": 6, "events_in_a_week": 6,
            "builds": [{"projection": "bank", "build": 1, "version": 1, "state": "active", "bytes": 24_576}],
        },
    });
    let about = "Counts are exact at `position`, which is the head unless hosts have not counted yet what was appended. They are those of \
                 all events, and not read from them: the answer costs the same however long the log is. Sizes are measured at most every \
                 ten seconds, and say when.";
    let stats = Operation::get(
        Needs::STATISTICS,
        "/v1/stats",
        "stats",
        "What the log consists of, how it grows, and what it takes.",
    )
    .about(about)
    .query::<api::StatsQuery>()
    .header(
        "If-None-Match",
        json!({"type": "string"}),
        "The `ETag` of an answer that the client has. If nothing has changed since, the answer is 304.",
    )
    .answers::<api::Stats>(200, "The statistics.", example)
    .answers_header(
        200,
        "ETag",
        json!({"type": "string"}),
        "Other statistics have another one, but for the time at which the same was measured.",
    )
    .answers_nothing(304, "Nothing has changed.");
    vec![stats]
}
