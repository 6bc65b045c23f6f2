//! The active upcasters, and those that a build is pinned to.

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, types::Json};

use crate::{
    modules::ModuleVersion,
    read_model::Identifier,
    runtime::{Descriptor, Step},
};

/// A version of an upcaster that a build is pinned to: its events go through the upcasters that were active when it was started,
/// whatever is activated later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedUpcaster {
    /// The upcaster.
    pub name: Identifier,
    /// Its version.
    pub version: ModuleVersion,
}

/// The names and versions by which upcasters are loaded.
pub(crate) fn names_of(upcasters: &[PinnedUpcaster]) -> Vec<(Identifier, ModuleVersion)> {
    upcasters.iter().map(|upcaster| (upcaster.name.clone(), upcaster.version)).collect()
}

/// An upcaster that is active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveUpcaster {
    /// Its name.
    pub name: Identifier,
    /// The version that is active.
    pub active_version: ModuleVersion,
    /// The steps that it takes.
    pub steps: Vec<Step>,
}

/// The upcasters that are active now, by name.
pub(crate) async fn active_upcasters(connection: &mut PgConnection) -> Result<Vec<PinnedUpcaster>, sqlx::Error> {
    let rows: Vec<(Identifier, ModuleVersion)> =
        sqlx::query_as("SELECT name, active_version FROM gnomon.upcasters ORDER BY name").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(name, version)| PinnedUpcaster { name, version }).collect())
}

/// The upcasters that are active, with their steps, by name.
pub(crate) async fn describe_upcasters(pool: &PgPool) -> Result<Vec<ActiveUpcaster>, sqlx::Error> {
    let rows: Vec<(Identifier, ModuleVersion, Json<Descriptor>)> = sqlx::query_as(
        "SELECT name, active_version, descriptor FROM gnomon.upcasters
         JOIN gnomon.module_versions ON module = name AND version = active_version ORDER BY name",
    )
    .fetch_all(pool)
    .await?;
    let upcaster = |(name, active_version, Json(descriptor))| match descriptor {
        Descriptor::Upcaster(upcaster) => Ok(ActiveUpcaster { name, active_version, steps: upcaster.steps }),
        other @ (Descriptor::Projection(_) | Descriptor::Reactor(_)) => {
            let kind = other.kind().with_article();
            let message = format!("`{name}` is active as an upcaster, but its version {active_version} is {kind}");
            Err(sqlx::Error::Decode(message.into()))
        }
    };
    rows.into_iter().map(upcaster).collect()
}

/// The upcasters that are active, locked so that they do not change until the transaction ends. Called before a projection is
/// locked, as the order of locks demands.
pub(crate) async fn hold_upcasters(connection: &mut PgConnection) -> Result<Vec<PinnedUpcaster>, sqlx::Error> {
    sqlx::query("LOCK TABLE gnomon.upcasters IN SHARE MODE").execute(&mut *connection).await?;
    active_upcasters(connection).await
}

/// Locks the upcasters' table for a change until the transaction ends: other changes wait, so that upcasters are checked against
/// those that are active with them; new builds wait, so that none is pinned to the upcasters from before the change.
pub(crate) async fn begin_upcaster_change(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("LOCK TABLE gnomon.upcasters IN SHARE ROW EXCLUSIVE MODE").execute(connection).await?;
    Ok(())
}

/// Makes a version of an upcaster the active one.
pub(crate) async fn set_active_upcaster(
    connection: &mut PgConnection,
    name: &Identifier,
    version: ModuleVersion,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO gnomon.upcasters (name, active_version) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET active_version = excluded.active_version",
    )
    .bind(name)
    .bind(version)
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes an upcaster inactive. Returns the version that was active, or `None` if none was.
pub(crate) async fn remove_active_upcaster(
    connection: &mut PgConnection,
    name: &Identifier,
) -> Result<Option<ModuleVersion>, sqlx::Error> {
    sqlx::query_scalar("DELETE FROM gnomon.upcasters WHERE name = $1 RETURNING active_version")
        .bind(name)
        .fetch_optional(connection)
        .await
}
