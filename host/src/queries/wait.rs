//! Waiting until a read model has reached the position that its reader asks for.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{
    Queries,
    error::ReadError,
    look::{Seen, look_alone},
    read::Answer,
    request::ReadRequest,
};
use crate::{
    builds::{ActiveLookup, notify_awaited},
    event_log::Position,
    read_model::Identifier,
};

/// How long the commits of this host's workers are waited for, before Postgres is asked.
const WORKERS_HERE: Duration = Duration::from_millis(20);
/// How often the rows are read again because the active build has changed to one that has not come so far.
const TRIES: usize = 5;

impl Queries {
    /// Answers a query from rows that hold the effect of every event up to a position, at least.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), and those of [`wait_for`](Self::wait_for), if the position is not reached within `wait`.
    pub async fn read_from(
        &self,
        request: ReadRequest<'_>,
        wanted: Position,
        wait: Duration,
    ) -> Result<Answer, ReadError> {
        let deadline = Instant::now() + wait;
        let mut is_told = self.told_by_workers(request.projection, wanted, deadline).await;
        for _ in 0..TRIES {
            if !is_told {
                let left = deadline.saturating_duration_since(Instant::now());
                self.wait_for(request.projection, wanted, left).await?;
            }
            let answer = self.read(request).await?;
            // Otherwise another build has become the active one, and its checkpoint is that of these rows.
            if answer.position >= wanted {
                return Ok(answer);
            }
            is_told = false;
        }
        let reason = "its active build changes all the time; try again".to_owned();
        Err(ReadError::NotReady { projection: request.projection.clone(), reason })
    }

    /// Whether a worker of this host says soon that it has brought the build that is remembered as the active one to a position. Nothing
    /// is asked of Postgres, so whoever reads has to see for itself.
    async fn told_by_workers(&self, projection: &Identifier, wanted: Position, deadline: Instant) -> bool {
        let Some(active) = self.active_builds.remembered(projection) else { return false };
        let mut committed = self.committed.clone();
        let checkpoint = committed.borrow().checkpoint(active.build);
        match checkpoint {
            // Another host works on it, or nobody.
            None => return false,
            Some(checkpoint) if checkpoint >= wanted => return true,
            Some(_) => self.await_here(wanted),
        }
        let reached = committed.wait_for(|commits| commits.checkpoint(active.build).is_none_or(|at| at >= wanted));
        match timeout_at(deadline.min(Instant::now() + WORKERS_HERE), reached).await {
            Ok(Ok(commits)) => commits.checkpoint(active.build).is_some(),
            Ok(Err(_)) | Err(_) => false,
        }
    }

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
        let mut waiter = self.looks.wait(projection);
        // There is one look, however short the time is.
        let mut looked = waiter.next().await;
        let mut looks = 0_u32;
        loop {
            looks = looks.saturating_add(1);
            let Seen { active, log } = match looked {
                Some(seen) => seen,
                // Its own error says why.
                None => look_alone(&self.pool, projection).await?,
            };
            let checkpoint = match active {
                ActiveLookup::Found(build) if build.checkpoint >= wanted => return Ok(()),
                ActiveLookup::Found(build) => Some(build.checkpoint),
                ActiveLookup::NoActiveBuild => None,
                ActiveLookup::NoProjection => return Err(ReadError::NoProjection(projection.clone())),
            };
            // No host tells a position before its event is committed.
            if wanted > log.head {
                return Err(ReadError::BeyondHead { wanted, head: log.head });
            }
            // The build may have passed over the event, which means nothing to it, without a commit.
            if looks == 1 {
                self.await_here(wanted);
            } else if looks == 2 {
                // Perhaps another host works on it. If it is not told, it commits in its own time.
                let _ = timeout_at(deadline, notify_awaited(&self.pool, wanted)).await;
            }
            looked = match timeout_at(deadline, waiter.next()).await {
                Ok(looked) => looked,
                Err(_) => return Err(self.not_yet(projection.clone(), checkpoint, wanted).await?),
            };
        }
    }

    /// Tells the workers of this host that somebody waits for a position.
    fn await_here(&self, wanted: Position) {
        self.awaited.send_if_modified(|awaited| {
            let is_later = wanted > *awaited;
            *awaited = wanted.max(*awaited);
            is_later
        });
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
