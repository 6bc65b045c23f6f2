//! A version of a reactor is to work: it begins, or goes on where the one before stopped.

use sqlx::PgConnection;

use super::{
    changes::{ChangeError, apply},
    history::{Change, note},
    state::Event,
    store,
};
use crate::{
    event_log::{Position, head_within},
    modules::ModuleVersion,
    postgres::{Blocked, LockError},
    read_model::{CannotExtend, CreateError, Extension, Identifier, TableDeclaration},
};

/// What a deployment has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployed {
    /// The reactor has begun.
    Begun {
        /// The position behind which it has.
        after: Position,
    },
    /// The version goes on where another one stopped.
    Replaced {
        /// The other one.
        version: ModuleVersion,
    },
    /// The version works already.
    Unchanged,
}

/// Why a version is not deployed. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The reactor cannot be changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// It is to begin at a position, and has begun.
    #[error(
        "reactor `{0}` has begun already, and its next version goes on where the one before stopped; delete it to begin at another position"
    )]
    HasBegun(Identifier),
    /// It is to begin behind the end of the log.
    #[error("reactor `{name}` is to begin at position {from}, and the newest event is at position {head}")]
    BeyondHead {
        /// The reactor.
        name: Identifier,
        /// Where it is to begin.
        from: Position,
        /// The position of the newest event.
        head: Position,
    },
    /// Its tables cannot become what the version declares.
    #[error(
        "version {version} cannot go on with the rows of reactor `{name}`: {}; change the declaration so that the rows can stay, or delete the \
         reactor to begin without rows",
        reasons.iter().map(CannotExtend::to_string).collect::<Vec<_>>().join("; ")
    )]
    Tables {
        /// The reactor.
        name: Identifier,
        /// The version.
        version: ModuleVersion,
        /// All that is in the way.
        reasons: Vec<CannotExtend>,
    },
    /// Postgres cannot have its tables.
    #[error("the reactor's tables cannot be created: {0}")]
    Create(CreateError),
}

impl From<sqlx::Error> for DeployError {
    fn from(error: sqlx::Error) -> Self {
        Self::Change(error.into())
    }
}

impl LockError for DeployError {
    fn is_of_a_lock(&self) -> bool {
        matches!(self, Self::Change(error) if error.is_of_a_lock())
    }

    fn blocked(blocked: Blocked) -> Self {
        Self::Change(ChangeError::Blocked(blocked))
    }
}

/// A version of a reactor that is to work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Release<'r> {
    pub(crate) name: &'r Identifier,
    pub(crate) version: ModuleVersion,
    /// The tables that it declares.
    pub(crate) tables: &'r [TableDeclaration],
    /// The upcasters that are active.
    pub(crate) upcasters: &'r [(Identifier, ModuleVersion)],
    /// The first event that it is to get, where it has not begun yet; `None` for the next one that comes.
    pub(crate) from: Option<Position>,
}

/// Lets a version of a reactor work, in a transaction that the caller has begun.
pub(crate) async fn deploy(connection: &mut PgConnection, release: Release<'_>) -> Result<Deployed, DeployError> {
    let Release { name, version, upcasters, from, .. } = release;
    store::lock_module(connection, name).await?;
    let Some(found) = store::get(&mut *connection, name).await? else {
        let head = head_within(connection).await?;
        let after = from.map_or(head, |from| Position(from.0.saturating_sub(1)));
        if after > head {
            return Err(DeployError::BeyondHead { name: name.clone(), from: after.next(), head });
        }
        let reactor = store::insert(connection, name, version, after).await?;
        let tables = extend(connection, release, &reactor.schema(), &[]).await?;
        store::set_version(connection, reactor, version, upcasters, &tables).await?;
        let cause = format!("version {version} was deployed, and begins behind position {after}");
        note(connection, name, version, Change::Begun, &cause).await?;
        return Ok(Deployed::Begun { after });
    };
    if from.is_some() {
        return Err(DeployError::HasBegun(name.clone()));
    }
    if found.version == version {
        return Ok(Deployed::Unchanged);
    }
    let reactor = apply(connection, name, Event::VersionChanged).await?;
    let tables = extend(connection, release, &reactor.id.schema(), &reactor.tables).await?;
    store::set_version(connection, reactor.id, version, upcasters, &tables).await?;
    let cause = format!("version {version} was deployed, and goes on where version {} stopped", reactor.version);
    note(connection, name, version, Change::Activated, &cause).await?;
    Ok(Deployed::Replaced { version: reactor.version })
}

/// Adds what the version declares to the tables that are there, and returns them as they are then.
async fn extend(
    connection: &mut PgConnection,
    Release { name, version, tables, .. }: Release<'_>,
    schema: &Identifier,
    stored: &[TableDeclaration],
) -> Result<Vec<TableDeclaration>, DeployError> {
    let extension = Extension::of(stored, tables).map_err(|reasons| DeployError::Tables {
        name: name.clone(),
        version,
        reasons,
    })?;
    extension.add(connection, schema).await.map_err(|error| match error {
        CreateError::Postgres(error) => error.into(),
        error @ CreateError::NoCollation { .. } => DeployError::Create(error),
    })?;
    Ok(extension.tables)
}
