//! The statements of a query.

use std::sync::Arc;

use sqlx::{Connection as _, PgConnection};

use super::{
    Queries,
    error::ReadError,
    page::{COUNT, Page, ROWS, ROWS_AND_NEXT, read_count, read_rows},
    plan::{expected_rows, plan},
    request::{Count, ReadRequest},
    running,
    slots::Slot,
    zone::set_zone,
};
use crate::{
    builds::ActiveBuild,
    read_model::query::{Query, Rendering, Shape, Sql, Total, csv_header},
};

/// The bytes of a statement that stays prepared, at most.
const MAX_PREPARED: usize = 4096;
/// The placeholders before those of the query.
const PLACEHOLDERS: usize = 2;

impl Queries {
    /// Runs a query on a build. Returns `None` if the build is not active any more.
    pub(super) async fn run(
        &self,
        request: ReadRequest<'_>,
        active: &ActiveBuild,
        query: &Query<'_>,
        slot: &Arc<Slot>,
    ) -> Result<Option<Page>, ReadError> {
        let mut running = running::begin(&self.sessions, &self.pool, slot).await?;
        let connection = running.connection();
        let page = match request.zone {
            None => read(connection, request, active, query).await,
            Some(zone) => read_in_zone(connection, zone, request, active, query).await,
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
    active: &ActiveBuild,
    query: &Query<'_>,
) -> Result<Option<Page>, ReadError> {
    let mut transaction = connection.begin().await?;
    set_zone(&mut transaction, zone).await?;
    let page = read(&mut transaction, request, active, query).await;
    if matches!(page, Ok(_) | Err(ReadError::Postgres(_))) {
        // The zone ends with it. Where Postgres has failed already, that is the error to tell.
        let ended = transaction.rollback().await;
        if page.is_ok() {
            ended?;
        }
    }
    page
}

async fn read(
    connection: &mut PgConnection,
    request: ReadRequest<'_>,
    active: &ActiveBuild,
    query: &Query<'_>,
) -> Result<Option<Page>, ReadError> {
    let ReadRequest { shape, limits, .. } = request;
    let rendering = Rendering {
        schema: active.tables.schema().as_str(),
        shape,
        total: match request.count {
            Count::Uncounted | Count::Planned => Total::Uncounted,
            Count::Exact => Total::Exact,
            // One more tells that there are more.
            Count::Estimated => Total::UpTo(limits.max_rows.saturating_add(1)),
        },
        max_rows: Some(limits.max_rows),
        max_row_bytes: Some(limits.max_bytes as u64),
        next_values: query.can_continue(),
        first_placeholder: PLACEHOLDERS + 1,
    };
    if let Some(explain) = request.plan {
        let sql = query.to_sql(&Rendering { first_placeholder: 1, next_values: false, ..rendering });
        return plan(connection, explain, request, active, sql).await;
    }
    let Some(mut page) = (match request.without_rows {
        true => count(connection, request, active, query.to_counting_sql(&rendering)).await?,
        false => {
            let sql = query.to_sql(&rendering);
            let head = (shape == Shape::Csv).then(|| csv_header(sql.names.iter().map(String::as_str)));
            rows(connection, request, active, sql, head).await?
        }
    }) else {
        return Ok(None);
    };
    let is_planned = match request.count {
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
    active: &ActiveBuild,
    sql: Sql,
    head: Option<String>,
) -> Result<Option<Page>, ReadError> {
    let (text, depends_on_clock) =
        (statement(if sql.has_next_values { ROWS_AND_NEXT } else { ROWS }, &sql), sql.depends_on_clock);
    let page = read_rows(bound(&text, request, active, sql).fetch(connection), request, head).await?;
    Ok(page.map(|page| Page { may_change: depends_on_clock, ..page }))
}

async fn count(
    connection: &mut PgConnection,
    request: ReadRequest<'_>,
    active: &ActiveBuild,
    sql: Sql,
) -> Result<Option<Page>, ReadError> {
    let (text, depends_on_clock) = (statement(COUNT, &sql), sql.depends_on_clock);
    let row = bound(&text, request, active, sql).fetch_optional(connection).await?;
    let page = row.as_ref().map(read_count).transpose()?;
    Ok(page.map(|page| Page { may_change: depends_on_clock, ..page }))
}

/// One statement reads which build is active, its checkpoint, its contents and its rows, in one snapshot: rows of a build that is no longer active
/// are never returned, and position and contents are exactly those of the rows.
fn statement(columns: &str, sql: &Sql) -> String {
    format!(
        "/* gnomon reads */ SELECT {columns}
             FROM gnomon.builds AS build
             JOIN gnomon.subscriptions ON subscription = build.build
             CROSS JOIN ({}) AS answer
             WHERE build.projection = $1 AND build.build = $2 AND role = 'active'",
        sql.text
    )
}

/// Safe: the SQL is made of constants and of checked names; all values of the reader are bound.
fn bound<'q>(
    text: &'q str,
    request: ReadRequest<'q>,
    active: &'q ActiveBuild,
    sql: Sql,
) -> sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
    let mut statement = sqlx::query(text).persistent(sql.can_be_prepared && text.len() <= MAX_PREPARED);
    statement = statement.bind(request.projection).bind(active.build);
    for param in sql.params {
        statement = statement.bind(param);
    }
    statement
}
