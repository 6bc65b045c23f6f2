//! What there is to read.

use super::{Queries, error::ReadError};
use crate::{
    builds::{ReadModelSummary, read_models},
    read_model::Identifier,
};

impl Queries {
    /// The read model of every projection, by name.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn read_models(&self) -> Result<Vec<ReadModelSummary>, ReadError> {
        Ok(read_models(&self.pool, None).await?)
    }

    /// The read model of a projection.
    ///
    /// # Errors
    /// There is no such projection, or Postgres fails.
    pub async fn read_model(&self, projection: &Identifier) -> Result<ReadModelSummary, ReadError> {
        let found = read_models(&self.pool, Some(projection)).await?.pop();
        found.ok_or_else(|| ReadError::NoProjection(projection.clone()))
    }
}
