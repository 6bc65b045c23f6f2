//! The list of streams.

use serde::Serialize;
use sqlx::PgPool;

use super::{
    event::{Position, StreamVersion},
    name::StreamName,
};

/// A stream of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamSummary {
    /// The stream's name.
    pub stream: StreamName,
    /// The version of its newest event.
    pub version: StreamVersion,
    /// The position of its newest event.
    pub last_position: Position,
}

/// The streams whose names come after `after` in the order of bytes, of one category if one is given.
pub(super) async fn list(
    pool: &PgPool,
    category: Option<&str>,
    after: &str,
    limit: usize,
) -> Result<Vec<StreamSummary>, sqlx::Error> {
    // The names of a category are the category itself and all that begins with it and a dash. `.` is the byte behind `-`.
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT stream, version, last_position FROM gnomon.streams
         WHERE stream > $1 AND ($2::text IS NULL OR stream = $2 OR (stream >= $2 || '-' AND stream < $2 || '.'))
         ORDER BY stream LIMIT $3",
    )
    .bind(after)
    .bind(category)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(stream, version, last_position)| StreamSummary {
            stream: StreamName::trusted(stream),
            version: StreamVersion::from_sql(version),
            last_position: Position::from_sql(last_position),
        })
        .collect())
}
