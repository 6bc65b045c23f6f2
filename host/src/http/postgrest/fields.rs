//! The members of a problem that PostgREST's clients read: `code`, `message`, `details` and `hint`.

use serde_json::Value;

use crate::http::problem::Problem;

/// Adds the members, with a code of PostgREST or an SQLSTATE.
pub(super) fn with_code(problem: Problem, code: &str, details: Option<&str>, hint: Option<&str>) -> Problem {
    let message = problem.get("detail").cloned();
    problem.with("code", code).with("details", details).with("hint", hint).with("message", message)
}

/// Adds the members, with the problem's own code.
pub(super) fn with_own_code(problem: Problem) -> Problem {
    let code = problem.get("code").and_then(Value::as_str).unwrap_or_default().to_owned();
    with_code(problem, &code, None, None)
}
