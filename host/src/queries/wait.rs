//! Waiting until a read model is where its reader wants it to be.

use std::time::Duration;

use tokio::time::Instant;

use super::{Queries, read::ReadError};
use crate::{builds::active_checkpoint, event_log::Position, read_model::Identifier};

/// How often a reader that waits looks at a build that another host works on.
const POLL: Duration = Duration::from_millis(20);

impl Queries {
    /// Waits until the active build of a projection holds the effect of every event up to a position.
    ///
    /// # Errors
    /// It does not within `timeout`, there is no such build, or Postgres fails.
    pub async fn wait_for(
        &self,
        projection: &Identifier,
        wanted: Position,
        timeout: Duration,
    ) -> Result<(), ReadError> {
        let deadline = Instant::now() + timeout;
        let mut committed = self.committed.clone();
        loop {
            committed.mark_unchanged();
            let checkpoint = active_checkpoint(&self.pool, projection).await?;
            let checkpoint = checkpoint.ok_or_else(|| ReadError::NoProjection(projection.clone()))?;
            if checkpoint.is_some_and(|checkpoint| checkpoint >= wanted) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(match checkpoint {
                    Some(checkpoint) => ReadError::Behind { projection: projection.clone(), checkpoint, wanted },
                    None => ReadError::NotReady(projection.clone()),
                });
            }
            // This host's own commits wake at once, those of others are found by looking.
            tokio::select! {
                _ = committed.changed() => {}
                () = tokio::time::sleep_until(deadline.min(Instant::now() + POLL)) => {}
            }
        }
    }
}
