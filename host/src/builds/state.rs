//! What a build is: a state machine without a database.
//!
//! Only [`transition`] says what may happen to a build, and what has to be done when it does. The diagram is
//! in docs/ARCHITECTURE.md.

use std::fmt;

/// Whether a build's tables are still being filled for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// They are filled from the first event on, and have no indexes yet.
    Replaying,
    /// They have caught up with the log, or with the position where the build ends, and have their indexes.
    Live,
}

/// Whether a build is worked on.
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
    /// It holds all that it is to hold: a past build that has reached its position.
    Finished,
}

/// What a build is to queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Queries have never read it, and may turn to it.
    Candidate,
    /// Queries read it.
    Active,
    /// Queries read it once, and may turn back to it.
    Replaced,
    /// It was made to verify another build; queries never read it.
    Verifier,
    /// It shows what the read model was at one position, and ends there; only queries on that position read it.
    Past,
}

/// When queries turn to a build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Activation {
    /// By itself, when it has caught up.
    #[default]
    Auto,
    /// When an operator says so.
    Manual,
}

/// The state of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It has tables.
    Kept(Kept),
    /// Its tables are dropped.
    Retired,
}

/// The state of a build that has tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kept {
    /// Whether its tables have caught up.
    pub stage: Stage,
    /// Whether it is worked on.
    pub work: Work,
    /// What it is to queries.
    pub role: Role,
    /// When queries turn to it.
    pub activation: Activation,
}

/// Something that happens to a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// It has reached the end of the log, and its tables have their indexes.
    CaughtUp,
    /// Queries turn to it.
    Activated,
    /// Queries turn to another build.
    Replaced,
    /// An operator wants queries to turn to it when it has caught up.
    ActivateWhenLive,
    /// A newer build is to become active instead.
    Superseded,
    /// Queries could not turn to it, for a reason that is not transient.
    ActivationFailed,
    /// An operator pauses it.
    Paused,
    /// An operator resumes it.
    Resumed,
    /// Its module cannot handle an event.
    Halted,
    /// It cannot go on, and its module is not the reason.
    Failed,
    /// An operator wants what failed to be tried again.
    Retried,
    /// It is no longer needed.
    Retired,
}

/// What has to be done, in the transaction that changes the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Take the lease away: nothing more is written under it, and the next holder reads the new state.
    RevokeLease,
    /// Store why it stopped, or was not activated.
    KeepError,
    /// Delete why it stopped, or was not activated.
    ClearError,
    /// Note the time from which queries read it.
    StampActivated,
    /// Note the time from which queries no longer read it; it is kept for a while from then on.
    StampReplaced,
    /// Drop its tables and its dead letters.
    DropTables,
    /// Delete its row, so that nothing is left of it.
    Delete,
    /// Add it to the history.
    Note,
}

/// Why an event cannot happen to a build in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refused {
    /// It has no tables.
    #[error("its tables are gone; rebuild the projection")]
    Retired,
    /// It was made to verify another.
    #[error("it was made to verify another build; rebuild the projection")]
    Verifies,
    /// It is a past build.
    #[error("it shows the past, and is neither activated nor paused; retire it, and ask for the position again")]
    Past,
    /// Its tables are not filled yet.
    #[error("it has not caught up yet")]
    Replaying,
    /// Queries read it.
    #[error("queries read it; activate another one first, or delete the projection")]
    Active,
    /// It was to become active by itself, and another one was deployed since.
    #[error("another one was deployed instead; activate it by its number")]
    Superseded,
    /// Queries do not read it.
    #[error("queries do not read it")]
    NotActive,
    /// It is not worked on.
    #[error("it is not running")]
    NotRunning,
    /// It was not paused but stopped by an error.
    #[error("it was not paused; retry it, or deploy a version that works")]
    StoppedByError,
    /// It is paused.
    #[error("resume it first")]
    Paused,
    /// It verifies another one, and was stopped by an error.
    #[error(
        "the projection shows its error. If the build that is verified has set that event aside, let the verification do so as well: \
         set on_failure to `skip` or `park`, and verify again"
    )]
    StoppedVerification,
}

/// The state after an event, and what has to be done.
pub type Transition = (State, Vec<Effect>);

impl Event {
    /// Whether it takes the lease away in some state. Then the subscription's row is locked before the build's, as workers do.
    #[must_use]
    pub fn revokes_leases(self) -> bool {
        matches!(self, Self::ActivateWhenLive | Self::Superseded | Self::Paused | Self::Retried | Self::Retired)
    }
}

