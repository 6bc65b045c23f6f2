//! The builds that queries read, as this host knows them.
//!
//! What is known here may be out of date. Each read looks at what is active again, in the snapshot that it reads the rows in
//! (see [`read`](super::read)), so an old entry costs a second try and never an old answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::PgPool;

use crate::{
    builds::{ActiveBuild, active},
    read_model::Identifier,
};

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
        let build = match active(pool, projection).await? {
            None => return Ok(Known::Unknown),
            Some(None) => return Ok(Known::NotYet),
            Some(Some(build)) => Arc::new(build),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(projection.clone(), Arc::clone(&build));
        Ok(Known::Active(build))
    }
}
