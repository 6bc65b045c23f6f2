//! How Postgres would read the rows of a query, or has read them.

use futures_util::TryStreamExt;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{
    body::BodyWriter, contents::Contents, error::ReadError, explain::Explain, page::Page, request::ReadRequest,
};
use crate::{builds::ActiveBuild, event_log::Position, read_model::query::Sql};

/// Reads the plan of a statement. Returns `None` if the build is not active any more.
pub(super) async fn plan(
    connection: &mut PgConnection,
    explain: Explain,
    request: ReadRequest<'_>,
    active: &ActiveBuild,
    sql: Sql,
) -> Result<Option<Page>, ReadError> {
    let seen: Option<(Position, Uuid)> = sqlx::query_as(
        "SELECT checkpoint, contents FROM gnomon.builds AS build
         JOIN gnomon.subscriptions ON subscription = build.build
         WHERE build.projection = $1 AND build.build = $2 AND (role = 'active' OR work = 'finished')",
    )
    .bind(request.projection)
    .bind(active.build)
    .fetch_optional(&mut *connection)
    .await?;
    let Some((checkpoint, contents)) = seen else { return Ok(None) };
    // Safe, as in `run`: the SQL is made of constants and of checked names; all values of the reader are bound.
    let text = format!("/* gnomon reads */ {} {}", explain.sql(), sql.text);
    let mut statement = sqlx::query(&text).persistent(false);
    for param in sql.params {
        statement = statement.bind(param);
    }
    let max = request.limits.max_bytes;
    let mut body = BodyWriter::new(&request.limits.budget);
    let mut lines = statement.fetch(connection);
    while let Some(line) = lines.try_next().await? {
        // It is `text` or `json`, which are sent alike.
        let line = line.try_get_unchecked::<&str, _>(0)?;
        if body.bytes() + line.len() + 1 > max {
            return Err(ReadError::TooLarge { max, rows: 0 });
        }
        body.write(line).await?;
        body.write("\n").await?;
    }
    let body = body.finish();
    Ok(Some(Page {
        checkpoint,
        contents: Contents(contents),
        body,
        rows: 0,
        total: None,
        next_values: None,
        may_change: true,
    }))
}

/// How many rows Postgres expects a statement to have.
pub(super) async fn expected_rows(connection: &mut PgConnection, sql: Sql) -> Result<i64, sqlx::Error> {
    let text = format!("/* gnomon reads */ EXPLAIN (FORMAT JSON) {}", sql.text);
    let mut statement = sqlx::query(&text).persistent(false);
    for param in sql.params {
        statement = statement.bind(param);
    }
    let row = statement.fetch_one(connection).await?;
    let plan = row.try_get_unchecked::<&str, _>(0)?;
    rows_of(plan)
        .ok_or_else(|| sqlx::Error::Protocol("the plan of a statement does not say how many rows it has".into()))
}

fn rows_of(plan: &str) -> Option<i64> {
    let plan: serde_json::Value = serde_json::from_str(plan).ok()?;
    let rows = plan.get(0)?.get("Plan")?.get("Plan Rows")?;
    // Beyond the range of the type, it is the largest one.
    rows.as_i64().or_else(|| rows.as_f64().map(|rows| rows as i64)).map(|rows| rows.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_those_of_the_outermost_node() {
        for (rows, expected) in
            [("17", Some(17)), ("0", Some(0)), ("1e30", Some(i64::MAX)), ("-1", Some(0)), ("\"x\"", None)]
        {
            let plan = format!(
                r#"[{{"Plan": {{"Node Type": "Limit", "Plan Rows": {rows}, "Plans": [{{"Plan Rows": 3}}]}}}}]"#
            );
            assert_eq!(rows_of(&plan), expected, "{rows}");
        }
        for plan in ["", "[]", "{}", r#"[{"Plan": {}}]"#] {
            assert_eq!(rows_of(plan), None, "{plan}");
        }
    }
}
