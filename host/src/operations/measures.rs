//! What dashboards and alerts see of builds and hosts.

use std::time::Duration;

use super::Operations;
use crate::{
    builds::{BuildReading, readings},
    subscriptions::living_hosts,
};

/// A host that has shown within this time that it lives counts. It shows it each second, and more often if leases are short.
const HOST_SEEN: Duration = Duration::from_secs(15);

impl Operations {
    /// Builds and verifications that are not retired, at most so many.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn build_readings(&self, limit: usize) -> Result<Vec<BuildReading>, sqlx::Error> {
        readings(&self.pool, limit).await
    }

    /// How many hosts have shown lately that they live.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn living_hosts(&self) -> Result<u64, sqlx::Error> {
        living_hosts(&self.pool, HOST_SEEN).await
    }
}
