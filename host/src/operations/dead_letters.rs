//! Showing what a build has set aside.

use super::Operations;
use crate::{
    builds::BuildId,
    event_log::Position,
    subscriptions::{DeadLetterSummary, page},
};

impl Operations {
    /// The events that a build has set aside, in their order, behind `after`.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn dead_letters(
        &self,
        build: BuildId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<DeadLetterSummary>, sqlx::Error> {
        page(&self.pool, build.subscription(), after, limit).await
    }
}
