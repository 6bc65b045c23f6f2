//! Why a query has no answer.

use std::time::Duration;

use crate::{
    builds::{BuildError, BuildNumber, BuildState},
    event_log::Position,
    read_model::{Identifier, columnar::EncodeError, query::QueryError},
};

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such projection.
    #[error("there is no projection `{0}`")]
    NoProjection(Identifier),
    /// The projection has no such table.
    #[error("projection `{projection}` has no table `{table}`; it has {}", tables.join(", "))]
    NoTable {
        /// The projection.
        projection: Identifier,
        /// The table.
        table: String,
        /// The tables that it has.
        tables: Vec<String>,
    },
    /// No build has caught up yet.
    #[error("projection `{projection}` is not ready: {reason}")]
    NotReady {
        /// The projection.
        projection: Identifier,
        /// What its builds are doing.
        reason: String,
    },
    /// The active build's tables do not exist.
    #[error(
        "projection `{projection}` cannot be read: the table {table} of its active build is missing from the database, as after a restore \
         of the schema gnomon alone; rebuild the projection"
    )]
    Missing {
        /// The projection.
        projection: Identifier,
        /// A table.
        table: String,
    },
    /// The read model has not reached the position that the reader asks for.
    #[error(
        "projection `{projection}` is at position {checkpoint}, and not yet at {wanted}{}",
        stands_still.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default()
    )]
    Behind {
        /// The projection.
        projection: Identifier,
        /// Its checkpoint.
        checkpoint: Position,
        /// The position that the reader asks for.
        wanted: Position,
        /// Why its active build stands still, if it does.
        stands_still: Option<String>,
    },
    /// The log does not reach the position that the reader asks for: the reader knows another log.
    #[error(
        "the reader has seen position {wanted}, but the log ends at {head}: it is not the log that the reader knows. It may have \
         been restored from a backup. Ask for a position that it has"
    )]
    BeyondHead {
        /// The position that the reader asks for.
        wanted: Position,
        /// The position of the newest event.
        head: Position,
    },
    /// The past of a position is asked for that the log does not have.
    #[error("position {wanted} is asked for, and the log ends at {head}; ask for a position that it has")]
    NotYet {
        /// The position that is asked for.
        wanted: Position,
        /// The position of the newest event.
        head: Position,
    },
    /// A past build has stopped before its position.
    #[error(
        "past build {past_build} of projection `{projection}` {state} at position {checkpoint}, before position {wanted}{}. It is made again if \
         you retire it (`gnomon retire {projection} --past {past_build}`) and ask once more",
        error.as_ref().map(|error| format!(": {error}")).unwrap_or_default()
    )]
    PastStopped {
        /// The projection.
        projection: Identifier,
        /// The past build.
        past_build: BuildNumber,
        /// The word for its state.
        state: BuildState,
        /// How far it has come.
        checkpoint: Position,
        /// The position that it was to show.
        wanted: Position,
        /// Why.
        error: Option<Box<BuildError>>,
    },
    /// The tables of a past build are gone.
    #[error(
        "past build {past_build} of projection `{projection}` cannot be read: it was retired meanwhile, or the database was restored without its \
         tables. Ask again; if that does not help, retire it first (`gnomon retire {projection} --past {past_build}`)"
    )]
    PastGone {
        /// The projection.
        projection: Identifier,
        /// The past build.
        past_build: BuildNumber,
    },
    /// The query is wrong.
    #[error("{}", .0.message)]
    Query(QueryError),
    /// It takes too long.
    #[error(
        "the query took longer than {} s (query_timeout), and was ended. Read fewer rows, or filter and order by the columns of a key or an \
         index",
        .0.as_secs_f64()
    )]
    TimedOut(Duration),
    /// Postgres ended it.
    #[error(
        "the query was ended in Postgres: by a statement_timeout of the database or the role, or by an administrator"
    )]
    Cancelled,
    /// Its answer is too large.
    #[error(
        "the answer has more than {max} bytes (max_answer_bytes) with {} of its rows; select fewer columns, or read fewer rows at once \
         with `limit`",
        rows + 1
    )]
    TooLarge {
        /// The most bytes that an answer may have.
        max: usize,
        /// The rows that fit.
        rows: u64,
    },
    /// Others run.
    #[error(
        "too many queries on projection `{0}` run and wait; a projection's readers may use a part of this host's connections only"
    )]
    TooMany(Identifier),
    /// Others are sent.
    #[error("the answers that this host is sending take all the memory that they may have (max_sending_bytes)")]
    TooMuchToSend,
    /// All rows of a table take too long, or their client does.
    #[error(
        "the export took longer than {} s (export_timeout), and was ended. Read the table in parts, by a filter on its key, or raise the limit",
        .0.as_secs_f64()
    )]
    ExportTimedOut(Duration),
    /// Rows cannot be encoded.
    #[error("cannot encode the rows: {0}")]
    Encode(EncodeError),
    /// The work stopped in its middle.
    #[error("the export broke off: {0}")]
    ExportBroke(String),
    /// It has too many rows to be followed, or too large ones.
    #[error(
        "the rows of the live query are more than {max} ({limit}); filter more, select fewer columns, or set a `limit`"
    )]
    TooLargeToFollow {
        /// The limit.
        limit: &'static str,
        /// How many are allowed.
        max: u64,
    },
    /// Others are followed.
    #[error(
        "the live queries of this host are more than it takes on: {max} ({limit}); try again later, or follow fewer"
    )]
    TooManyLiveQueries {
        /// The limit.
        limit: &'static str,
        /// How many are allowed.
        max: usize,
    },
    /// It cannot be followed any more.
    #[error("the query is not followed any more: {0}")]
    Followed(String),
    /// Postgres fails.
    #[error("cannot read: {0}")]
    Postgres(sqlx::Error),
}

impl From<EncodeError> for ReadError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}
