//! Lists modules and their versions.

use gnomon_values::Instant;
use sqlx::types::Json;

use super::{Descriptor, Digest, Identifier, ModuleKind, ModuleVersion, Modules};
use crate::{postgres::PgTimestamp, runtime::Sdk};

/// A module with its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleSummary {
    /// Its name.
    pub name: Identifier,
    /// Its kind.
    pub kind: ModuleKind,
    /// The newest version.
    pub latest_version: ModuleVersion,
    /// Every version, oldest first.
    pub versions: Vec<VersionSummary>,
}

/// A version of a module in a list, without its descriptor, which may be large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionSummary {
    /// Its number.
    pub version: ModuleVersion,
    /// The digest of its bytes.
    pub digest: Digest,
    /// The size of the component in bytes.
    pub bytes: u64,
    /// When it was uploaded.
    pub uploaded_at: Instant,
    /// What it was written with.
    pub sdk: Sdk,
}

type VersionRow = (String, ModuleVersion, String, i64, PgTimestamp, Json<ModuleKind>, Json<Sdk>);

impl Modules {
    /// Every module, by name.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn list(&self) -> Result<Vec<ModuleSummary>, sqlx::Error> {
        self.summaries(None).await
    }

    /// The module of this name.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn get(&self, name: &Identifier) -> Result<Option<ModuleSummary>, sqlx::Error> {
        Ok(self.summaries(Some(name)).await?.pop())
    }

    /// A version, and what it declares; `None` if there is no such version.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn version(
        &self,
        name: &Identifier,
        version: ModuleVersion,
    ) -> Result<Option<(VersionSummary, Descriptor)>, sqlx::Error> {
        let row: Option<(String, i64, PgTimestamp, Json<Descriptor>)> = sqlx::query_as(
            "SELECT digest, octet_length(component)::bigint, created_at, descriptor
             FROM gnomon.module_versions WHERE module = $1 AND version = $2",
        )
        .bind(name.as_str())
        .bind(version)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|(digest, bytes, uploaded_at, Json(descriptor))| {
            let sdk = descriptor.sdk().clone();
            (summary(version, digest, bytes, uploaded_at, sdk), descriptor)
        }))
    }

    /// The digest and the bytes of a version; `None` if there is no such version.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn component(
        &self,
        name: &Identifier,
        version: ModuleVersion,
    ) -> Result<Option<(Digest, Vec<u8>)>, sqlx::Error> {
        let row: Option<(String, Vec<u8>)> =
            sqlx::query_as("SELECT digest, component FROM gnomon.module_versions WHERE module = $1 AND version = $2")
                .bind(name.as_str())
                .bind(version)
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.map(|(digest, bytes)| (Digest::from(digest), bytes)))
    }

    async fn summaries(&self, name: Option<&Identifier>) -> Result<Vec<ModuleSummary>, sqlx::Error> {
        let rows: Vec<VersionRow> = sqlx::query_as(
            "SELECT module, version, digest, octet_length(component)::bigint, created_at,
                    descriptor -> 'kind', descriptor -> 'sdk'
             FROM gnomon.module_versions WHERE $1::text IS NULL OR module = $1 ORDER BY module, version",
        )
        .bind(name.map(Identifier::as_str))
        .fetch_all(&self.pool)
        .await?;
        let mut modules: Vec<ModuleSummary> = Vec::new();
        for (module, version, digest, bytes, uploaded_at, Json(kind), Json(sdk)) in rows {
            let name = Identifier::new(module).map_err(|error| sqlx::Error::Decode(error.into()))?;
            let summary = summary(version, digest, bytes, uploaded_at, sdk);
            match modules.last_mut() {
                Some(module) if module.name == name => {
                    module.latest_version = version;
                    module.versions.push(summary);
                }
                _ => modules.push(ModuleSummary { name, kind, latest_version: version, versions: vec![summary] }),
            }
        }
        Ok(modules)
    }
}

fn summary(version: ModuleVersion, digest: String, bytes: i64, uploaded_at: PgTimestamp, sdk: Sdk) -> VersionSummary {
    let (digest, bytes) = (Digest::from(digest), u64::try_from(bytes).unwrap_or_default());
    VersionSummary { version, digest, bytes, uploaded_at: uploaded_at.instant(), sdk }
}
