//! How a run of a worker ends.

use std::any::Any;

use tokio::task::JoinError;

use crate::{
    builds::{BuildError, ChangeError, ReportError},
    event_log::Position,
    modules::{ChainError, LoadError},
    postgres::{gave_up_waiting, is_transient},
    runtime::BatchError,
    subscriptions::{AdvanceError, HoldError, LeaseLost},
};

/// How a run of a worker ends. A run has no other end: as long as nothing stops it, it waits for more events.
#[derive(Debug)]
pub(super) enum Stop {
    /// The supervisor asked for it: the host stops, or leaves the build to another host.
    Asked,
    /// Another host has the lease, or an operator has changed the build.
    LeaseLost,
    /// No commit may pass this position for now. The next run ends exactly there and waits.
    Barrier(Position),
    /// A failure that passes, in words. The next run may succeed.
    Interrupted(String),
    /// Somebody else holds a lock on the build's tables, in words. The next run may get it.
    Locked(String),
    /// A past build has come to its position, and there is nothing more to do.
    Finished,
    /// The code of this host panicked, with this message.
    Panicked(String),
    /// The build halts: its module cannot handle an event, or too many events are set aside.
    Halted(BuildError),
    /// The build fails, for a reason that is not transient and not its module's fault.
    Failed(BuildError),
}

impl Stop {
    /// The end of a run by an error of the host.
    fn by(error: &dyn std::error::Error, passes: bool) -> Self {
        let message = error.to_string();
        if passes { Self::Interrupted(message) } else { Self::Failed(BuildError::Host { message }) }
    }

    /// Its name among the measures.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::LeaseLost => "lease_lost",
            Self::Barrier(_) => "barrier",
            Self::Interrupted(_) => "interrupted",
            Self::Locked(_) => "locked",
            Self::Finished => "finished",
            Self::Panicked(_) => "panicked",
            Self::Halted(_) => "halted",
            Self::Failed(_) => "failed",
        }
    }

    /// The end of a run by a panic, from its payload.
    pub(super) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let message = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        Self::Panicked(message.unwrap_or("a payload that is not text").to_owned())
    }
}

impl From<LeaseLost> for Stop {
    fn from(_: LeaseLost) -> Self {
        Self::LeaseLost
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        if gave_up_waiting(&error) { Self::Locked(error.to_string()) } else { Self::by(&error, is_transient(&error)) }
    }
}

impl From<HoldError> for Stop {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::LeaseLost(lost) => lost.into(),
            HoldError::Postgres(error) => error.into(),
        }
    }
}

impl From<AdvanceError> for Stop {
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::LeaseLost(lost) => lost.into(),
            AdvanceError::Barrier(at) => Self::Barrier(at),
            AdvanceError::Postgres(error) => error.into(),
        }
    }
}

impl From<ReportError> for Stop {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::LeaseLost(lost) => lost.into(),
            ReportError::Change(ChangeError::Postgres(error)) => error.into(),
            // An operator has changed the build, which takes the lease away.
            ReportError::Change(ChangeError::Refused { .. } | ChangeError::NoProjection(_)) => Self::LeaseLost,
            // A report changes no view.
            ReportError::Change(error @ ChangeError::ViewInUse(_)) => Self::by(&error, false),
            ReportError::Change(ChangeError::Blocked(blocked)) => Self::Locked(blocked.to_string()),
        }
    }
}

impl From<LoadError> for Stop {
    fn from(error: LoadError) -> Self {
        Self::by(&error, error.is_transient())
    }
}

impl From<ChainError> for Stop {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Load(error) => error.into(),
            ChainError::Busy | ChainError::Interrupted => Self::by(&error, true),
            _ => Self::by(&error, false),
        }
    }
}

impl From<BatchError> for Stop {
    fn from(error: BatchError) -> Self {
        let passes = match &error {
            // Rows are read from Postgres, so any other error is one of a connection.
            BatchError::Rows(rows) => match rows.downcast_ref::<sqlx::Error>() {
                Some(rows) if gave_up_waiting(rows) => return Self::Locked(rows.to_string()),
                rows => rows.is_none_or(is_transient),
            },
            // An instance can be made once another one is dropped, and gets its memory.
            BatchError::Instance(_) | BatchError::Memory(_) | BatchError::Module(_) => true,
        };
        Self::by(&error, passes)
    }
}

/// The end of a task of the run.
impl From<JoinError> for Stop {
    fn from(error: JoinError) -> Self {
        match error.try_into_panic() {
            Ok(payload) => Self::panicked(&*payload),
            Err(error) => Self::Interrupted(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_fails_the_build() {
        assert!(matches!(Stop::from(sqlx::Error::PoolTimedOut), Stop::Interrupted(_)));
        assert!(matches!(Stop::from(sqlx::Error::RowNotFound), Stop::Failed(BuildError::Host { .. })));
        assert!(matches!(Stop::from(AdvanceError::Barrier(Position(9))), Stop::Barrier(Position(9))));
        assert!(matches!(Stop::from(BatchError::Instance("no memory".to_owned())), Stop::Interrupted(_)));
    }

    #[tokio::test]
    async fn a_panic_of_a_task_keeps_its_message() {
        for (payload, message) in [
            (Box::new("a bug") as Box<dyn Any + Send>, "a bug"),
            (Box::new("a bug at 7".to_owned()), "a bug at 7"),
            (Box::new(7), "a payload that is not text"),
        ] {
            let error = tokio::spawn(async move { std::panic::resume_unwind(payload) }).await.unwrap_err();
            let Stop::Panicked(found) = Stop::from(error) else { panic!("{message}") };
            assert_eq!(found, message);
        }
    }
}
