//! Queries on the active build.

use std::time::Duration;

use sqlx::postgres::PgDatabaseError;

use super::Queries;
use crate::{
    builds::{ActiveBuild, ActiveLookup, BuildNumber, is_active},
    event_log::Position,
    postgres::{is_missing_table, is_transient},
    read_model::{
        Identifier,
        query::{Query, QueryError, Rendering, Shape, Sql},
    },
};

/// A query on a table of a projection.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest<'a> {
    /// The projection.
    pub projection: &'a Identifier,
    /// The table.
    pub table: &'a str,
    /// The query string of the URL.
    pub query: &'a str,
    /// Whether a list is wanted or one object.
    pub shape: Shape,
    /// Whether to count all rows that match.
    pub exact_count: bool,
    /// The most rows that a page may have.
    pub max_rows: u64,
}

/// The answer to a query, and the position that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The page, as JSON.
    pub body: String,
    /// Rows of the page.
    pub rows: u64,
    /// Rows before the page.
    pub offset: u64,
    /// All rows that match, if they were counted.
    pub total: Option<u64>,
    /// The answer holds the effect of every event up to this position.
    pub position: Position,
    /// The build that the rows are of.
    pub build: BuildNumber,
}

/// The row that the statement of a query returns. Its counts are never negative.
#[derive(sqlx::FromRow)]
struct PageRow {
    checkpoint: Position,
    body: String,
    page_rows: i64,
    total_rows: Option<i64>,
}

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
    /// The query is wrong.
    #[error("{}", .0.message)]
    Query(QueryError),
    /// Postgres fails.
    #[error("cannot read: {0}")]
    Postgres(sqlx::Error),
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

/// How often a query is tried before it fails because the active build changes or the connection breaks.
const TRIES: usize = 5;
/// The pause before a query is tried on another connection.
const PAUSE: Duration = Duration::from_millis(20);

impl Queries {
    /// Answers a query from the active build.
    ///
    /// # Errors
    /// There is nothing to read, the query is wrong, or Postgres fails.
    pub async fn read(&self, request: ReadRequest<'_>) -> Result<Answer, ReadError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_read(request).await {
                // The next try looks the active build up.
                Ok(None) if tries < TRIES => self.active_builds.forget(request.projection),
                Ok(None) => return Err(self.nothing_to_read(request.projection).await?),
                // A read changes nothing, so it can be repeated on another connection.
                Err(ReadError::Postgres(error)) if tries < TRIES && is_transient(&error) => {
                    tokio::time::sleep(PAUSE).await;
                }
                Ok(Some(answer)) => return Ok(answer),
                Err(error) => return Err(error),
            }
        }
    }

    /// Why there is nothing to read again and again: the tables are missing, or there is no active build.
    async fn nothing_to_read(&self, projection: &Identifier) -> Result<ReadError, ReadError> {
        let active = self.active(projection).await?;
        Ok(match active.tables.missing(&self.pool).await? {
            Some(table) => ReadError::Missing { projection: projection.clone(), table },
            None => {
                let reason = "its active build changes all the time; try again".to_owned();
                ReadError::NotReady { projection: projection.clone(), reason }
            }
        })
    }

    /// Returns `None` if the remembered build is not the active one any more.
    async fn try_read(&self, request: ReadRequest<'_>) -> Result<Option<Answer>, ReadError> {
        let active = self.active(request.projection).await?;
        match self.read_build(&active, request).await {
            // The build that replaced the remembered one may have the table, or a column of the type that the query wants. So only
            // the build that is active now may refuse a query.
            Err(ReadError::NoTable { .. } | ReadError::Query(_)) if !is_active(&self.pool, active.build).await? => {
                Ok(None)
            }
            result => result,
        }
    }

    /// Answers a query from a build. Returns `None` if it is not the active one any more.
    async fn read_build(&self, active: &ActiveBuild, request: ReadRequest<'_>) -> Result<Option<Answer>, ReadError> {
        let table = active.tables.table(request.table).ok_or_else(|| ReadError::NoTable {
            projection: request.projection.clone(),
            table: request.table.to_owned(),
            tables: active.tables.tables().map(|table| table.name().to_string()).collect(),
        })?;
        let query = Query::parse(request.query, table).map_err(ReadError::Query)?;
        let sql = query.to_sql(&Rendering {
            schema: active.tables.schema().as_str(),
            shape: request.shape,
            exact_count: request.exact_count,
            max_rows: Some(request.max_rows),
            first_placeholder: 3,
        });
        match self.run(request.projection, active, sql).await {
            Ok(Some(page)) => Ok(Some(Answer {
                body: page.body,
                rows: page.page_rows.cast_unsigned(),
                offset: query.offset(),
                total: page.total_rows.map(i64::cast_unsigned),
                position: page.checkpoint,
                build: active.number,
            })),
            Ok(None) => Ok(None),
            Err(error) => answer_to_error(error),
        }
    }

    async fn run(
        &self,
        projection: &Identifier,
        active: &ActiveBuild,
        sql: Sql,
    ) -> Result<Option<PageRow>, sqlx::Error> {
        // One statement reads which build is active, its checkpoint and its rows, in one snapshot: rows of a build that is no longer
        // active are never returned, and the position is exactly that of the rows.
        let text = format!(
            "SELECT checkpoint, body, page_rows, total_rows
             FROM gnomon.builds AS build
             JOIN gnomon.subscriptions ON subscription = build.build
             CROSS JOIN ({}) AS answer
             WHERE build.projection = $1 AND build.build = $2 AND role = 'active'",
            sql.text
        );
        // Safe: the SQL is made of constants and of checked names; all values of the reader are bound.
        let mut statement = sqlx::query_as(&text).persistent(false);
        statement = statement.bind(projection).bind(active.build);
        for param in sql.params {
            statement = statement.bind(param);
        }
        statement.fetch_optional(&self.queries).await
    }

    async fn active(&self, projection: &Identifier) -> Result<std::sync::Arc<ActiveBuild>, ReadError> {
        match self.active_builds.get(&self.pool, projection).await? {
            ActiveLookup::Found(active) => Ok(active),
            ActiveLookup::NoActiveBuild => {
                let reason = self.why_not_ready(projection).await?;
                Err(ReadError::NotReady { projection: projection.clone(), reason })
            }
            ActiveLookup::NoProjection => Err(ReadError::NoProjection(projection.clone())),
        }
    }
}

/// Decides whether an error of Postgres comes from the query, from a dropped build, or from Postgres itself.
fn answer_to_error(error: sqlx::Error) -> Result<Option<Answer>, ReadError> {
    let Some(database) = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>()) else {
        return Err(error.into());
    };
    match database.code() {
        // The build was replaced, and its tables are dropped.
        _ if is_missing_table(&error) => Ok(None),
        _ if is_transient(&error) => Err(error.into()),
        code => Err(ReadError::Query(QueryError::from_postgres(
            code,
            database.message(),
            database.detail(),
            database.hint(),
        ))),
    }
}
