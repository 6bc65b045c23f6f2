//! What happens at an event that a module cannot handle.

use serde::{Deserialize, Serialize};

use super::{
    Projector,
    history::Change,
    operation::{OperateError, Operation},
};
use crate::read_model::Identifier;

/// What happens at an event that a module cannot handle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// The build stops there.
    #[default]
    Halt,
    /// The event is set aside.
    Skip,
    /// The event is set aside, and all later ones of its stream wait behind it.
    Park,
}

impl OnFailure {
    pub(super) fn from_sql(text: &str) -> Self {
        match text {
            "skip" => Self::Skip,
            "park" => Self::Park,
            _ => Self::Halt,
        }
    }

    /// As users write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Halt => "halt",
            Self::Skip => "skip",
            Self::Park => "park",
        }
    }
}

impl Projector {
    /// Changes what happens at events that a projection's module cannot handle. It holds from the next batch on, for all
    /// builds; a build that is halted stays so until it is retried.
    ///
    /// # Errors
    /// There is no such projection, or Postgres fails.
    pub async fn set_on_failure(&self, name: &Identifier, on_failure: OnFailure) -> Result<(), OperateError> {
        let mut operation = Operation::begin(&self.shared, name).await?;
        sqlx::query("UPDATE gnomon.projections SET on_failure = $2 WHERE name = $1")
            .bind(name.as_str())
            .bind(on_failure.as_str())
            .execute(operation.connection())
            .await?;
        operation.take_over_all().await?;
        let cause = format!("on_failure was set to {}", on_failure.as_str());
        operation.note(None, Change::Configured, &cause).await?;
        operation.commit().await
    }
}