impl State {
    /// The state of a new build.
    #[must_use]
    pub fn begun(activation: Activation) -> Self {
        Self::Kept(Kept { stage: Stage::Replaying, work: Work::Running, role: Role::Candidate, activation })
    }

    /// The state of a new build that verifies another one.
    #[must_use]
    pub fn begun_to_verify() -> Self {
        let (role, activation) = (Role::Verifier, Activation::Manual);
        Self::Kept(Kept { stage: Stage::Replaying, work: Work::Running, role, activation })
    }

    /// The state of a new past build.
    #[must_use]
    pub fn begun_past() -> Self {
        let (role, activation) = (Role::Past, Activation::Manual);
        Self::Kept(Kept { stage: Stage::Replaying, work: Work::Running, role, activation })
    }

    /// The state of the tables, or `None` if they are dropped.
    #[must_use]
    pub fn kept(self) -> Option<Kept> {
        match self {
            Self::Kept(kept) => Some(kept),
            Self::Retired => None,
        }
    }

    /// Whether some host should work on it.
    #[must_use]
    pub fn is_running(self) -> bool {
        self.kept().is_some_and(|kept| kept.work == Work::Running)
    }

    /// Whether queries read it.
    #[must_use]
    pub fn is_active(self) -> bool {
        self.kept().is_some_and(|kept| kept.role == Role::Active)
    }

    /// Whether queries could turn to it now, or read it already.
    #[must_use]
    pub fn is_readable(self) -> bool {
        self.kept().is_some_and(|kept| kept.stage == Stage::Live && !matches!(kept.role, Role::Verifier | Role::Past))
    }

    /// Whether it becomes the active build by itself when it has caught up.
    #[must_use]
    pub fn activates_when_live(self) -> bool {
        self.kept().is_some_and(|kept| kept.activation == Activation::Auto)
    }
}

impl Kept {
    /// Whether a build can be in this state: queries read only live builds, the active build does not wait to be activated, a verifier
    /// and a past build never become active, and only a past build ends.
    #[must_use]
    pub fn is_possible(self) -> bool {
        let is_finished = self.work == Work::Finished;
        if is_finished != (self.role == Role::Past && self.stage == Stage::Live) {
            return false;
        }
        match self.role {
            Role::Candidate => true,
            Role::Active => self.stage == Stage::Live && self.activation == Activation::Manual,
            Role::Replaced => self.stage == Stage::Live,
            Role::Verifier => self.activation == Activation::Manual,
            Role::Past => self.activation == Activation::Manual && self.work != Work::Paused,
        }
    }
}

