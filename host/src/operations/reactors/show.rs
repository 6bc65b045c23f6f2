//! Showing reactors and their dead letters.

use crate::{
    event_log::Position,
    operations::{Operations, error::OperateError},
    reactors::{self, ChangeError, HistoryEntry, ReactorSummary},
    read_model::Identifier,
    subscriptions::{DeadLetterSummary, count_dead_letters, dead_letter_page},
};

/// Dead letters of a reactor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactorDeadLetters {
    /// The first of them, by position.
    pub letters: Vec<DeadLetterSummary>,
    /// How many the reactor has in all.
    pub total: u64,
}

impl Operations {
    /// Every reactor, by name.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn reactors(&self) -> Result<Vec<ReactorSummary>, sqlx::Error> {
        reactors::summaries(&self.pool, None).await
    }

    /// The reactor of this name.
    ///
    /// # Errors
    /// There is none, or Postgres fails.
    pub async fn reactor(&self, name: &Identifier) -> Result<ReactorSummary, OperateError> {
        let found = reactors::summaries(&self.pool, Some(name)).await?.pop();
        Ok(found.ok_or_else(|| ChangeError::NoReactor(name.clone()))?)
    }

    /// The newest `limit` entries of a reactor's history before entry `before`, newest first. Empty if there never was such a reactor.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn reactor_history(
        &self,
        name: &Identifier,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<HistoryEntry>, sqlx::Error> {
        reactors::history(&self.pool, name, before, limit).await
    }

    /// The first `limit` dead letters of a reactor behind `after`, by position.
    ///
    /// # Errors
    /// There is no such reactor, or Postgres fails.
    pub async fn reactor_dead_letters(
        &self,
        name: &Identifier,
        after: Position,
        limit: usize,
    ) -> Result<ReactorDeadLetters, OperateError> {
        let found = reactors::get(&self.pool, name).await?;
        let subscription = found.ok_or_else(|| ChangeError::NoReactor(name.clone()))?.id.subscription();
        let letters = dead_letter_page(&self.pool, subscription, after, limit).await?;
        let total = count_dead_letters(&mut *self.pool.acquire().await?, subscription).await?;
        Ok(ReactorDeadLetters { letters, total })
    }
}
