//! How a run of a worker ends.

use std::any::Any;

use tokio::task::JoinError;

use crate::{
    event_log::AppendWithinError,
    modules::{ChainError, LoadError},
    postgres::is_transient,
    reactors::{OwnEventError, ReportError},
    runtime::BatchError,
    subscriptions::{AdvanceError, HoldError, LeaseLost, StopError},
};

/// How a run of a worker ends. A run has no other end: as long as nothing stops it, it waits for more events.
#[derive(Debug)]
pub(super) enum Stop {
    /// The supervisor asked for it: the host stops, or leaves the reactor to another host.
    Asked,
    /// Another host has the lease, or an operator has changed the reactor.
    LeaseLost,
    /// A failure that passes, in words. The next run may succeed.
    Interrupted(String),
    /// The code of this host panicked, with this message.
    Panicked(String),
    /// The reactor halts: its module cannot handle an event, or too many events are set aside.
    Halted(StopError),
    /// The reactor fails, for a reason that is not transient and not its module's fault.
    Failed(StopError),
}

impl Stop {
    /// The end of a run by an error of the host.
    fn by(error: &dyn std::error::Error, passes: bool) -> Self {
        let message = error.to_string();
        if passes { Self::Interrupted(message) } else { Self::Failed(StopError::Host { message }) }
    }

    /// Its name among the measures.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::LeaseLost => "lease_lost",
            Self::Interrupted(_) => "interrupted",
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
        Self::by(&error, is_transient(&error))
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
            // Nobody sets one for a reactor; one that is there ends.
            AdvanceError::Barrier(at) => Self::Interrupted(format!("there is a barrier at position {at}")),
            AdvanceError::Postgres(error) => error.into(),
        }
    }
}

impl From<AppendWithinError> for Stop {
    fn from(error: AppendWithinError) -> Self {
        match error {
            AppendWithinError::Postgres(error) => error.into(),
            error @ (AppendWithinError::Refused(_) | AppendWithinError::NotTold(_)) => Self::by(&error, false),
        }
    }
}

impl From<OwnEventError> for Stop {
    fn from(error: OwnEventError) -> Self {
        Self::by(&error, false)
    }
}

impl From<ReportError> for Stop {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::LeaseLost(lost) => lost.into(),
            ReportError::Postgres(error) => error.into(),
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
            BatchError::Rows(rows) => rows.downcast_ref::<sqlx::Error>().is_none_or(is_transient),
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
