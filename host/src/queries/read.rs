//! Queries on the active build.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, TryStreamExt};
use sqlx::{
    Row,
    postgres::{PgDatabaseError, PgRow},
};
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use super::{
    Queries,
    body::{AnswerBody, BodyWriter},
    contents::Contents,
    error::ReadError,
    request::ReadRequest,
    running,
    slots::Slot,
};
use crate::{
    builds::{ActiveBuild, ActiveLookup, BuildNumber, is_active},
    event_log::Position,
    postgres::{Backoff, is_missing_table, is_transient, sqlstate::QUERY_CANCELED},
    read_model::{
        Identifier,
        query::{Catalog, Query, QueryError, Rendering, Sql},
    },
};

/// The answer to a query, and the position that it is of.
#[derive(Debug)]
pub struct Answer {
    /// The page, as JSON.
    pub body: AnswerBody,
    /// Rows of the page.
    pub rows: u64,
    /// Rows before the page.
    pub offset: u64,
    /// All rows that match, if they were counted.
    pub total: Option<u64>,
    /// The cursor of the next page, if this one has as many rows as it may have.
    pub next: Option<String>,
    /// The answer holds the effect of every event up to this position.
    pub position: Position,
    /// The build that the rows are of.
    pub build: BuildNumber,
}

/// An answer, and the rows that it is of.
#[derive(Debug)]
pub(super) struct RowsRead {
    pub(super) answer: Answer,
    /// `None` if the answer may be another one from the same rows later.
    pub(super) contents: Option<Contents>,
}

/// A page as it was read.
struct Page {
    checkpoint: Position,
    contents: Contents,
    body: AnswerBody,
    rows: u64,
    /// Never negative.
    total: Option<i64>,
    /// What the cursor of the next page is made of.
    next_values: Option<String>,
}

/// How often a query is tried before it fails because the active build changes.
const TRIES: usize = 5;
/// For how long a query is tried again on other connections.
const RETRY_FOR: Duration = Duration::from_secs(5);
/// The first pause before that, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];
/// The bytes of a statement that stays prepared, at most.
const MAX_PREPARED: usize = 4096;
/// The column of the values that make a cursor, if the statement has them.
const NEXT_VALUES: usize = 5;
impl Queries {
    /// Answers a query from the rows of the active build, if it gets its turn until `turn`.
    pub(super) async fn read_rows(&self, request: ReadRequest<'_>, turn: Instant) -> Result<RowsRead, ReadError> {
        let limit = request.limits.timeout;
        let slot = match timeout_at(turn, self.slots.take(request.projection)).await {
            Ok(Ok(slot)) => Arc::new(slot),
            Ok(Err(_)) | Err(_) => return Err(ReadError::TooMany(request.projection.clone())),
        };
        timeout(limit, self.read_again(request, &slot)).await.unwrap_or(Err(ReadError::TimedOut(limit)))
    }

