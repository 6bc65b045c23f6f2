//! Which tenant has which database.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::start_error::StartError;
use crate::{event_log::WhichDatabase, http::TenantName};

/// Which tenant has which database. None has that of another one.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<BTreeMap<TenantName, WhichDatabase>>);

impl Claims {
    /// A database is this tenant's.
    ///
    /// # Errors
    /// [`StartError::SameDatabase`]
    pub(super) fn claim(&self, database: WhichDatabase, tenant: &TenantName) -> Result<(), StartError> {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((other, _)) = claims.iter().find(|(other, has)| *other != tenant && has.may_be(&database)) {
            let (one, other) = (other.min(tenant).clone(), other.max(tenant).clone());
            return Err(StartError::SameDatabase { one, other, database: database.name });
        }
        claims.insert(tenant.clone(), database);
        Ok(())
    }
}
