//! Scopes: the kinds of things that a caller may do.

use std::fmt;

/// A kind of things that a caller may do. What each route needs is in docs/access.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Append events; may be limited to categories of streams.
    Append,
    /// Read events and the past of streams; may be limited to categories of streams.
    ReadEvents,
    /// Read the rows of projections; may be limited to projections.
    ReadModels,
    /// Upload and deploy modules; may be limited to modules.
    Deploy,
    /// See and operate projections, reactors and the outbox; may be limited to projections and reactors.
    Operate,
    /// Everything, tokens as well; not limited.
    Admin,
}

impl Scope {
    /// All of them, in the order in which they are named.
    pub const ALL: [Self; 6] =
        [Self::Append, Self::ReadEvents, Self::ReadModels, Self::Deploy, Self::Operate, Self::Admin];

    /// As tokens and claims name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::ReadEvents => "read:events",
            Self::ReadModels => "read:models",
            Self::Deploy => "deploy",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }

    /// The scope of a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    /// What the patterns of a grant of this scope are compared with; `None` if it cannot be limited.
    #[must_use]
    pub fn limited_to(self) -> Option<&'static str> {
        match self {
            Self::Append | Self::ReadEvents => Some("categories of streams"),
            Self::ReadModels => Some("projections"),
            Self::Deploy => Some("modules"),
            Self::Operate => Some("projections and reactors"),
            Self::Admin => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
