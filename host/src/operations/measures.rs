//! What dashboards and alerts see of builds and hosts.

use std::time::Duration;

use super::Operations;
use crate::{
    builds::{BuildReading, BuildSize, readings, sizes},
    reactors::{self, ReactorReading},
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

    /// Reactors, at most so many.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn reactor_readings(&self, limit: usize) -> Result<Vec<ReactorReading>, sqlx::Error> {
        reactors::readings(&self.pool, limit).await
    }

    /// What builds and verifications take that are not retired, at most so many. Each file of each of their tables is looked at.
    ///
    /// # Errors
    /// Postgres fails, or somebody holds a lock on a table.
    pub async fn build_sizes(&self, limit: usize) -> Result<Vec<BuildSize>, sqlx::Error> {
        sizes(&self.pool, limit).await
    }

    /// How many hosts have shown lately that they live.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn living_hosts(&self) -> Result<u64, sqlx::Error> {
        living_hosts(&self.pool, HOST_SEEN).await
    }
}
