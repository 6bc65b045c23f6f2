//! Loads the chain of several upcasters.

use std::{sync::Arc, time::Duration};

use super::{Identifier, LoadError, ModuleVersion, Modules};
use crate::runtime::{Delivery, UpcastError, UpcasterChain, UpcasterConflict};

/// How long readers wait for others whose events are being rewritten.
const MAX_WAIT: Duration = Duration::from_secs(10);

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
    /// Other readers' events are being rewritten, and that takes long.
    #[error(
        "the upcasters are busy with the events of other readers, and were so for {} s; read without them (`upcast=false`), or try again",
        MAX_WAIT.as_secs()
    )]
    Busy,
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

    /// Rewrites events for a reader by a chain. A few readers at a time, since upcasters compute.
    ///
    /// # Errors
    /// An upcaster fails at an event, or too many other readers wait.
    pub async fn upcast(
        &self,
        mut chain: UpcasterChain,
        mut events: Vec<Delivery>,
    ) -> Result<Vec<Delivery>, ChainError> {
        let turn = tokio::time::timeout(MAX_WAIT, Arc::clone(&self.lanes.upcasting).acquire_owned()).await;
        let turn = turn.map_err(|_| ChainError::Busy)?.map_err(|_| ChainError::Interrupted)?;
        let upcasted = tokio::task::spawn_blocking(move || {
            // Held until the work ends, also if the reader has left.
            let _turn = turn;
            chain.upcast(&mut events).map(|()| events)
        });
        Ok(upcasted.await.map_err(|_| ChainError::Interrupted)??)
    }
}
