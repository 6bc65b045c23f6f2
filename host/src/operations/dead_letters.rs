//! Listing the dead letters of a build.

use super::Operations;
use crate::{
    builds::BuildId,
    event_log::Position,
    subscriptions::{DeadLetterSummary, dead_letter_page},
};

impl Operations {
    /// The first `limit` dead letters of a build behind `after`, by position.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn dead_letters(
        &self,
        build: BuildId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<DeadLetterSummary>, sqlx::Error> {
        dead_letter_page(&self.pool, build.subscription(), after, limit).await
    }
}
