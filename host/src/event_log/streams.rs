//! The list of streams.

use std::collections::BTreeSet;

use sqlx::PgPool;

use super::{
    event::{Position, StreamVersion},
    filter::NameFilter,
    name::StreamName,
};
use crate::postgres::rows_within;

/// A stream of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSummary {
    /// The stream's name.
    pub stream: StreamName,
    /// The version of its newest event.
    pub version: StreamVersion,
    /// The position of its newest event.
    pub last_position: Position,
}

/// Every stream.
const ALL: &str =
    "SELECT stream, version, last_position FROM gnomon.streams WHERE stream > $1 ORDER BY stream LIMIT $2";

/// The streams of some categories. The names of a category lie between itself and itself followed by `.`, the byte after `-`:
/// a range of the index for each category, whether or not Postgres knows the parameters when it plans.
const OF_CATEGORIES: &str = "
    SELECT found.stream, found.version, found.last_position
    FROM unnest($3::text[]) AS category
    CROSS JOIN LATERAL (
        SELECT stream, version, last_position FROM gnomon.streams
        WHERE stream > $1 AND stream >= category AND stream < category || '.' AND split_part(stream, '-', 1) = category
        ORDER BY stream LIMIT $2
    ) AS found
    ORDER BY found.stream LIMIT $2";

/// The streams of some categories whose names come after `after` in the order of bytes.
pub(super) async fn list(
    pool: &PgPool,
    categories: &NameFilter,
    after: &str,
    limit: usize,
) -> Result<Vec<StreamSummary>, sqlx::Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let query = match categories {
        NameFilter::All => sqlx::query_as(ALL).bind(after).bind(limit),
        NameFilter::Only(names) => {
            let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            sqlx::query_as(OF_CATEGORIES).bind(after).bind(limit).bind(names.into_iter().collect::<Vec<_>>())
        }
    };
    let rows: Vec<(String, StreamVersion, Position)> = rows_within("the list of streams", query.fetch(pool)).await?;
    Ok(rows.into_iter().map(summary).collect())
}

fn summary((stream, version, last_position): (String, StreamVersion, Position)) -> StreamSummary {
    StreamSummary { stream: StreamName::trusted(stream), version, last_position }
}

#[cfg(test)]
mod tests {
    use sqlx::Row;

    use super::*;
    use crate::postgres::{migrate, test_database::TestDatabase};

    #[tokio::test]
    async fn a_category_is_a_range_of_the_index() {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        migrate(&pool).await.unwrap();
        sqlx::query(
            "INSERT INTO gnomon.streams
             SELECT 'c' || n % 200 || '-' || n, 1, n FROM generate_series(1, 20000) AS n",
        )
        .execute(&pool)
        .await
        .unwrap();
        sqlx::query("ANALYZE gnomon.streams").execute(&pool).await.unwrap();
        // As a prepared statement is planned: without its values.
        let mut connection = pool.acquire().await.unwrap();
        sqlx::query("SET plan_cache_mode = force_generic_plan").execute(&mut *connection).await.unwrap();
        let explain = format!("EXPLAIN {OF_CATEGORIES}");
        let plan = sqlx::query(&explain).bind("").bind(10_i64).bind(vec!["c7", "c8"]).fetch_all(&mut *connection);
        let plan: Vec<String> = plan.await.unwrap().iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        let condition = plan.lines().find(|line| line.contains("Index Cond")).unwrap_or_else(|| panic!("{plan}"));
        assert!(condition.contains(">= category") && condition.contains("< (category"), "{plan}");
    }
}
