//! A build, and what it starts from.

use super::{
    number::{BuildName, BuildNumber},
    state::{Activation, BuildState, State},
    upcasters::PinnedUpcaster,
};
use crate::{
    event_log::Position, modules::ModuleVersion, postgres::sql_number, read_model::Identifier,
    subscriptions::SubscriptionId,
};

/// Why a build stopped.
pub use crate::subscriptions::StopError as BuildError;

/// The key of a build, unique in its database, and the key of its subscription. Nobody sees it: people know builds by their
/// [`BuildName`], so it cannot be displayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId(pub i64);

impl BuildId {
    /// The schema that holds the build's tables.
    #[must_use]
    pub fn schema(self) -> Identifier {
        // `build_` and digits are an identifier.
        Identifier::new(format!("build_{}", self.0.unsigned_abs())).unwrap_or_else(|_| unreachable!("it is valid"))
    }

    /// The build's subscription.
    #[must_use]
    pub fn subscription(self) -> SubscriptionId {
        SubscriptionId(self.0)
    }
}

impl From<SubscriptionId> for BuildId {
    fn from(subscription: SubscriptionId) -> Self {
        Self(subscription.0)
    }
}

impl From<i64> for BuildId {
    fn from(key: i64) -> Self {
        Self(key)
    }
}

impl From<BuildId> for i64 {
    fn from(build: BuildId) -> Self {
        build.0
    }
}

sql_number!(BuildId(i64) as i64);

/// A build as Postgres keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Its key.
    pub id: BuildId,
    /// Its number; see [`Build::name`].
    pub number: BuildNumber,
    /// The projection.
    pub projection: Identifier,
    /// The version that it materialises.
    pub version: ModuleVersion,
    /// The upcasters that its events go through.
    pub upcasters: Vec<PinnedUpcaster>,
    /// Its state.
    pub state: State,
    /// What it was made to verify, if it was.
    pub verifies: Option<Verifies>,
    /// The position where it ends, if it is a past build.
    pub stop_at: Option<Position>,
    /// Whether queries read it now, or have read it before.
    pub was_active: bool,
}

impl Build {
    /// What people call it.
    #[must_use]
    pub fn name(&self) -> BuildName {
        match (self.verifies, self.stop_at) {
            (_, Some(_)) => BuildName::Past(self.number),
            (Some(_), None) => BuildName::Verification(self.number),
            (None, None) => BuildName::Build(self.number),
        }
    }

    /// The one word that users see for its state.
    pub(crate) fn word(&self) -> BuildState {
        self.state.into()
    }
}

/// What a build was made to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verifies {
    /// The other build.
    pub build: BuildId,
    /// The most events that its module gets in one batch.
    pub batch_events: usize,
}

/// What a new build starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBuild {
    /// The version that it materialises.
    pub version: ModuleVersion,
    /// The upcasters that its events go through.
    pub upcasters: Vec<PinnedUpcaster>,
    /// What it is for.
    pub purpose: NewBuildPurpose,
}

/// What a new build is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewBuildPurpose {
    /// Queries may read it, and it becomes the active build as the activation says.
    Queries(Activation),
    /// It verifies another build.
    Verify(Verifies),
    /// It shows the read model at this position.
    Past(Position),
}

impl NewBuild {
    pub(super) fn state(&self) -> State {
        match self.purpose {
            NewBuildPurpose::Queries(activation) => State::begun(activation),
            NewBuildPurpose::Verify(_) => State::begun_to_verify(),
            NewBuildPurpose::Past(_) => State::begun_past(),
        }
    }

    pub(super) fn verifies(&self) -> Option<Verifies> {
        match self.purpose {
            NewBuildPurpose::Queries(_) | NewBuildPurpose::Past(_) => None,
            NewBuildPurpose::Verify(verifies) => Some(verifies),
        }
    }

    pub(super) fn stop_at(&self) -> Option<Position> {
        match self.purpose {
            NewBuildPurpose::Queries(_) | NewBuildPurpose::Verify(_) => None,
            NewBuildPurpose::Past(position) => Some(position),
        }
    }
}
