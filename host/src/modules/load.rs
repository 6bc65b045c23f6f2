//! Making a version ready to run.

use std::sync::PoisonError;

use sqlx::{PgConnection, types::Json};

use super::{Descriptor, Identifier, InvalidModule, Module, ModuleKind, ModuleVersion, Modules};
use crate::{
    postgres::is_transient,
    runtime::{ModuleLabel, ProjectionModule, UpcasterModule},
};

/// Why a version is not ready to run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such version.
    #[error("module `{name}` has no version {version}")]
    Missing {
        /// The module.
        name: Identifier,
        /// The version.
        version: ModuleVersion,
    },
    /// It was a module when it was uploaded, and is none for this host: its limits are narrower, or its contract is newer.
    #[error("module `{name}` version {version}: {error}")]
    Invalid {
        /// The module.
        name: Identifier,
        /// The version.
        version: ModuleVersion,
        /// What is wrong.
        error: InvalidModule,
    },
    /// It is a module of another kind.
    #[error("module `{name}` is {}, not {}", found.with_article(), wanted.with_article())]
    OtherKind {
        /// The module.
        name: Identifier,
        /// What was looked for.
        wanted: ModuleKind,
        /// What it is.
        found: ModuleKind,
    },
    /// Postgres fails.
    #[error("cannot read module `{name}` version {version}: {error}")]
    Postgres {
        /// The module.
        name: Identifier,
        /// The version.
        version: ModuleVersion,
        /// What went wrong.
        error: sqlx::Error,
    },
    /// The thread that compiled it was lost.
    #[error("loading the module was interrupted")]
    Interrupted,
}

impl LoadError {
    fn other_kind(name: &Identifier, wanted: ModuleKind, found: &Module) -> Self {
        Self::OtherKind { name: name.clone(), wanted, found: found.descriptor().kind() }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Postgres { error, .. } => is_transient(error),
            Self::Interrupted => true,
            Self::Missing { .. } | Self::Invalid { .. } | Self::OtherKind { .. } => false,
        }
    }
}

impl Modules {
    /// A version of a projection, as [`Self::load`].
    ///
    /// # Errors
    /// It is not a projection, there is no such version, or it does not run on this host.
    pub async fn load_projection(
        &self,
        name: &Identifier,
        version: ModuleVersion,
    ) -> Result<ProjectionModule, LoadError> {
        match self.load(name, version).await? {
            Module::Projection(projection) => Ok(projection),
            other => Err(LoadError::other_kind(name, ModuleKind::Projection, &other)),
        }
    }

    /// A version of an upcaster, as [`Self::load`].
    ///
    /// # Errors
    /// It is not an upcaster, there is no such version, or it does not run on this host.
    pub async fn load_upcaster(&self, name: &Identifier, version: ModuleVersion) -> Result<UpcasterModule, LoadError> {
        match self.load(name, version).await? {
            Module::Upcaster(upcaster) => Ok(upcaster),
            other => Err(LoadError::other_kind(name, ModuleKind::Upcaster, &other)),
        }
    }

    /// A version, ready to run. The first time it is fetched and compiled, or its compiled code is read from disk.
    ///
    /// # Errors
    /// There is no such version, or it does not run on this host.
    pub async fn load(&self, name: &Identifier, version: ModuleVersion) -> Result<Module, LoadError> {
        let place = (name.clone(), version);
        let known = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
        if let Some(module) = known {
            return Ok(module);
        }
        let (digest, bytes) = self
            .component(name, version)
            .await
            .map_err(|error| LoadError::Postgres { name: name.clone(), version, error })?
            .ok_or_else(|| LoadError::Missing { name: name.clone(), version })?;
        let label = ModuleLabel { name: name.clone(), version: version.0 };
        let runtime = self.runtime.clone();
        let module = tokio::task::spawn_blocking(move || runtime.load(label, &digest, &bytes))
            .await
            .map_err(|_| LoadError::Interrupted)?
            .map_err(|error| LoadError::Invalid { name: name.clone(), version, error })?;
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).insert(place, module.clone());
        Ok(module)
    }
}

/// What versions of modules say of themselves, in the order in which they are named.
///
/// # Errors
/// Postgres fails.
pub(crate) async fn descriptors(
    connection: &mut PgConnection,
    modules: &[(Identifier, ModuleVersion)],
) -> Result<Vec<Descriptor>, sqlx::Error> {
    let (names, versions): (Vec<&str>, Vec<ModuleVersion>) =
        modules.iter().map(|(name, version)| (name.as_str(), *version)).unzip();
    let descriptors: Vec<Json<Descriptor>> = sqlx::query_scalar(
        "SELECT descriptor FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS wanted (module, version, place)
         JOIN gnomon.module_versions USING (module, version) ORDER BY place",
    )
    .bind(names)
    .bind(versions)
    .fetch_all(connection)
    .await?;
    Ok(descriptors.into_iter().map(|descriptor| descriptor.0).collect())
}