/// Returns the state after an event, and what has to be done.
///
/// # Errors
/// The event cannot happen to a build in this state.
pub fn transition(state: State, event: Event) -> Result<Transition, Refused> {
    let State::Kept(kept) = state else {
        return if event == Event::Retired || event == Event::Superseded {
            Ok((state, Vec::new()))
        } else {
            Err(Refused::Retired)
        };
    };
    let unchanged = Ok((state, Vec::new()));
    // Readers make past builds, and nothing is left of them: they are not in the history.
    let is_past = kept.role == Role::Past;
    let to = |kept: Kept, effects: &[Effect]| Ok((State::Kept(kept), effects.to_vec()));
    let retired =
        || Ok((State::Retired, vec![Effect::RevokeLease, Effect::DropTables, Effect::ClearError, Effect::Note]));
    match event {
        Event::CaughtUp => match (kept.work, kept.stage) {
            (Work::Running, Stage::Live) | (Work::Finished, _) => unchanged,
            (Work::Running, Stage::Replaying) if is_past => {
                to(Kept { stage: Stage::Live, work: Work::Finished, ..kept }, &[])
            }
            (Work::Running, Stage::Replaying) => to(Kept { stage: Stage::Live, ..kept }, &[Effect::Note]),
            _ => Err(Refused::NotRunning),
        },
        Event::Activated => match (kept.role, kept.stage) {
            (Role::Verifier, _) => Err(Refused::Verifies),
            (Role::Past, _) => Err(Refused::Past),
            (Role::Active, _) => unchanged,
            (_, Stage::Replaying) => Err(Refused::Replaying),
            (Role::Candidate | Role::Replaced, Stage::Live) => {
                let next = Kept { role: Role::Active, activation: Activation::Manual, ..kept };
                // A running build's error says why it could not be activated, which is out of date. A stopped build's error says
                // why it stopped, and stays.
                let mut effects = vec![Effect::StampActivated, Effect::Note];
                if kept.work == Work::Running {
                    effects.push(Effect::ClearError);
                }
                to(next, &effects)
            }
        },
        Event::Replaced => match kept.role {
            Role::Active => to(Kept { role: Role::Replaced, ..kept }, &[Effect::StampReplaced, Effect::Note]),
            _ => Err(Refused::NotActive),
        },
        Event::ActivateWhenLive => match (kept.role, kept.activation) {
            (Role::Verifier, _) => Err(Refused::Verifies),
            (Role::Past, _) => Err(Refused::Past),
            (Role::Active, _) | (_, Activation::Auto) => unchanged,
            (Role::Candidate | Role::Replaced, Activation::Manual) => {
                to(Kept { activation: Activation::Auto, ..kept }, &[Effect::RevokeLease])
            }
        },
        Event::Superseded => match (kept.activation, kept.stage) {
            (Activation::Manual, _) => unchanged,
            (Activation::Auto, Stage::Replaying) => retired(),
            (Activation::Auto, Stage::Live) => {
                to(Kept { activation: Activation::Manual, ..kept }, &[Effect::RevokeLease])
            }
        },
        Event::ActivationFailed => match (kept.work, kept.activation) {
            (Work::Running, Activation::Auto) => {
                to(Kept { activation: Activation::Manual, ..kept }, &[Effect::KeepError, Effect::Note])
            }
            (Work::Running, Activation::Manual) => unchanged,
            _ => Err(Refused::NotRunning),
        },
        Event::Paused | Event::Resumed | Event::Retried if is_past => Err(Refused::Past),
        Event::Paused => match kept.work {
            Work::Running => {
                to(Kept { work: Work::Paused, ..kept }, &[Effect::RevokeLease, Effect::ClearError, Effect::Note])
            }
            Work::Paused => unchanged,
            Work::Halted | Work::Failed | Work::Finished => Err(Refused::NotRunning),
        },
        Event::Resumed => match kept.work {
            Work::Paused => to(Kept { work: Work::Running, ..kept }, &[Effect::Note]),
            Work::Running => unchanged,
            Work::Halted | Work::Failed | Work::Finished => Err(Refused::StoppedByError),
        },
        Event::Halted | Event::Failed => match kept.work {
            Work::Running => {
                let work = if event == Event::Halted { Work::Halted } else { Work::Failed };
                let effects = [Effect::KeepError, Effect::Note];
                to(Kept { work, ..kept }, if is_past { &effects[..1] } else { &effects })
            }
            _ => Err(Refused::NotRunning),
        },
        Event::Retried => match kept.work {
            Work::Running | Work::Halted | Work::Failed => {
                to(Kept { work: Work::Running, ..kept }, &[Effect::RevokeLease, Effect::ClearError, Effect::Note])
            }
            Work::Paused | Work::Finished => Err(Refused::Paused),
        },
        Event::Retired => match kept.role {
            Role::Active => Err(Refused::Active),
            Role::Candidate | Role::Replaced | Role::Verifier => retired(),
            Role::Past => Ok((State::Retired, vec![Effect::RevokeLease, Effect::DropTables, Effect::Delete])),
        },
    }
}

/// The one word that users see for a build's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildState {
    /// Its tables are filled from the first event on.
    Replaying,
    /// It has caught up and follows the log, but queries read another build.
    Live,
    /// Queries read it, and it follows the log.
    Active,
    /// It holds all that it is to hold: a past build that has reached its position.
    Finished,
    /// An operator stopped it.
    Paused,
    /// It stopped at an event that its module cannot handle.
    Halted,
    /// It stopped for a reason that is not transient and not its module's fault.
    Failed,
    /// Its tables are dropped.
    Retired,
}

impl From<State> for BuildState {
    fn from(state: State) -> Self {
        let State::Kept(kept) = state else { return Self::Retired };
        match (kept.work, kept.role, kept.stage) {
            (Work::Paused, ..) => Self::Paused,
            (Work::Halted, ..) => Self::Halted,
            (Work::Failed, ..) => Self::Failed,
            (Work::Finished, ..) => Self::Finished,
            (Work::Running, Role::Active, _) => Self::Active,
            (Work::Running, _, Stage::Replaying) => Self::Replaying,
            (Work::Running, _, Stage::Live) => Self::Live,
        }
    }
}

impl fmt::Display for BuildState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replaying => "replaying",
            Self::Live => "live",
            Self::Active => "active",
            Self::Finished => "finished",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::Failed => "failed",
            Self::Retired => "retired",
        })
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
