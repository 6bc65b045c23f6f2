//! Pausing and resuming a reactor, and changing what happens at events that its module cannot handle.

use crate::{
    operations::{Operations, error::OperateError},
    reactors::{self, Event},
    read_model::Identifier,
    subscriptions::OnFailure,
};

impl Operations {
    /// Pauses a reactor. When this returns, it does nothing more until it is resumed.
    ///
    /// # Errors
    /// There is no such reactor, it is not running, or Postgres fails.
    pub async fn pause_reactor(&self, name: &Identifier) -> Result<(), OperateError> {
        self.change_reactor(name, Event::Paused, "an operator paused it").await
    }

    /// Resumes a paused reactor.
    ///
    /// # Errors
    /// There is no such reactor, it stopped for another reason, or Postgres fails.
    pub async fn resume_reactor(&self, name: &Identifier) -> Result<(), OperateError> {
        self.change_reactor(name, Event::Resumed, "an operator resumed it").await
    }

    /// Changes what happens at events that a reactor's module cannot handle. It applies from the next batch on; a halted reactor stays halted
    /// until it is retried.
    ///
    /// # Errors
    /// There is no such reactor, or Postgres fails.
    pub async fn set_reactor_on_failure(&self, name: &Identifier, on_failure: OnFailure) -> Result<(), OperateError> {
        let (mut transaction, locks) = self.begin().await?;
        let changed = locks.explain(async {
            reactors::set_on_failure(&mut transaction, name, on_failure).await?;
            Ok::<_, OperateError>(transaction.commit().await?)
        });
        changed.await?;
        self.reactors_changed.notify_one();
        Ok(())
    }

    async fn change_reactor(&self, name: &Identifier, event: Event, cause: &str) -> Result<(), OperateError> {
        let (mut transaction, locks) = self.begin().await?;
        let changed = locks.explain(async {
            reactors::change(&mut transaction, name, event, cause).await?;
            Ok::<_, OperateError>(transaction.commit().await?)
        });
        changed.await?;
        self.reactors_changed.notify_one();
        Ok(())
    }
}
