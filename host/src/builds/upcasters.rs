//! Which upcasters are active, and through which a build goes.

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, types::Json};

use crate::{
    modules::ModuleVersion,
    read_model::Identifier,
    runtime::{Descriptor, Step},
};

/// A version of an upcaster. A build goes through the ones that were active when it was begun, whatever is activated later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedUpcaster {
    /// The upcaster.
    pub name: Identifier,
    /// Its version.
    pub version: ModuleVersion,
}

/// Names and versions of upcasters, to load them by.
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
        Descriptor::Projection(_) => {
            let words = format!("`{name}` is active as an upcaster, and its version {active_version} is a projection");
            Err(sqlx::Error::Decode(words.into()))
        }
    };
    rows.into_iter().map(upcaster).collect()
}

/// The upcasters that are active, which do not change until the transaction ends. To be asked before a projection is locked.
pub(crate) async fn hold_upcasters(connection: &mut PgConnection) -> Result<Vec<PinnedUpcaster>, sqlx::Error> {
    sqlx::query("LOCK TABLE gnomon.upcasters IN SHARE MODE").execute(&mut *connection).await?;
    active_upcasters(connection).await
}

/// Begins to change which upcasters are active: one change at a time, and no build is begun until the transaction ends, so that
/// what is checked against each other is what is active together, and no build misses a change.
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

/// Makes an upcaster inactive; answers the version that was active.
pub(crate) async fn remove_active_upcaster(
    connection: &mut PgConnection,
    name: &Identifier,
) -> Result<Option<ModuleVersion>, sqlx::Error> {
    sqlx::query_scalar("DELETE FROM gnomon.upcasters WHERE name = $1 RETURNING active_version")
        .bind(name)
        .fetch_optional(connection)
        .await
}
