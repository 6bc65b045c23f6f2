//! The statements of a query.

use std::sync::Arc;

use sqlx::PgConnection;

use super::{
    Queries,
    error::ReadError,
    page::{COUNT, Page, ROWS, ROWS_AND_NEXT, read_count, read_rows},
    plan::{expected_rows, plan},
    request::{Count, ReadRequest},
    running,
    slots::Slot,
    source::Source,
    zone::{begin_in, end},
};
use crate::read_model::query::{Query, Rendering, Shape, Sql, Total, csv_header};

impl Queries {
    /// Runs a query. Returns `None` if the build that it reads is not active any more.
    pub(super) async fn run(
        &self,
        request: ReadRequest<'_>,
        source: Source<'_>,
        query: &Query<'_>,
        slot: &Arc<Slot>,
    ) -> Result<Option<Page>, ReadError> {
        let mut running = running::begin(&self.sessions, &self.pool, slot).await?;
        let connection = running.connection();
        let page = match request.zone {
            None => read(connection, request, source, query).await,
            Some(zone) => read_in_zone(connection, zone, request, source, query).await,
        };
        // Otherwise the rest of the rows is not read.
        if matches!(page, Ok(_) | Err(ReadError::Postgres(_))) {
            running::finish(running);
        }
        page
    }
}

/// Runs a query in a transaction of its own, whose time zone is another one.
async fn read_in_zone(
    connection: &mut PgConnection,
    zone: &str,
    request: ReadRequest<'_>,
    source: Source<'_>,
    query: &Query<'_>,
) -> Result<Option<Page>, ReadError> {
    let page = match begin_in(connection, zone).await {
        Ok(()) => read(connection, request, source, query).await,
        Err(error) => Err(error.into()),
    };
    // Otherwise the session is not used again.
    if matches!(page, Ok(_) | Err(ReadError::Postgres(_))) {
        // The zone ends with it. Where Postgres has failed already, that is the error to tell.
        let ended = end(connection).await;
        if page.is_ok() {
            ended?;
        }
    }
    page
}

async fn read(
    connection: &mut PgConnection,
    request: ReadRequest<'_>,
    source: Source<'_>,
    query: &Query<'_>,
) -> Result<Option<Page>, ReadError> {
    let ReadRequest { shape, limits, .. } = request;
    // Of some rows in memory there are no statistics, and they are few.
    let count_of = match (source, request.count) {
        (Source::Replayed(_), Count::Planned | Count::Estimated) => Count::Exact,
        (_, count) => count,
    };
    let rendering = Rendering {
        schema: source.tables().schema().as_str(),
        rows: source.rows(),
        shape,
        total: match count_of {
            Count::Uncounted | Count::Planned => Total::Uncounted,
            Count::Exact => Total::Exact,
            // One more tells that there are more.
            Count::Estimated => Total::UpTo(limits.max_rows.saturating_add(1)),
        },
        max_rows: Some(limits.max_rows),
        max_row_bytes: Some(limits.max_bytes as u64),
        next_values: query.can_continue(),
        first_placeholder: source.first_placeholder(),
    };
    if let (Some(explain), Source::Build(active)) = (request.plan, source) {
        let sql = query.to_sql(&Rendering { first_placeholder: 1, next_values: false, ..rendering });
        return plan(connection, explain, request, active, sql).await;
    }
    let Some(mut page) = (match request.without_rows {
        true => count(connection, request, source, query.to_counting_sql(&rendering)).await?,
        false => {
            let sql = query.to_sql(&rendering);
            let head = (shape == Shape::Csv).then(|| csv_header(sql.names.iter().map(String::as_str)));
            rows(connection, request, source, sql, head).await?
        }
    }) else {
        return Ok(None);
    };
    let is_planned = match count_of {
        Count::Uncounted | Count::Exact => false,
        Count::Planned => true,
        Count::Estimated => page.total.is_some_and(|total| total.cast_unsigned() > limits.max_rows),
    };
    if is_planned {
        let expected =
            expected_rows(connection, query.to_matching_sql(&Rendering { first_placeholder: 1, ..rendering })).await?;
        // What was counted there is at least. What Postgres expects changes with its statistics.
        page.total = Some(page.total.map_or(expected, |counted| counted.max(expected)));
        page.may_change = true;
    }
    Ok(Some(page))
}

async fn rows(
    connection: &mut PgConnection,
    request: ReadRequest<'_>,
    source: Source<'_>,
    sql: Sql,
    head: Option<String>,
) -> Result<Option<Page>, ReadError> {
    let (text, depends_on_clock) =
        (source.statement(if sql.has_next_values { ROWS_AND_NEXT } else { ROWS }, &sql), sql.depends_on_clock);
    let page = read_rows(source.bound(&text, request, sql).fetch(connection), request, head).await?;
    Ok(page.map(|page| Page { may_change: depends_on_clock, ..page }))
}

async fn count(
    connection: &mut PgConnection,
    request: ReadRequest<'_>,
    source: Source<'_>,
    sql: Sql,
) -> Result<Option<Page>, ReadError> {
    let (text, depends_on_clock) = (source.statement(COUNT, &sql), sql.depends_on_clock);
    let row = source.bound(&text, request, sql).fetch_optional(connection).await?;
    let page = row.as_ref().map(read_count).transpose()?;
    Ok(page.map(|page| Page { may_change: depends_on_clock, ..page }))
}
