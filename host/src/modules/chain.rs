//! Loads the chain of several upcasters.

use super::{Identifier, LoadError, ModuleVersion, Modules};
use crate::runtime::{Delivery, UpcastError, UpcasterChain, UpcasterConflict};

/// Why a chain cannot be loaded, or cannot rewrite events.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// One of the upcasters cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// They cannot be active together.
    #[error(transparent)]
    Conflict(#[from] UpcasterConflict),
    /// One of them failed at an event.
    #[error(transparent)]
    Upcast(#[from] UpcastError),
    /// The thread that they ran on panicked, or the host shuts down.
    #[error("upcasting was interrupted")]
    Interrupted,
    /// Postgres failed.
    #[error("cannot look up the active upcasters: {0}")]
    Postgres(sqlx::Error),
}

impl From<sqlx::Error> for ChainError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

impl Modules {
    /// The chain of these upcasters.
    ///
    /// # Errors
    /// One of them cannot be loaded, or they cannot be active together.
    pub async fn load_chain(&self, upcasters: &[(Identifier, ModuleVersion)]) -> Result<UpcasterChain, ChainError> {
        let mut modules = Vec::new();
        for (name, version) in upcasters {
            modules.push(self.load_upcaster(name, *version).await?);
        }
        Ok(UpcasterChain::new(modules, self.limits())?)
    }
}

/// Rewrites events by a chain, on a blocking thread.
///
/// # Errors
/// An upcaster fails at an event.
pub async fn upcast(mut chain: UpcasterChain, mut events: Vec<Delivery>) -> Result<Vec<Delivery>, ChainError> {
    let upcasted = tokio::task::spawn_blocking(move || chain.upcast(&mut events).map(|()| events)).await;
    Ok(upcasted.map_err(|_| ChainError::Interrupted)??)
}
