//! Queries on the active build.

use std::{sync::Arc, time::Duration};

use sqlx::postgres::PgDatabaseError;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    Queries, body::AnswerBody, contents::Contents, error::ReadError, origin::Origin, request::ReadRequest, slots::Slot,
    source::Source, tag::AnswerTag,
};
use crate::{
    builds::{ActiveBuild, ActiveLookup, is_active},
    event_log::Position,
    postgres::{Backoff, is_missing_table, is_transient, sqlstate::QUERY_CANCELED},
    read_model::{
        Identifier, TableSet,
        query::{Catalog, Query, QueryError},
    },
};

/// The answer to a query, and the position that it is of.
#[derive(Debug)]
pub struct Answer {
    /// The page in its shape, or the plan.
    pub body: AnswerBody,
    /// Rows of the page.
    pub rows: u64,
    /// Rows before the page.
    pub offset: u64,
    /// All rows that match, if they were counted.
    pub total: Option<u64>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// The answer holds the effect of every event up to this position.
    pub position: Position,
    /// Where the rows come from.
    pub origin: Origin,
    /// What an answer to the same request has in common with this one exactly if it is the same. `None` if it may differ from the same rows.
    pub tag: Option<AnswerTag>,
}

/// An answer, and the rows that it is of.
#[derive(Debug)]
pub(super) struct RowsRead {
    pub(super) answer: Answer,
    /// `None` if the answer may be another one from the same rows later.
    pub(super) contents: Option<Contents>,
}

/// How often a query is tried before it fails because the active build changes.
const TRIES: usize = 5;
/// For how long a query is tried again on other connections.
const RETRY_FOR: Duration = Duration::from_secs(5);
/// The first pause before that, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];

impl Queries {
    /// Answers a query from the rows of the active build, if it gets its turn until `turn`.
    pub(super) async fn read_rows(&self, request: ReadRequest<'_>, turn: Instant) -> Result<RowsRead, ReadError> {
        let limit = request.limits.timeout;
        let slot = self.slot(request.projection, turn).await?;
        let read = self.again(request.projection, || self.try_read(request, &slot));
        timeout(limit, read).await.unwrap_or(Err(ReadError::TimedOut(limit)))
    }

    /// Waits for its turn to run a query, until `turn`.
    pub(super) async fn slot(&self, projection: &Identifier, turn: Instant) -> Result<Arc<Slot>, ReadError> {
        match timeout_at(turn, self.slots.take(projection)).await {
            Ok(Ok(slot)) => Ok(Arc::new(slot)),
            Ok(Err(_)) | Err(_) => Err(ReadError::TooMany(projection.clone())),
        }
    }

    /// Reads on other connections until it succeeds or fails for good. A read changes nothing, so it can be repeated.
    pub(super) async fn on_a_connection<T, F: Future<Output = Result<T, ReadError>>>(
        attempt: impl Fn() -> F,
    ) -> Result<T, ReadError> {
        let (begun, [first, longest]) = (Instant::now(), PAUSES);
        let mut backoff = Backoff::new(first, longest);
        loop {
            match attempt().await {
                Err(ReadError::Postgres(error)) if begun.elapsed() < RETRY_FOR && is_transient(&error) => {
                    tokio::time::sleep(backoff.next_pause()).await;
                }
                result => return result,
            }
        }
    }

    /// Tries to read until it succeeds: a try returns `None` if the remembered build is not the active one any more.
    pub(super) async fn again<T, F: Future<Output = Result<Option<T>, ReadError>>>(
        &self,
        projection: &Identifier,
        attempt: impl Fn() -> F,
    ) -> Result<T, ReadError> {
        for _ in 0..=TRIES {
            if let Some(read) = Self::on_a_connection(&attempt).await? {
                return Ok(read);
            }
            // The next try looks the active build up.
            self.active_builds.forget(projection);
        }
        Err(self.nothing_to_read(projection).await?)
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
        match self.read_source(Source::Build(&active), request, slot).await {
            // The build that replaced the remembered one may have the table, or a column of the type that the query wants. So only
            // the build that is active now may refuse a query.
            Err(ReadError::NoTable { .. } | ReadError::Query(_)) if !is_active(&self.pool, active.build).await? => {
                Ok(None)
            }
            result => result,
        }
    }

    /// Answers a query. Returns `None` if the build that it reads is not the active one any more, or not a past build that is finished.
    pub(super) async fn read_source(
        &self,
        source: Source<'_>,
        request: ReadRequest<'_>,
        slot: &Arc<Slot>,
    ) -> Result<Option<RowsRead>, ReadError> {
        let query = query_on(source.tables(), &request)?;
        match self.run(request, source, &query, slot).await {
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
                    origin: source.origin(),
                    tag: None,
                };
                Ok(Some(RowsRead { answer, contents: (!page.may_change).then_some(page.contents) }))
            }
            Ok(None) => Ok(None),
            Err(ReadError::Postgres(error)) => answer_to_error(error),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn active(&self, projection: &Identifier) -> Result<Arc<ActiveBuild>, ReadError> {
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

/// What a request asks of a build.
pub(super) fn query_on<'a>(tables: &'a TableSet, request: &ReadRequest<'a>) -> Result<Query<'a>, ReadError> {
    let table = tables.table(request.table).ok_or_else(|| ReadError::NoTable {
        projection: request.projection.clone(),
        table: request.table.to_owned(),
        tables: tables.tables().map(|table| table.name().to_string()).collect(),
    })?;
    let catalog = Catalog {
        projection: request.projection.as_str(),
        tables: tables.tables().map(Arc::as_ref).collect(),
        aggregates: request.limits.aggregates,
    };
    let query = Query::parse_within(&catalog, table, request.query, request.max_query_bytes);
    query.and_then(|query| query.within(request.range)).map_err(ReadError::Query)
}

/// Decides whether an error of Postgres comes from the query, from a dropped build, or from Postgres itself.
pub(super) fn answer_to_error<T>(error: sqlx::Error) -> Result<Option<T>, ReadError> {
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
