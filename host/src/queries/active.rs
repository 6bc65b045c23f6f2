//! The active builds that this host remembers.
//!
//! An entry may be out of date. Each read checks whether the build is still active, in the snapshot that it reads the rows in (see
//! [`read`](super::read)), so an old entry costs a second try and never gives an old answer. In a database that is restored another build may
//! get the same key, so nothing is remembered from before.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::PgPool;
use tokio::sync::watch;

use crate::{
    builds::{ActiveBuild, ActiveLookup, active},
    metrics,
    read_model::Identifier,
};

/// The active builds by projection, as they were looked up last.
#[derive(Debug)]
pub(super) struct ActiveBuilds {
    /// Each with how often the database had been restored then.
    remembered: Mutex<HashMap<Identifier, (u64, Arc<ActiveBuild>)>>,
    restores: watch::Receiver<u64>,
}

impl ActiveBuilds {
    /// None is remembered. `restores` counts how often the database was restored under this host.
    pub(super) fn new(restores: watch::Receiver<u64>) -> Self {
        Self { remembered: Mutex::default(), restores }
    }

    /// The active build of a projection, from memory if it is there.
    pub(super) async fn get(
        &self,
        pool: &PgPool,
        projection: &Identifier,
    ) -> Result<ActiveLookup<Arc<ActiveBuild>>, sqlx::Error> {
        let remembered = self.remembered(projection);
        metrics::of_host().queries.looked_up_active_build(remembered.is_some());
        match remembered {
            Some(build) => Ok(ActiveLookup::Found(build)),
            None => self.look_up(pool, projection).await,
        }
    }

    /// The entry of a projection, if there is one.
    pub(super) fn remembered(&self, projection: &Identifier) -> Option<Arc<ActiveBuild>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let (restores, build) = remembered.get(projection)?;
        (*restores == *self.restores.borrow()).then(|| Arc::clone(build))
    }

    /// Removes the entry of a projection that is out of date.
    pub(super) fn forget(&self, projection: &Identifier) {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).remove(projection);
    }

    async fn look_up(
        &self,
        pool: &PgPool,
        projection: &Identifier,
    ) -> Result<ActiveLookup<Arc<ActiveBuild>>, sqlx::Error> {
        let restores = *self.restores.borrow();
        let build = match active(pool, projection).await? {
            ActiveLookup::Found(build) => Arc::new(build),
            ActiveLookup::NoActiveBuild => return Ok(ActiveLookup::NoActiveBuild),
            ActiveLookup::NoProjection => return Ok(ActiveLookup::NoProjection),
        };
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.insert(projection.clone(), (restores, Arc::clone(&build)));
        Ok(ActiveLookup::Found(build))
    }
}
