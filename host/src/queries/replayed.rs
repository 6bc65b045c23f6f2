//! Queries on rows of the past that events were folded to for one answer: no build has them.

use std::sync::Arc;

use tokio::time::{Instant, timeout};

use super::{
    Queries,
    answer::{TURN_TIMEOUT, tagged},
    error::ReadError,
    read::{Answer, query_on},
    replayed_rows::ReplayedRows,
    request::ReadRequest,
    source::Source,
};
use crate::{
    builds::BuildId,
    read_model::{Key, Table, TableSet},
};

/// Rows of which a query may name the keys.
pub const MAX_ASKED_KEYS: usize = 20;

/// The keys of all rows that a request may be answered from, and the index of their table, if it names few keys and asks for nothing else.
#[must_use]
pub fn asked_keys(request: &ReadRequest<'_>, tables: &[Arc<Table>]) -> Option<(usize, Vec<Key>)> {
    let index = tables.iter().position(|table| table.name().as_str() == request.table)?;
    // The name of the schema does not matter. What is wrong with the query says whoever answers it.
    let tables = TableSet::new(BuildId(0).schema(), tables);
    let query = query_on(&tables, request).ok()?;
    Some((index, query.asked_keys(MAX_ASKED_KEYS)?))
}

impl Queries {
    /// Answers a query from rows. If it is dropped, the query ends in Postgres as well.
    ///
    /// # Errors
    /// The query is wrong or costs too much, or Postgres fails.
    pub async fn read_replayed(&self, request: ReadRequest<'_>, rows: &ReplayedRows) -> Result<Answer, ReadError> {
        let limit = request.limits.timeout;
        let slot = self.slot(request.projection, Instant::now() + limit.min(TURN_TIMEOUT)).await?;
        let read = Self::on_a_connection(|| self.read_source(Source::Replayed(rows), request, &slot));
        let read = timeout(limit, read).await.unwrap_or(Err(ReadError::TimedOut(limit)))?;
        // It is in no table that could be missing.
        let read = read.ok_or_else(|| ReadError::Postgres(sqlx::Error::RowNotFound))?;
        Ok(tagged(read, &request))
    }
}
