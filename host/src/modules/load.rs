//! Loads versions of modules, ready to run.

use std::sync::Arc;

use sqlx::{PgConnection, PgPool, types::Json};
use tokio_util::sync::CancellationToken;

use super::{
    CannotLoad, Descriptor, Digest, Identifier, InvalidModule, Module, ModuleKind, ModuleVersion, Modules,
    upload::keep_code,
};
use crate::{
    postgres::is_transient,
    runtime::{Loaded, ModuleLabel, ProjectionModule, ReactorModule, UpcasterModule},
};

/// Why a version cannot be loaded.
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
    /// This host does not accept the stored module: its limits are narrower than when the module was uploaded, or it does not
    /// support the module's contract.
    #[error("module `{name}` version {version}: {error}")]
    Invalid {
        /// The module.
        name: Identifier,
        /// The version.
        version: ModuleVersion,
        /// What is wrong.
        error: InvalidModule,
    },
    /// This host cannot load it now.
    #[error("module `{name}` version {version} cannot be loaded now: {message}")]
    Host {
        /// The module.
        name: Identifier,
        /// The version.
        version: ModuleVersion,
        /// What went wrong.
        message: String,
    },
    /// It is a module of another kind.
    #[error("module `{name}` is {}, not {}", found.with_article(), wanted.with_article())]
    OtherKind {
        /// The module.
        name: Identifier,
        /// The kind that the caller expects.
        wanted: ModuleKind,
        /// The kind of the module.
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
    /// The thread that compiled it panicked, or the host shuts down.
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
            Self::Host { .. } | Self::Interrupted => true,
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

    /// A version of a reactor, as [`Self::load`].
    ///
    /// # Errors
    /// It is not a reactor, there is no such version, or it does not run on this host.
    pub async fn load_reactor(&self, name: &Identifier, version: ModuleVersion) -> Result<ReactorModule, LoadError> {
        match self.load(name, version).await? {
            Module::Reactor(reactor) => Ok(reactor),
            other => Err(LoadError::other_kind(name, ModuleKind::Reactor, &other)),
        }
    }

    /// A version, ready to run. A version that is not loaded yet is read from Postgres and compiled, or its compiled code is read
    /// from disk; callers that ask for it meanwhile wait for that one load.
    ///
    /// # Errors
    /// There is no such version, or it does not run on this host.
    pub async fn load(&self, name: &Identifier, version: ModuleVersion) -> Result<Module, LoadError> {
        // What a version is never changes, but in a database that is restored under this host: what is uploaded then may get a number that was given.
        let digest = digests(&self.pool, &[(name.clone(), version)]).await;
        let digest = digest.map_err(|error| LoadError::Postgres { name: name.clone(), version, error })?.pop();
        let digest = digest.ok_or_else(|| LoadError::Missing { name: name.clone(), version })?;
        let load = self.clone().load_again(name.clone(), version, digest.clone());
        self.loaded.get_or_load((name.clone(), version, digest), load).await.unwrap_or(Err(LoadError::Interrupted))
    }

    /// Reads a version from Postgres and makes it ready to run, whether or not it is loaded.
    async fn load_again(self, name: Identifier, version: ModuleVersion, wanted: Digest) -> Result<Module, LoadError> {
        let (digest, bytes) = self
            .component(&name, version)
            .await
            .map_err(|error| LoadError::Postgres { name: name.clone(), version, error })?
            .ok_or_else(|| LoadError::Missing { name: name.clone(), version })?;
        if digest != wanted {
            return Err(LoadError::Interrupted);
        }
        let label = ModuleLabel { name: name.clone(), version: Some(version) };
        let Self { runtime, lanes, .. } = self;
        let _turn = lanes.loading.acquire().await.map_err(|_| LoadError::Interrupted)?;
        // Builds need it, so it goes on until it is done.
        let never = CancellationToken::new();
        let loaded = runtime.load_apart(label, digest, Arc::new(bytes), &lanes.compiling_stored, &never).await;
        let loaded = loaded.map_err(|error| match error {
            CannotLoad::Invalid(error) => LoadError::Invalid { name, version, error },
            CannotLoad::Host(message) => LoadError::Host { name, version, message },
        })?;
        let Loaded { module, code } = loaded;
        keep_code(code).await;
        Ok(module)
    }
}

/// The descriptors of versions of modules, in the order of `modules`.
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
        "SELECT descriptor FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS wanted (module, version, number)
         JOIN gnomon.module_versions USING (module, version) ORDER BY number",
    )
    .bind(names)
    .bind(versions)
    .fetch_all(connection)
    .await?;
    Ok(descriptors.into_iter().map(|descriptor| descriptor.0).collect())
}

/// The digests of versions of modules, in the order of `modules`.
///
/// # Errors
/// Postgres fails.
pub(crate) async fn digests(
    pool: &PgPool,
    modules: &[(Identifier, ModuleVersion)],
) -> Result<Vec<Digest>, sqlx::Error> {
    let (names, versions): (Vec<&str>, Vec<ModuleVersion>) =
        modules.iter().map(|(name, version)| (name.as_str(), *version)).unzip();
    let digests: Vec<String> = sqlx::query_scalar(
        "SELECT digest FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS wanted (module, version, number)
         JOIN gnomon.module_versions USING (module, version) ORDER BY number",
    )
    .bind(names)
    .bind(versions)
    .fetch_all(pool)
    .await?;
    Ok(digests.into_iter().map(Digest::from).collect())
}
