//! What a failure of a statement says of the query, or of Postgres.

use crate::{
    postgres::is_transient,
    queries::{error::ReadError, read::answer_to_error},
};

/// Whether an error of Postgres says that a statement is wrong, and not that Postgres is away.
pub(super) fn is_of_postgres(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some() && !is_transient(error)
}

pub(super) fn is_of_query(error: &ReadError) -> bool {
    matches!(error, ReadError::Postgres(error) if is_of_postgres(error))
}

/// The same error for one more follower.
pub(super) fn again(error: &ReadError) -> ReadError {
    match *error {
        ReadError::Query(ref error) => ReadError::Query(error.clone()),
        ReadError::TooLargeToFollow { limit, max } => ReadError::TooLargeToFollow { limit, max },
        ReadError::TimedOut(limit) => ReadError::TimedOut(limit),
        ReadError::Cancelled => ReadError::Cancelled,
        ref error => ReadError::Followed(error.to_string()),
    }
}

/// The error as a reader of the query would get it.
pub(super) fn of_query(error: ReadError) -> ReadError {
    match error {
        ReadError::Postgres(error) => match answer_to_error::<()>(error) {
            Err(error) => error,
            Ok(_) => ReadError::Followed("its tables are gone".to_owned()),
        },
        error => error,
    }
}
