//! Showing projections, their builds, and their history.

use super::Operations;
use crate::{
    builds::{HistoryEntry, ProjectionSummary, RetiredBuilds, history, summaries},
    read_model::Identifier,
};

impl Operations {
    /// Every projection with its builds, by name.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn projections(&self, retired: RetiredBuilds) -> Result<Vec<ProjectionSummary>, sqlx::Error> {
        summaries(&self.pool, None, retired).await
    }

    /// The projection of this name.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn projection(
        &self,
        name: &Identifier,
        retired: RetiredBuilds,
    ) -> Result<Option<ProjectionSummary>, sqlx::Error> {
        Ok(summaries(&self.pool, Some(name), retired).await?.pop())
    }

    /// The newest `limit` entries of a projection's history before entry `before`, newest first. Empty if there never was such a
    /// projection.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn history(
        &self,
        name: &Identifier,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<HistoryEntry>, sqlx::Error> {
        history(&self.pool, name, before, limit).await
    }
}
