//! Errors that are not the client's: their text stays in the host's log, and the client gets the id of the request, under
//! which the log has it.

use std::fmt::Display;

use tracing::{error, warn};

use super::{
    problem::{Code, Problem},
    request_id::RequestId,
};

/// The problem of an error that the host does not expect.
pub(super) fn internal(error: &dyn Display) -> Problem {
    let id = log(error);
    Problem::new(Code::Internal, format!("the host failed; its log has the error under the request id {id}"))
        .with("request_id", id)
}

/// The problem of something that the host needs, and that may soon answer again. `detail` says what does not answer.
pub(super) fn unavailable(code: Code, detail: &str, error: &dyn Display) -> Problem {
    warn!(request_id = %RequestId::current(), %error, "{detail}");
    Problem::new(code, detail)
}

/// Logs an error of the current request; returns the id that the log has it under.
pub(super) fn log(error: &dyn Display) -> RequestId {
    let id = RequestId::current();
    error!(request_id = %id, %error, "a request failed");
    id
}
