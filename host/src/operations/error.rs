//! Errors of operations.

use crate::{
    builds::{BeginError, BuildNumber, ChangeError, PickError, TooManyBuilds, TooManyPastBuilds},
    event_log::Position,
    modules::LoadError,
    postgres::{Blocked, LockError},
    reactors::{self, DeployError},
    read_model::{CreateError, Identifier},
    runtime::UpcasterConflict,
};

/// Why an operation is not done. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// There is no such projection, the build is not in a state for this, or Postgres fails.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// There is no build to choose.
    #[error(transparent)]
    Pick(#[from] PickError),
    /// The active build is ahead of the build.
    #[error(
        "build {build} of projection `{projection}` is at position {checkpoint}, and queries have seen up to {seen}; it can be \
         activated when it has reached that position"
    )]
    Behind {
        /// The projection.
        projection: Identifier,
        /// The build.
        build: BuildNumber,
        /// Its checkpoint.
        checkpoint: Position,
        /// The checkpoint of the active build.
        seen: Position,
    },
    /// Each dead letter is followed by later events of its stream that were folded.
    #[error(
        "nothing was tried again: build {build} of projection `{projection}` has set {} aside, and has folded later events of {}, \
         so {} can only be folded out of order; rebuild the projection for the rows that its log gives, or retry with \
         `out_of_order=true`",
        if *letters == 1 { "1 event".to_owned() } else { format!("{letters} events") },
        if *letters == 1 { "its stream" } else { "their streams" },
        if *letters == 1 { "it" } else { "they" },
    )]
    Overtaken {
        /// The projection.
        projection: Identifier,
        /// The build.
        build: BuildNumber,
        /// The number of its dead letters.
        letters: u64,
    },
    /// The reactor is not in a state for this, or its version cannot be deployed.
    #[error(transparent)]
    Reactor(#[from] DeployError),
    /// Each dead letter of a reactor is followed by later events of its stream that were handled.
    #[error(
        "nothing was tried again: reactor `{reactor}` has handled later events of the {} of its {letters} dead {}, so {} can only be handled out \
         of order; retry with `out_of_order=true`",
        if *letters == 1 { "stream" } else { "streams" },
        if *letters == 1 { "letter" } else { "letters" },
        if *letters == 1 { "it" } else { "they" },
    )]
    ReactorOvertaken {
        /// The reactor.
        reactor: Identifier,
        /// The number of its dead letters.
        letters: u64,
    },
    /// There is no such upcaster, or it is not active.
    #[error("there is no upcaster `{0}`, or it is not active")]
    NoUpcaster(Identifier),
    /// A deployment has no modules.
    #[error("a deployment needs at least one module")]
    NothingToDeploy,
    /// A deployment has several versions of one module.
    #[error("module `{0}` stands twice in one deployment; one version of it can be deployed")]
    DeployedTwice(Identifier),
    /// Postgres cannot have the tables of a new build.
    #[error("the build's tables cannot be created: {0}")]
    Tables(CreateError),
    /// A projection has as many builds as it may have.
    #[error(transparent)]
    TooManyBuilds(#[from] TooManyBuilds),
    /// No version is named, and no build is active.
    #[error("projection `{0}` has no active build yet, whose past could be shown; name a version")]
    NothingActive(Identifier),
    /// There are as many past builds as there may be.
    #[error(transparent)]
    TooManyPastBuilds(#[from] TooManyPastBuilds),
    /// The room that is made for a past build is taken by others each time.
    #[error("other past builds take the place of the one that projection `{0}` is asked for; ask again")]
    PastBuildsChange(Identifier),
    /// Two upcasters conflict.
    #[error(transparent)]
    Upcasters(#[from] UpcasterConflict),
    /// The version does not run here.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl LockError for OperateError {
    fn is_of_a_lock(&self) -> bool {
        match self {
            Self::Change(error) => error.is_of_a_lock(),
            Self::Reactor(error) => error.is_of_a_lock(),
            _ => false,
        }
    }

    fn blocked(blocked: Blocked) -> Self {
        Self::Change(ChangeError::Blocked(blocked))
    }
}

impl From<reactors::ChangeError> for OperateError {
    fn from(error: reactors::ChangeError) -> Self {
        match error {
            reactors::ChangeError::Postgres(error) => error.into(),
            error => Self::Reactor(error.into()),
        }
    }
}

impl From<BeginError> for OperateError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::TooMany(error) => error.into(),
            BeginError::Tables(CreateError::Postgres(error)) => error.into(),
            BeginError::Tables(error @ CreateError::NoCollation { .. }) => Self::Tables(error),
            BeginError::Change(error) => error.into(),
        }
    }
}

impl From<sqlx::Error> for OperateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Change(error.into())
    }
}