    async fn read_again(&self, request: ReadRequest<'_>, slot: &Arc<Slot>) -> Result<RowsRead, ReadError> {
        let mut tries = 0;
        let (begun, [first, longest]) = (Instant::now(), PAUSES);
        let mut backoff = Backoff::new(first, longest);
        loop {
            match self.try_read(request, slot).await {
                // The next try looks the active build up.
                Ok(None) if tries < TRIES => {
                    tries += 1;
                    self.active_builds.forget(request.projection);
                }
                Ok(None) => return Err(self.nothing_to_read(request.projection).await?),
                // A read changes nothing, so it can be repeated on another connection.
                Err(ReadError::Postgres(error)) if begun.elapsed() < RETRY_FOR && is_transient(&error) => {
                    tokio::time::sleep(backoff.next_pause()).await;
                }
                Ok(Some(read)) => return Ok(read),
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
    async fn try_read(&self, request: ReadRequest<'_>, slot: &Arc<Slot>) -> Result<Option<RowsRead>, ReadError> {
        let active = self.active(request.projection).await?;
        match self.read_build(&active, request, slot).await {
            // The build that replaced the remembered one may have the table, or a column of the type that the query wants. So only
            // the build that is active now may refuse a query.
            Err(ReadError::NoTable { .. } | ReadError::Query(_)) if !is_active(&self.pool, active.build).await? => {
                Ok(None)
            }
            result => result,
        }
    }

    /// Answers a query from a build. Returns `None` if it is not the active one any more.
    async fn read_build(
        &self,
        active: &ActiveBuild,
        request: ReadRequest<'_>,
        slot: &Arc<Slot>,
    ) -> Result<Option<RowsRead>, ReadError> {
        let table = active.tables.table(request.table).ok_or_else(|| ReadError::NoTable {
            projection: request.projection.clone(),
            table: request.table.to_owned(),
            tables: active.tables.tables().map(|table| table.name().to_string()).collect(),
        })?;
        let catalog = Catalog {
            projection: request.projection.as_str(),
            tables: active.tables.tables().map(Arc::as_ref).collect(),
            aggregates: request.limits.aggregates,
        };
        let query = Query::parse_in(&catalog, table, request.query).map_err(ReadError::Query)?;
        let sql = query.to_sql(&Rendering {
            schema: active.tables.schema().as_str(),
            shape: request.shape,
            exact_count: request.exact_count,
            max_rows: Some(request.limits.max_rows),
            max_row_bytes: Some(request.limits.max_bytes as u64),
            next_values: query.can_continue(),
            first_placeholder: 3,
        });
        let depends_on_clock = sql.depends_on_clock;
        match self.run(request, active, sql, slot).await {
            Ok(Some(page)) => {
                let next = page.next_values.as_deref().map(|values| query.next_cursor(values));
                let next = next.transpose().map_err(ReadError::Query)?.flatten();
                let answer = Answer {
                    body: page.body,
                    rows: page.rows,
                    offset: query.offset(),
                    total: page.total.map(i64::cast_unsigned),
                    next,
                    position: page.checkpoint,
                    build: active.number,
                };
                Ok(Some(RowsRead { answer, contents: (!depends_on_clock).then_some(page.contents) }))
            }
            Ok(None) => Ok(None),
            Err(ReadError::Postgres(error)) => answer_to_error(error),
            Err(error) => Err(error),
        }
    }

    async fn run(
        &self,
        request: ReadRequest<'_>,
        active: &ActiveBuild,
        sql: Sql,
        slot: &Arc<Slot>,
    ) -> Result<Option<Page>, ReadError> {
        // One statement reads which build is active, its checkpoint, its contents and its rows, in one snapshot: rows of a build that is no
        // longer active are never returned, and position and contents are exactly those of the rows.
        let text = format!(
            "/* gnomon reads */ SELECT checkpoint, contents, total_rows, bytes, shown{}
             FROM gnomon.builds AS build
             JOIN gnomon.subscriptions ON subscription = build.build
             CROSS JOIN ({}) AS answer
             WHERE build.projection = $1 AND build.build = $2 AND role = 'active'",
            if sql.has_next_values { ", next_values" } else { "" },
            sql.text
        );
        // Safe: the SQL is made of constants and of checked names; all values of the reader are bound.
        let mut statement = sqlx::query(&text).persistent(sql.can_be_prepared && text.len() <= MAX_PREPARED);
        statement = statement.bind(request.projection).bind(active.build);
        for param in sql.params {
            statement = statement.bind(param);
        }
        let mut running = running::begin(&self.sessions, &self.pool, slot).await?;
        let page = read_page(statement.fetch(running.connection()), request).await;
        // Otherwise the rest of the rows is not read.
        if matches!(page, Ok(_) | Err(ReadError::Postgres(_))) {
            running::finish(running);
        }
        page
    }

    async fn active(&self, projection: &Identifier) -> Result<Arc<ActiveBuild>, ReadError> {
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

/// Reads the rows of a page. Returns `None` if there is not even a checkpoint.
async fn read_page(
    mut rows: impl Stream<Item = Result<PgRow, sqlx::Error>> + Unpin,
    request: ReadRequest<'_>,
) -> Result<Option<Page>, ReadError> {
    let ReadRequest { shape, limits, .. } = request;
    let (mut body, mut count, mut found) = (BodyWriter::new(&limits.budget), 0, None);
    let mut next_values = None;
    while let Some(row) = rows.try_next().await? {
        if found.is_none() {
            let contents = Contents(row.try_get::<Uuid, _>(1)?);
            found = Some((row.try_get::<Position, _>(0)?, contents, row.try_get::<Option<i64>, _>(2)?));
        }
        // The one row of a page without rows.
        let Some(bytes) = row.try_get::<Option<i32>, _>(3)? else { continue };
        let bytes = usize::try_from(bytes).unwrap_or_default();
        let too_large = ReadError::TooLarge { max: limits.max_bytes, rows: count };
        let before = shape.before(count);
        let Some(shown) = row.try_get::<Option<&str>, _>(4)? else { return Err(too_large) };
        if body.bytes() + before.len() + bytes + shape.after(1).len() > limits.max_bytes {
            return Err(too_large);
        }
        body.write(before).await?;
        body.write(shown).await?;
        if row.len() > NEXT_VALUES {
            next_values = row.try_get::<Option<String>, _>(NEXT_VALUES)?;
        }
        count += 1;
    }
    let Some((checkpoint, contents, total)) = found else { return Ok(None) };
    body.write(shape.after(count)).await?;
    Ok(Some(Page { checkpoint, contents, body: body.finish(), rows: count, total, next_values }))
}

/// Decides whether an error of Postgres comes from the query, from a dropped build, or from Postgres itself.
fn answer_to_error(error: sqlx::Error) -> Result<Option<RowsRead>, ReadError> {
    let Some(database) = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>()) else {
        return Err(error.into());
    };
    match database.code() {
        // The build was replaced, and its tables are dropped.
        _ if is_missing_table(&error) => Ok(None),
        // This host has not: it does not wait for the answer then. It would be ended again.
        QUERY_CANCELED => Err(ReadError::Cancelled),
        _ if is_transient(&error) => Err(error.into()),
        code => Err(ReadError::Query(QueryError::from_postgres(
            code,
            database.message(),
            database.detail(),
            database.hint(),
        ))),
    }
}
