//! The statements of live queries. All of one look are of one snapshot.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sqlx::{PgConnection, Row as _};

use super::{group::Read, known::FoundRow, limits::MAX_LIVE_BYTES};
use crate::{
    queries::{error::ReadError, limits::ReadLimits},
    read_model::{
        Table,
        query::{Followed, Query},
    },
};

/// Reads the whole answer to a query; and how many values its statement has.
pub(super) async fn read_all(
    connection: &mut PgConnection,
    schema: &str,
    query: &Query<'_>,
    limits: &ReadLimits,
) -> Result<(Read, usize), ReadError> {
    let is_answer = query.followed().map_err(ReadError::Query)? == Followed::ByAnswer;
    let max_rows = usize::try_from(limits.max_rows).unwrap_or(usize::MAX);
    let max_bytes = limits.max_bytes.min(MAX_LIVE_BYTES);
    // One more tells that there are more.
    let sql = query.to_live_sql(schema, limits.max_rows.saturating_add(1));
    // Safe: the SQL is made of constants and of checked names; all values of the reader are bound.
    let text = format!("/* gnomon follows */ {}", sql.text);
    let values = sql.params.len();
    let mut statement = sqlx::query(&text).persistent(false);
    for param in sql.params {
        statement = statement.bind(param);
    }
    let (mut found, mut bytes, mut answer) = (Vec::new(), 0, String::new());
    let mut rows = statement.fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let shown: &str = row.try_get(1)?;
        let key: Option<&str> = row.try_get(0)?;
        bytes += shown.len() + key.map_or(0, str::len);
        if bytes > max_bytes {
            return Err(ReadError::TooLargeToFollow { limit: "max_live_bytes", max: max_bytes as u64 });
        }
        if is_answer {
            answer.push_str(if answer.is_empty() { "[" } else { "," });
            answer.push_str(shown);
        }
        found.push((Arc::from(key.unwrap_or_default()), Arc::from(if is_answer { "" } else { shown })));
        if found.len() > max_rows {
            return Err(ReadError::TooLargeToFollow { limit: "max_rows", max: limits.max_rows });
        }
    }
    let read = match is_answer {
        true if answer.is_empty() => Read::Answer("[]".into()),
        true => Read::Answer((answer + "]").into()),
        false => Read::Rows(found),
    };
    Ok((read, values))
}

/// Reads the rows of some keys, as queries on their table show them: for each query, in its order, each row. `None` if they take too much memory.
pub(super) async fn read_changed(
    connection: &mut PgConnection,
    schema: &str,
    table: &Table,
    keys: &[Vec<String>],
    queries: &[&Query<'_>],
) -> Result<Option<Vec<Vec<FoundRow>>>, ReadError> {
    let sql = Query::to_changed_rows_sql(schema, table, queries.iter().copied());
    let text = format!("/* gnomon follows */ {}", sql.text);
    let mut statement = sqlx::query(&text).persistent(false);
    for column in 0..table.key().len() {
        let cells: Vec<&str> = keys.iter().map(|key| key.get(column).map_or("", String::as_str)).collect();
        statement = statement.bind(cells);
    }
    for param in sql.params {
        statement = statement.bind(param);
    }
    let mut found: Vec<Vec<FoundRow>> = vec![Vec::with_capacity(keys.len()); queries.len()];
    let mut bytes = 0;
    let mut rows = statement.fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let key: Arc<str> = row.try_get::<&str, _>(0)?.into();
        let mut shown: Vec<Option<String>> = row.try_get::<Option<_>, _>(1)?.unwrap_or_default();
        shown.resize(queries.len(), None);
        bytes += shown.iter().flatten().map(String::len).sum::<usize>();
        if bytes > MAX_LIVE_BYTES {
            return Ok(None);
        }
        for (found, shown) in found.iter_mut().zip(shown) {
            found.push((Arc::clone(&key), shown.map(Arc::from)));
        }
    }
    Ok(Some(found))
}
