//! Trying again what failed.

use std::{collections::HashSet, sync::Arc};

use tracing::info;

use super::{
    BuildId, Projector,
    build::Status,
    commit::{Effect, Step, commit},
    dead_letters,
    fold::Folder,
    history::Change,
    operation::{OperateError, Operation, set_status},
    policy::OnFailure,
    store,
    worker::{WorkError, Worker},
};
use crate::{
    event_log::Position,
    read_model::{Identifier, TableSet},
    runtime::Delivery,
};

/// Dead letters that are tried again at once.
const PORTION: usize = 500;

impl Projector {
    /// Tries again what failed, in the active build if none is named: a build that is halted or failed goes on at the event
    /// where it stopped; events that were set aside are folded in their order, and set aside again if they still fail.
    ///
    /// # Errors
    /// There is no such build, it is paused or retired, or Postgres fails.
    pub async fn retry(&self, name: &Identifier, build: Option<BuildId>) -> Result<BuildId, OperateError> {
        let mut operation = Operation::begin(&self.shared, name).await?;
        let found = operation.build_or_active(build).await?;
        match found.status {
            Status::Running | Status::Halted | Status::Failed => {}
            Status::Paused => return Err(operation.wrong_state(&found, "resume it first")),
            Status::Retired => return Err(operation.wrong_state(&found, "its tables are gone; rebuild the projection")),
        }
        operation.take_over(&[found.build]).await?;
        set_status(operation.connection(), found.build, Status::Running).await?;
        sqlx::query("UPDATE gnomon.builds SET retrying = true WHERE build = $1")
            .bind(found.build.0)
            .execute(operation.connection())
            .await?;
        operation.note(Some(found.build), Change::Retried, "an operator asked for it").await?;
        operation.commit().await?;
        Ok(found.build)
    }
}

impl Worker {
    /// Folds the events that were set aside, in their order, over the rows as they are. Those that still fail, and later ones
    /// of a parked stream, stay set aside.
    pub(super) async fn redeliver(
        &self,
        mut folder: Folder,
        tables: &Arc<TableSet>,
        checkpoint: Position,
    ) -> Result<Folder, WorkError> {
        let (pool, build) = (&self.shared.pool, self.job.build);
        let (mut after, mut tried, mut left) = (Position(0), 0, 0);
        // What was set aside once is not halted at; but nothing of its stream overtakes it.
        let on_failure = self.job.on_failure;
        folder.on_failure(if on_failure == OnFailure::Halt { OnFailure::Park } else { on_failure });
        folder.park(HashSet::new());
        loop {
            let positions = dead_letters::positions(pool, build, after, PORTION).await?;
            let Some(last) = positions.last() else { break };
            after = *last;
            let events = self.shared.log.read_at(&positions).await?;
            let events: Vec<Delivery> = events.into_iter().map(Delivery::from).collect();
            let (back, folded) = tokio::task::spawn_blocking(move || {
                let folded = folder.fold(events, &[]);
                (folder, folded)
            })
            .await
            .map_err(|_| WorkError::Lost)?;
            folder = back;
            let folded = folded.map_err(WorkError::Host)?;
            let step = Step {
                from: checkpoint,
                to: checkpoint,
                events_per_second: 0.0,
                replayable: false,
                max_dead_letters: self.shared.settings.max_dead_letters,
            };
            let effect = Effect { writes: &folded.writes, taken_back: &positions, set_aside: &folded.set_aside };
            commit(pool, self.lease, tables, &step, &effect).await?;
            folded.set_aside.iter().for_each(|letter| self.tell_set_aside(letter));
            tried += positions.len();
            left += folded.set_aside.len();
        }
        store::set_retried(pool, build).await?;
        folder.on_failure(on_failure);
        if tried > 0 {
            info!(%build, projection = %self.job.projection, tried, left, "events that were set aside were tried again");
        }
        Ok(folder)
    }
}
