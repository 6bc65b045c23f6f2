//! Waiting until a read model has reached the position that its reader asks for.

use std::time::Duration;

use tokio::time::Instant;

use super::{Queries, read::ReadError};
use crate::{
    builds::{ActiveLookup, active_checkpoint},
    event_log::{Position, head},
    read_model::Identifier,
};

/// How often the checkpoint is read while another host works on the build.
const POLL: Duration = Duration::from_millis(20);

impl Queries {
    /// Waits until the active build of a projection holds the effect of every event up to a position.
    ///
    /// # Errors
    /// It does not within `timeout`, the log does not reach so far, there is no such projection, or Postgres fails.
    pub async fn wait_for(
        &self,
        projection: &Identifier,
        wanted: Position,
        timeout: Duration,
    ) -> Result<(), ReadError> {
        let deadline = Instant::now() + timeout;
        let mut committed = self.committed.clone();
        let mut is_in_log = false;
        loop {
            committed.mark_unchanged();
            let checkpoint = match active_checkpoint(&self.pool, projection).await? {
                ActiveLookup::Found(checkpoint) if checkpoint >= wanted => return Ok(()),
                ActiveLookup::Found(checkpoint) => Some(checkpoint),
                ActiveLookup::NoActiveBuild => None,
                ActiveLookup::NoProjection => return Err(ReadError::NoProjection(projection.clone())),
            };
            // Asked only by those who have to wait. No host tells a position before its event is committed.
            if !is_in_log {
                let head = head(&self.pool).await?;
                if wanted > head {
                    return Err(ReadError::BeyondHead { wanted, head });
                }
                is_in_log = true;
            }
            if Instant::now() >= deadline {
                return Err(self.not_yet(projection.clone(), checkpoint, wanted).await?);
            }
            // Commits of this host wake at once, those of other hosts are found by polling.
            tokio::select! {
                _ = committed.changed() => {}
                () = tokio::time::sleep_until(deadline.min(Instant::now() + POLL)) => {}
            }
        }
    }

    /// The error of a read model that has not come to a position. `checkpoint` is that of its active build.
    async fn not_yet(
        &self,
        projection: Identifier,
        checkpoint: Option<Position>,
        wanted: Position,
    ) -> Result<ReadError, sqlx::Error> {
        Ok(match checkpoint {
            Some(checkpoint) => {
                let stands_still = self.why_it_stands_still(&projection).await?;
                ReadError::Behind { projection, checkpoint, wanted, stands_still }
            }
            None => {
                let reason = self.why_not_ready(&projection).await?;
                ReadError::NotReady { projection, reason }
            }
        })
    }
}
