//! Counting the results of appends and imports.

use std::time::Duration;

use super::append::AppendError;
use crate::metrics;

/// Counts the result of an append, so long after the log got it.
pub(super) fn append<T>(result: &Result<T, AppendError>, time: Duration) {
    match result {
        Ok(_) => metrics::of_host().append.saved(time),
        Err(error) => metrics::of_host().append.failed(kind(error)),
    }
}

/// Counts the result of an import, whose time says more of its size than of the log.
pub(super) fn import<T>(result: &Result<T, AppendError>) {
    if let Err(error) = result {
        metrics::of_host().append.failed(kind(error));
    }
}

fn kind(error: &AppendError) -> &'static str {
    match error {
        AppendError::Conflict { .. } => "conflict",
        AppendError::ConditionFailed { .. } => "condition_failed",
        AppendError::ConditionTimedOut | AppendError::LookUpAgain => "condition_timed_out",
        AppendError::Locked(_) => "locked",
        AppendError::Unavailable(_) | AppendError::NoKeys(_) => "unavailable",
        AppendError::Unknown(_) => "unknown",
        AppendError::Refused(_) => "refused",
        AppendError::ConditionBeyondHead { .. }
        | AppendError::IdTaken { .. }
        | AppendError::LinesDiffer { .. }
        | AppendError::PartlyRepeated { .. }
        | AppendError::IdTwice(_)
        | AppendError::StreamTwice(_)
        | AppendError::Reserved(_)
        | AppendError::Empty
        | AppendError::Limit(_)
        | AppendError::PersonalData { .. }
        | AppendError::Time { .. } => "invalid",
    }
}
