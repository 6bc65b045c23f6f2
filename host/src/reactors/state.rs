//! Whether a reactor works: a state machine without a database.

use std::fmt;

use crate::postgres::sql_text;

/// Whether a reactor is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// It follows the log.
    Running,
    /// An operator stopped it.
    Paused,
    /// It stopped at an event that its module cannot handle.
    Halted,
    /// It stopped for a reason that is not transient and not its module's fault.
    Failed,
}

/// Something that happens to a reactor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// An operator pauses it.
    Paused,
    /// An operator resumes it.
    Resumed,
    /// An operator wants what failed to be tried again.
    Retried,
    /// Another version is to go on where this one stopped.
    VersionChanged,
    /// An operator changes what happens at events that its module cannot handle.
    Configured,
    /// Its module cannot handle an event.
    Halted,
    /// It cannot go on, and its module is not the reason.
    Failed,
}

/// Why an event cannot happen to a reactor in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refused {
    /// It is not worked on.
    #[error("it is not running")]
    NotRunning,
    /// It was not paused but stopped by an error.
    #[error("it was not paused; retry it, or deploy a version that works")]
    StoppedByError,
    /// It is paused.
    #[error("resume it first")]
    Paused,
    /// It runs.
    #[error("it is running")]
    Running,
}

impl Event {
    /// The state after this event.
    ///
    /// # Errors
    /// It cannot happen in this state.
    pub fn after(self, work: Work) -> Result<Work, Refused> {
        match (self, work) {
            (Self::Paused, Work::Running) => Ok(Work::Paused),
            (Self::Paused, _) | (Self::Halted | Self::Failed, Work::Paused | Work::Halted | Work::Failed) => {
                Err(Refused::NotRunning)
            }
            (Self::Resumed, Work::Paused) => Ok(Work::Running),
            (Self::Resumed, Work::Running) => Err(Refused::Running),
            (Self::Resumed, Work::Halted | Work::Failed) => Err(Refused::StoppedByError),
            (Self::Retried, Work::Paused) => Err(Refused::Paused),
            // What a version fails at, another one may handle. A pause lasts until an operator ends it.
            (Self::VersionChanged, Work::Paused) => Ok(Work::Paused),
            (Self::Retried | Self::VersionChanged, _) => Ok(Work::Running),
            (Self::Configured, work) => Ok(work),
            (Self::Halted, Work::Running) => Ok(Work::Halted),
            (Self::Failed, Work::Running) => Ok(Work::Failed),
        }
    }
}

impl Work {
    /// The word for it, in Postgres and for users.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Work {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "running" => Ok(Self::Running),
            "paused" => Ok(Self::Paused),
            "halted" => Ok(Self::Halted),
            "failed" => Ok(Self::Failed),
            other => Err(format!("a reactor has the work `{other}`, which this version of Gnomon does not know")),
        }
    }
}

sql_text!(Work);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_in_every_state() {
        use Work::{Failed, Halted, Paused, Running};
        let states = [Running, Paused, Halted, Failed];
        let (not_running, by_error) = (Err(Refused::NotRunning), Err(Refused::StoppedByError));
        for (event, expected) in [
            (Event::Paused, [Ok(Paused), not_running, not_running, not_running]),
            (Event::Resumed, [Err(Refused::Running), Ok(Running), by_error, by_error]),
            (Event::Retried, [Ok(Running), Err(Refused::Paused), Ok(Running), Ok(Running)]),
            (Event::VersionChanged, [Ok(Running), Ok(Paused), Ok(Running), Ok(Running)]),
            (Event::Configured, [Ok(Running), Ok(Paused), Ok(Halted), Ok(Failed)]),
            (Event::Halted, [Ok(Halted), not_running, not_running, not_running]),
            (Event::Failed, [Ok(Failed), not_running, not_running, not_running]),
        ] {
            assert_eq!(states.map(|state| event.after(state)), expected, "{event:?}");
        }
    }

    #[test]
    fn a_state_that_is_not_known_is_an_error() {
        for work in [Work::Running, Work::Paused, Work::Halted, Work::Failed] {
            assert_eq!(Work::try_from(work.as_str().to_owned()), Ok(work));
        }
        assert!(Work::try_from("resting".to_owned()).unwrap_err().contains("resting"));
    }
}
