//! Stopping a build for a while, and letting it go on.

use super::{
    BuildId, Projector,
    build::Status,
    history::Change,
    operation::{OperateError, Operation, set_status},
};
use crate::read_model::Identifier;

impl Projector {
    /// Stops a build, the active one if none is named: when this returns, nothing more is written to it. Queries go on reading
    /// what it holds.
    ///
    /// # Errors
    /// There is no such build, it is not running, or Postgres fails.
    pub async fn pause(&self, name: &Identifier, build: Option<BuildId>) -> Result<BuildId, OperateError> {
        let mut operation = Operation::begin(&self.shared, name).await?;
        let found = operation.build_or_active(build).await?;
        match found.status {
            Status::Running => {}
            Status::Paused => return Ok(found.build),
            _ => return Err(operation.wrong_state(&found, "only a build that runs can be paused")),
        }
        operation.take_over(&[found.build]).await?;
        set_status(operation.connection(), found.build, Status::Paused).await?;
        operation.note(Some(found.build), Change::Paused, "an operator paused it").await?;
        operation.commit().await?;
        Ok(found.build)
    }

    /// Lets a build go on that was paused, the active one if none is named.
    ///
    /// # Errors
    /// There is no such build, it stopped for another reason, or Postgres fails.
    pub async fn resume(&self, name: &Identifier, build: Option<BuildId>) -> Result<BuildId, OperateError> {
        let mut operation = Operation::begin(&self.shared, name).await?;
        let found = operation.build_or_active(build).await?;
        match found.status {
            Status::Paused => {}
            Status::Running => return Ok(found.build),
            Status::Halted | Status::Failed => {
                return Err(
                    operation.wrong_state(&found, "it was not paused; retry it, or deploy a version that works")
                );
            }
            Status::Retired => return Err(operation.wrong_state(&found, "its tables are gone; rebuild the projection")),
        }
        set_status(operation.connection(), found.build, Status::Running).await?;
        operation.note(Some(found.build), Change::Resumed, "an operator resumed it").await?;
        operation.commit().await?;
        Ok(found.build)
    }
}
