//! Why something of a read model is not read.

use super::{
    error::PostgrestError,
    fields::{with_code, with_own_code},
};
use crate::{
    http::{prefer::PreferenceError, problem::Problem},
    queries::ReadError,
};

/// Why a table is not read. PostgREST has codes of its own for some of the errors.
pub(super) enum ReadTableError {
    Postgrest(PostgrestError),
    Read(ReadError),
    Other(Problem),
}

impl From<PostgrestError> for ReadTableError {
    fn from(error: PostgrestError) -> Self {
        Self::Postgrest(error)
    }
}

impl From<PreferenceError> for ReadTableError {
    fn from(error: PreferenceError) -> Self {
        Self::Postgrest(error.into())
    }
}

impl From<ReadError> for ReadTableError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// Adds the fields that PostgREST's clients read.
pub(super) fn with_postgrest_fields(refusal: ReadTableError) -> Problem {
    match refusal {
        ReadTableError::Postgrest(error) => error.into(),
        // It has them already.
        ReadTableError::Read(error @ ReadError::Query(_)) => error.into(),
        ReadTableError::Read(error @ (ReadError::NoProjection(_) | ReadError::NoTable { .. })) => {
            // PostgREST's code for an unknown table.
            with_code(error.into(), "PGRST205", None, None)
        }
        ReadTableError::Read(error) => with_own_code(error.into()),
        ReadTableError::Other(problem) => with_own_code(problem),
    }
}
