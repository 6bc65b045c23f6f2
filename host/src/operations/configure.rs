//! Changing what happens at events that a module cannot handle.

use super::{Operations, error::OperateError};
use crate::{builds::Changes, read_model::Identifier, subscriptions::OnFailure};

impl Operations {
    /// Changes what happens at events that a projection's module cannot handle. It applies from the next batch on, to all builds;
    /// a halted build stays halted until it is retried.
    ///
    /// # Errors
    /// There is no such projection, or Postgres fails.
    pub async fn set_on_failure(&self, name: &Identifier, on_failure: OnFailure) -> Result<(), OperateError> {
        let (transaction, locks) = self.begin().await?;
        let changed = locks.explain(async {
            let mut changes = Changes::within(transaction, name).await?;
            changes.set_on_failure(on_failure).await?;
            Ok(changes.commit().await?)
        });
        changed.await
    }
}
