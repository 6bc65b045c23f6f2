//! Errors in the description of the API.

use std::fmt::Write as _;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::reference::reference;
use crate::http::problem::Code;

/// The name of the schema that each error has.
pub(super) const PROBLEM: &str = "Problem";
/// The name of the schema of errors with the fields of PostgREST.
pub(super) const POSTGREST_PROBLEM: &str = "PostgrestProblem";

/// The answer with a status, for these codes of ours.
pub(super) fn problem_answer(status: StatusCode, codes: &[Code], postgrest: bool) -> Value {
    let mut description = status.canonical_reason().unwrap_or_default().to_owned();
    for code in codes {
        let _ = write!(description, "\n\n- `{}`: {}.", code.as_str(), code.title());
    }
    if postgrest {
        description += "\n\nThe `code` is one of PostgREST's, an SQLSTATE, or one of this API.";
    }
    let names: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    let schema = if postgrest {
        reference(POSTGREST_PROBLEM)
    } else {
        json!({"allOf": [reference(PROBLEM), {"properties": {"code": {"enum": names}}}]})
    };
    let mut content = json!({"schema": schema});
    if let Some(code) = codes.first().filter(|_| !postgrest) {
        content["example"] = json!({
            "type": format!("/errors/{}", code.as_str()), "title": code.title(), "status": status.as_u16(),
            "detail": "what went wrong in this case", "code": code.as_str(),
        });
    }
    if !postgrest {
        return json!({"description": description, "content": {"application/problem+json": content}});
    }
    json!({
        "description": description, "content": {"application/json": content},
        "headers": {"Proxy-Status": {
            "schema": {"type": "string"}, "description": "`PostgREST; error=` and the code, as PostgREST has it.",
        }},
    })
}

/// The schemas of errors.
pub(super) fn schemas() -> [(&'static str, Value); 2] {
    let members = json!({
        "type": {"type": "string", "format": "uri-reference", "description": "The page that explains the error."},
        "title": {"type": "string", "description": "What the code means."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What went wrong in this case."},
        "code": {"type": "string", "description": "The stable name of the error."},
    });
    let mut of_postgrest = members.clone();
    of_postgrest["message"] =
        json!({"type": "string", "description": "What went wrong, in the words of PostgREST where it has some."});
    of_postgrest["details"] = json!({"type": ["string", "array", "null"], "description": "More about it."});
    of_postgrest["hint"] = json!({"type": ["string", "null"], "description": "What would be right."});
    [
        (
            PROBLEM,
            json!({
                "type": "object", "properties": members, "required": ["type", "title", "status", "detail", "code"],
                "description": "An error (RFC 9457). Codes have further members, which their pages name.",
            }),
        ),
        (
            POSTGREST_PROBLEM,
            json!({
                "type": "object", "properties": of_postgrest,
                "required": ["type", "title", "status", "detail", "code", "message", "details", "hint"],
                "description": "An error that has the members of RFC 9457 and the four that clients of PostgREST read.",
            }),
        ),
    ]
}
