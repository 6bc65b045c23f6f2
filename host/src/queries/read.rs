//! Queries on the active build.

use std::time::Duration;

use sqlx::postgres::PgDatabaseError;

use super::{Queries, active::Known};
use crate::{
    builds::{ActiveBuild, is_active},
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

/// What a query answers, and as of when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The page, as JSON.
    pub body: String,
    /// Rows of the page.
    pub rows: u64,
    /// Rows that stand before it.
    pub offset: u64,
    /// Rows in all, if they were counted.
    pub total: Option<u64>,
    /// The answer holds the effect of every event up to this position.
    pub position: Position,
}

/// What the statement of a query returns: its counts are never negative.
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
    #[error("projection `{0}` is not ready: its first build has not caught up yet")]
    NotReady(Identifier),
    /// The read model has not come as far as the reader wants.
    #[error("projection `{projection}` is at position {checkpoint}, and not yet at {wanted}")]
    Behind {
        /// The projection.
        projection: Identifier,
        /// Where it is.
        checkpoint: Position,
        /// Where the reader wants it to be.
        wanted: Position,
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

/// How often a query is tried again because the build changed under it, or the connection broke.
const TRIES: usize = 5;
/// How often a reader that waits looks at a build that another host works on.
const POLL: Duration = Duration::from_millis(20);

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
                // What was known of the projection is out of date; it is forgotten, and the next try looks it up.
                Ok(None) if tries < TRIES => self.active_builds.forget(request.projection),
                Ok(None) => return Err(ReadError::NotReady(request.projection.clone())),
                // A read changes nothing, so it can be repeated on a fresh connection.
                Err(ReadError::Postgres(error)) if tries < TRIES && is_transient(&error) => {
                    tokio::time::sleep(POLL).await;
                }
                Ok(Some(answer)) => return Ok(answer),
                Err(error) => return Err(error),
            }
        }
    }

    /// None if the build that was read is not the active one any more.
    async fn try_read(&self, request: ReadRequest<'_>) -> Result<Option<Answer>, ReadError> {
        let active = self.active(request.projection).await?;
        match self.read_build(&active, request).await {
            // What the remembered build does not have, or holds as another type, may be there in the one that replaced it. So
            // only the build that is active now may refuse a query.
            Err(ReadError::NoTable { .. } | ReadError::Query(_)) if !is_active(&self.pool, active.build).await? => {
                Ok(None)
            }
            result => result,
        }
    }

    /// Answers a query from a build. None if it is not the active one any more.
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
            })),
            Ok(None) => Ok(None),
            Err(error) => answer_to(error),
        }
    }

    async fn run(
        &self,
        projection: &Identifier,
        active: &ActiveBuild,
        sql: Sql,
    ) -> Result<Option<PageRow>, sqlx::Error> {
        // What is active, the checkpoint and the rows in one snapshot: rows of a build that is not active any more are never
        // answered, and the position is exactly theirs.
        let text = format!(
            "SELECT checkpoint, body, page_rows, total_rows
             FROM gnomon.builds AS build
             JOIN gnomon.subscriptions ON subscription = build.build
             CROSS JOIN ({}) AS answer
             WHERE build.projection = $1 AND build.build = $2 AND role = 'active'",
            sql.text
        );
        // Safe: the statement's words are ours and the table's checked names; what the reader wrote is bound.
        let mut statement = sqlx::query_as(&text).persistent(false);
        statement = statement.bind(projection).bind(active.build);
        for param in sql.params {
            statement = statement.bind(param);
        }
        statement.fetch_optional(&self.queries).await
    }

    async fn active(&self, projection: &Identifier) -> Result<std::sync::Arc<ActiveBuild>, ReadError> {
        match self.active_builds.get(&self.pool, projection).await? {
            Known::Active(active) => Ok(active),
            Known::NotYet => Err(ReadError::NotReady(projection.clone())),
            Known::Unknown => Err(ReadError::NoProjection(projection.clone())),
        }
    }
}

/// An error of Postgres while a query ran: whose it is.
fn answer_to(error: sqlx::Error) -> Result<Option<Answer>, ReadError> {
    let Some(database) = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>()) else {
        return Err(error.into());
    };
    match database.code() {
        // The build was replaced and its tables dropped.
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
