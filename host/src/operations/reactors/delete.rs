//! Deleting a reactor.

use crate::{
    operations::{Operations, error::OperateError},
    reactors,
    read_model::Identifier,
};

impl Operations {
    /// Deletes a reactor with its rows, its schedules and its dead letters. Its module stays, and so does what it has appended; messages that wait in
    /// the outbox are sent.
    ///
    /// # Errors
    /// There is no such reactor, or Postgres fails.
    pub async fn delete_reactor(&self, name: &Identifier) -> Result<(), OperateError> {
        let (mut transaction, locks) = self.begin().await?;
        let deleted = locks.explain(async {
            reactors::delete(&mut transaction, name).await?;
            Ok::<_, OperateError>(transaction.commit().await?)
        });
        deleted.await
    }
}
