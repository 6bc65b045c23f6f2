//! Queries on the active build.

use std::time::Duration;

use sqlx::postgres::PgDatabaseError;
use tokio::time::Instant;

use super::{
    Projector,
    active::{ActiveBuild, Known, is_active},
};
use crate::{
    event_log::Position,
    postgres::is_transient,
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
    Postgres(#[from] sqlx::Error),
}

/// How often a query is tried again because the build changed under it, or the connection broke.
const TRIES: usize = 5;
/// How often a reader that waits looks at a build that another host works on.
const POLL: Duration = Duration::from_millis(20);

impl Projector {
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
                Ok(None) if tries < TRIES => self.shared.active.forget(request.projection),
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
            Err(ReadError::NoTable { .. } | ReadError::Query(_))
                if !is_active(&self.shared.pool, request.projection, active.build).await? =>
            {
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
            Ok(Some((checkpoint, body, rows, total))) => Ok(Some(Answer {
                body,
                rows: u64::try_from(rows).unwrap_or_default(),
                offset: query.offset(),
                total: total.map(|total| u64::try_from(total).unwrap_or_default()),
                position: Position::from_sql(checkpoint),
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
    ) -> Result<Option<(i64, String, i64, Option<i64>)>, sqlx::Error> {
        // Pointer, checkpoint and rows in one snapshot: rows of a build that is not active any more are never answered, and
        // the position is exactly theirs.
        let text = format!(
            "SELECT checkpoint, body, page_rows, total_rows
             FROM gnomon.projections AS projection
             JOIN gnomon.build_progress AS progress ON progress.build = projection.active_build
             CROSS JOIN ({}) AS answer
             WHERE projection.name = $1 AND projection.active_build = $2",
            sql.text
        );
        // Safe: the statement's words are ours and the table's checked names; what the reader wrote is bound.
        let mut statement = sqlx::query_as(&text).persistent(false);
        statement = statement.bind(projection.as_str()).bind(active.build.0);
        for param in sql.params {
            statement = statement.bind(param);
        }
        statement.fetch_optional(&self.shared.queries).await
    }

    async fn active(&self, projection: &Identifier) -> Result<std::sync::Arc<ActiveBuild>, ReadError> {
        match self.shared.active.get(&self.shared.pool, projection).await? {
            Known::Active(active) => Ok(active),
            Known::NotYet => Err(ReadError::NotReady(projection.clone())),
            Known::Unknown => Err(ReadError::NoProjection(projection.clone())),
        }
    }

    /// Waits until the active build of a projection holds the effect of every event up to a position.
    ///
    /// # Errors
    /// It does not within `patience`, there is no such build, or Postgres fails.
    pub async fn wait_for(
        &self,
        projection: &Identifier,
        wanted: Position,
        patience: Duration,
    ) -> Result<(), ReadError> {
        let deadline = Instant::now() + patience;
        let mut committed = self.committed.clone();
        loop {
            committed.mark_unchanged();
            let checkpoint: Option<Option<i64>> = sqlx::query_scalar(
                "SELECT checkpoint FROM gnomon.projections LEFT JOIN gnomon.build_progress ON build = active_build
                 WHERE name = $1",
            )
            .bind(projection.as_str())
            .fetch_optional(&self.shared.pool)
            .await?;
            let checkpoint = match checkpoint {
                None => return Err(ReadError::NoProjection(projection.clone())),
                Some(checkpoint) => checkpoint.map(Position::from_sql),
            };
            if checkpoint.is_some_and(|checkpoint| checkpoint >= wanted) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(match checkpoint {
                    Some(checkpoint) => ReadError::Behind { projection: projection.clone(), checkpoint, wanted },
                    None => ReadError::NotReady(projection.clone()),
                });
            }
            // This host's own commits wake at once, those of others are found by looking.
            tokio::select! {
                _ = committed.changed() => {}
                () = tokio::time::sleep_until(deadline.min(Instant::now() + POLL)) => {}
            }
        }
    }
}

/// An error of Postgres while a query ran: whose it is.
fn answer_to(error: sqlx::Error) -> Result<Option<Answer>, ReadError> {
    let Some(database) = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>()) else {
        return Err(error.into());
    };
    match database.code() {
        // The table or its schema is gone: the build was replaced and dropped.
        "42P01" | "3F000" => Ok(None),
        _ if is_transient(&error) => Err(error.into()),
        code => Err(ReadError::Query(QueryError::from_postgres(
            code,
            database.message(),
            database.detail(),
            database.hint(),
        ))),
    }
}
