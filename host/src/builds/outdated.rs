//! Builds that nobody needs any more.

use std::time::Duration;

use sqlx::PgPool;

use super::{
    build::BuildId,
    number::{BuildName, BuildNumber},
};
use crate::read_model::Identifier;

/// A build that is to be retired, because it is older than builds of its role are kept.
#[derive(Clone, Debug)]
pub(crate) struct OutdatedBuild {
    pub(crate) build: BuildId,
    pub(crate) name: BuildName,
    pub(crate) projection: Identifier,
}

/// Builds that were replaced, or made to verify another one, longer ago than `keep`.
pub(crate) async fn outdated(pool: &PgPool, keep: Duration) -> Result<Vec<OutdatedBuild>, sqlx::Error> {
    let rows: Vec<(BuildId, BuildNumber, Identifier, bool)> = sqlx::query_as(
        "SELECT build, number, projection, role = 'verifier' FROM gnomon.builds
         WHERE CASE role WHEN 'verifier' THEN created_at WHEN 'replaced' THEN replaced_at END < clock_timestamp() - $1
         ORDER BY build",
    )
    .bind(keep)
    .fetch_all(pool)
    .await?;
    let outdated = |(build, number, projection, is_verifier)| {
        let name = if is_verifier { BuildName::Verification(number) } else { BuildName::Build(number) };
        OutdatedBuild { build, name, projection }
    };
    Ok(rows.into_iter().map(outdated).collect())
}

/// Past builds that nobody has asked for in so long; and those of positions that the log does not have, since it was restored.
pub(crate) async fn outdated_past(pool: &PgPool, keep: Duration) -> Result<Vec<OutdatedBuild>, sqlx::Error> {
    let rows: Vec<(BuildId, BuildNumber, Identifier)> = sqlx::query_as(
        "SELECT build, number, projection FROM gnomon.builds CROSS JOIN gnomon.head
         WHERE stop_at IS NOT NULL AND (asked_at < clock_timestamp() - $1 OR stop_at > head.position) ORDER BY build",
    )
    .bind(keep)
    .fetch_all(pool)
    .await?;
    let outdated = |(build, number, projection)| OutdatedBuild { build, name: BuildName::Past(number), projection };
    Ok(rows.into_iter().map(outdated).collect())
}
