//! The builds that queries read, as this host knows them.
//!
//! What is known here may be out of date. Each read looks at the pointer again, in the snapshot that it reads the rows in
//! (see [`read`](super::read)), so an old entry costs a second try and never an old answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{PgPool, types::Json};

use super::build::BuildId;
use crate::{
    modules::ModuleVersion,
    read_model::{Identifier, TableSet},
    runtime::Descriptor,
};

/// A build that queries read.
#[derive(Clone, Debug)]
pub(super) struct ActiveBuild {
    pub(super) build: BuildId,
    pub(super) tables: TableSet,
}

/// What is known of a projection.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// Queries read this build.
    Active(Arc<ActiveBuild>),
    /// No build has caught up yet.
    NotYet,
    /// There is no projection of this name.
    Unknown,
}

#[derive(Debug, Default)]
pub(super) struct ActiveBuilds {
    known: Mutex<HashMap<Identifier, Arc<ActiveBuild>>>,
}

impl ActiveBuilds {
    /// The build of a projection that queries read, from memory if it is there.
    pub(super) async fn get(&self, pool: &PgPool, projection: &Identifier) -> Result<Known, sqlx::Error> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(projection).cloned();
        match known {
            Some(build) => Ok(Known::Active(build)),
            None => self.look_up(pool, projection).await,
        }
    }

    /// Forgets what is known of a projection, because it was found to be out of date.
    pub(super) fn forget(&self, projection: &Identifier) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(projection);
    }

    async fn look_up(&self, pool: &PgPool, projection: &Identifier) -> Result<Known, sqlx::Error> {
        let row: Option<(Option<i64>, Option<i32>, Option<Json<Descriptor>>)> = sqlx::query_as(
            "SELECT active_build, build.version, descriptor
             FROM gnomon.projections AS projection
             LEFT JOIN gnomon.builds AS build ON build.build = active_build
             LEFT JOIN gnomon.module_versions AS module ON module.module = name AND module.version = build.version
             WHERE name = $1",
        )
        .bind(projection.as_str())
        .fetch_optional(pool)
        .await?;
        let (build, version, descriptor) = match row {
            None => return Ok(Known::Unknown),
            Some((Some(build), Some(version), Some(descriptor))) => (BuildId(build), version, descriptor.0),
            Some(_) => return Ok(Known::NotYet),
        };
        let Descriptor::Projection(_) = descriptor else { return Ok(Known::Unknown) };
        let tables = tables_of(projection, ModuleVersion::from_sql(version), build, descriptor)?;
        let active = Arc::new(ActiveBuild { build, tables });
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(projection.clone(), Arc::clone(&active));
        Ok(Known::Active(active))
    }
}

/// Whether queries read this build now.
pub(super) async fn is_active(pool: &PgPool, projection: &Identifier, build: BuildId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM gnomon.projections WHERE name = $1 AND active_build = $2)")
        .bind(projection.as_str())
        .bind(build.0)
        .fetch_one(pool)
        .await
}

/// The tables of a build of a version that describes itself so.
pub(super) fn tables_of(
    projection: &Identifier,
    version: ModuleVersion,
    build: BuildId,
    descriptor: Descriptor,
) -> Result<TableSet, sqlx::Error> {
    let tables = match descriptor {
        Descriptor::Projection(descriptor) => descriptor.check(projection),
        Descriptor::Upcaster(_) => Err(vec!["it is no projection".to_owned()]),
    };
    let tables = tables.map_err(|reasons| {
        let reasons = reasons.join("; ");
        sqlx::Error::Decode(
            format!("{projection} version {version} was stored with a bad descriptor: {reasons}").into(),
        )
    })?;
    Ok(TableSet::new(build.schema(), &tables))
}
