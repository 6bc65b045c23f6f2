//! Starting a build of a version.

use serde::{Deserialize, Serialize};

use super::{BuildId, Projector, store};
use crate::{
    modules::{LoadError, ModuleVersion},
    read_model::{Identifier, TableSet},
};

/// When a build becomes the active one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activate {
    /// By itself, when it has caught up.
    #[default]
    Auto,
    /// When an operator says so.
    Manual,
}

/// What a deployment came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// The build of the version.
    pub build: BuildId,
    /// Whether the build is new; if not, the version had one already.
    pub new: bool,
}

/// Why a version cannot be deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The version does not run here.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Postgres fails.
    #[error("cannot begin a build: {0}")]
    Postgres(#[from] sqlx::Error),
}

impl Projector {
    /// Sees to it that there is a build of a version: one that is worked on, or a new one.
    ///
    /// # Errors
    /// The version does not run here, or Postgres fails. Trying again is safe.
    pub async fn deploy(
        &self,
        name: &Identifier,
        version: ModuleVersion,
        activate: Activate,
    ) -> Result<Deployed, DeployError> {
        let module = self.shared.modules.load_projection(name, version).await?;
        let mut transaction = self.shared.pool.begin().await?;
        // One deployment of a projection at a time: the row is its lock.
        sqlx::query("INSERT INTO gnomon.projections (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = $1")
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await?;
        let existing: Option<i64> = sqlx::query_scalar(
            "SELECT build FROM gnomon.builds
             WHERE projection = $1 AND version = $2 AND status IN ('running', 'paused', 'halted')
             ORDER BY build DESC LIMIT 1",
        )
        .bind(name.as_str())
        .bind(version.to_sql())
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(build) = existing {
            return Ok(Deployed { build: BuildId(build), new: false });
        }
        let build = store::insert_build(&mut transaction, name, version, activate == Activate::Auto).await?;
        TableSet::new(build.schema(), module.tables()).create(&mut transaction).await?;
        sqlx::query("SELECT pg_notify('gnomon_builds', '')").execute(&mut *transaction).await?;
        transaction.commit().await?;
        self.shared.look_again.notify_one();
        Ok(Deployed { build, new: true })
    }
}
