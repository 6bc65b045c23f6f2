//! Builds that were begun before an instant.

use gnomon_values::Instant;
use sqlx::PgExecutor;

use super::build::BuildId;
use crate::{postgres::PgTimestamp, read_model::Identifier};

/// The builds with tables, past builds and verifications among them, that were begun before an instant, each with its projection; those of one projection if it is
/// named.
pub(crate) async fn begun_before(
    connection: impl PgExecutor<'_>,
    instant: Instant,
    projection: Option<&Identifier>,
) -> Result<Vec<(Identifier, BuildId)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT projection, build FROM gnomon.builds
         WHERE role IS NOT NULL AND created_at < $1 AND ($2::text IS NULL OR projection = $2) ORDER BY projection, build",
    )
    .bind(PgTimestamp(instant.0))
    .bind(projection)
    .fetch_all(connection)
    .await
}

/// Removes the notes of the rows that commits of these builds have changed.
pub(crate) async fn remove_row_changes(connection: impl PgExecutor<'_>, builds: &[BuildId]) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM gnomon.row_changes WHERE build = ANY ($1)")
        .bind(builds)
        .execute(connection)
        .await
        .map(drop)
}
