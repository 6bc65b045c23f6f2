//! Listing the dead letters of a build.

use super::{Operations, error::OperateError};
use crate::{
    builds::{BuildNumber, ChangeError, DefaultBuild, of_projection, pick},
    event_log::Position,
    read_model::Identifier,
    subscriptions::{DeadLetterSummary, count_dead_letters, dead_letter_page},
};

/// Dead letters of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetters {
    /// The build.
    pub build: BuildNumber,
    /// The first of them, by position.
    pub letters: Vec<DeadLetterSummary>,
    /// How many the build has in all.
    pub total: u64,
}

impl Operations {
    /// The first `limit` dead letters of a build behind `after`, by position. If no build is named, it is the active one, or the
    /// newest.
    ///
    /// # Errors
    /// There is no such build, or Postgres fails.
    pub async fn dead_letters(
        &self,
        name: &Identifier,
        build: Option<BuildNumber>,
        after: Position,
        limit: usize,
    ) -> Result<DeadLetters, OperateError> {
        let builds = of_projection(&self.pool, name).await?;
        let builds = builds.ok_or_else(|| ChangeError::NoProjection(name.clone()))?;
        let build = pick(name, &builds, build, DefaultBuild::ActiveOrNewest)?;
        let letters = dead_letter_page(&self.pool, build.id.subscription(), after, limit).await?;
        let total = count_dead_letters(&mut *self.pool.acquire().await?, build.id.subscription()).await?;
        Ok(DeadLetters { build: build.number, letters, total })
    }
}
