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
            let not_yet = match active_checkpoint(&self.pool, projection).await? {
                ActiveLookup::Found(checkpoint) if checkpoint >= wanted => return Ok(()),
                ActiveLookup::Found(checkpoint) => {
                    ReadError::Behind { projection: projection.clone(), checkpoint, wanted }
                }
                ActiveLookup::NoActiveBuild => ReadError::NotReady(projection.clone()),
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
                return Err(not_yet);
            }
            // Commits of this host wake at once, those of other hosts are found by polling.
            tokio::select! {
                _ = committed.changed() => {}
                () = tokio::time::sleep_until(deadline.min(Instant::now() + POLL)) => {}
            }
        }
    }
}
