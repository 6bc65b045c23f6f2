//! What became of a group.

use super::{AppendError, Appended, Imported};
use crate::{event_log::event::Position, postgres::is_disconnect};

/// The result of each request of a group, in the order of the requests, and the head of the log.
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) appended: Vec<Result<Vec<Appended>, AppendError>>,
    pub(super) imported: Vec<Result<Imported, AppendError>>,
    pub(super) head: Position,
}

/// Why a group has no result.
#[derive(Debug)]
pub(super) struct CommitError {
    pub(super) error: sqlx::Error,
    /// Whether the group may have been committed nevertheless: the error came after COMMIT was sent.
    pub(super) may_be_committed: bool,
}

impl CommitError {
    /// The error of a COMMIT.
    pub(super) fn of_commit(error: sqlx::Error) -> Self {
        Self { error, may_be_committed: true }
    }

    /// The error of a statement that commits what it does: if Postgres refuses it, nothing is committed.
    pub(super) fn of_statement(error: sqlx::Error) -> Self {
        let may_be_committed = is_disconnect(&error) || !matches!(error, sqlx::Error::Database(_));
        Self { error, may_be_committed }
    }
}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        Self { error, may_be_committed: false }
    }
}
