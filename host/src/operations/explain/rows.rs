//! The rows of a build before an event, while it is folded again.

use std::sync::Arc;

use sqlx::{Executor as _, PgPool, Postgres, Transaction};
use tokio::{runtime::Handle, sync::Mutex};

use crate::{
    event_log::Position,
    postgres::begin,
    read_model::{Find, HashedKey, Index, Key, LookupError, Row, Table, TableSet, TableWrites, Value, WriteSet},
    runtime::{ReadError, RowReader},
    subscriptions::{self, SubscriptionId},
};

/// The rows that a build has in Postgres, in one snapshot.
pub(super) struct Committed {
    runtime: Handle,
    snapshot: Mutex<Transaction<'static, Postgres>>,
    tables: TableSet,
    /// The position up to which the rows have the effect of every event.
    pub(super) checkpoint: Position,
}

impl Committed {
    /// Takes a snapshot.
    pub(super) async fn take(
        pool: &PgPool,
        subscription: SubscriptionId,
        tables: TableSet,
    ) -> Result<Self, sqlx::Error> {
        let mut snapshot = begin(pool).await?;
        // A module may compute between two reads for longer than a host is otherwise allowed to be silent in a transaction.
        snapshot
            .execute(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '5s';
                 SET LOCAL idle_in_transaction_session_timeout = '60s'",
            )
            .await?;
        let checkpoints = subscriptions::checkpoints(&mut snapshot, &[subscription]).await?;
        let (_, checkpoint) = checkpoints.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Self { runtime: Handle::current(), snapshot: Mutex::new(snapshot), tables, checkpoint })
    }
}

/// Rows in memory over those in Postgres, or over none.
#[derive(Clone)]
pub(super) struct ReplayedRows {
    /// What the events since then have changed.
    pub(super) changed: Arc<WriteSet>,
    /// `None` where the replay begins with empty tables.
    pub(super) committed: Option<Arc<Committed>>,
}

impl ReplayedRows {
    fn index_of(&self, table: &Table) -> Result<usize, ReadError> {
        let index = self.changed.table_index(table.name().as_str());
        index.ok_or_else(|| format!("the build has no table {}", table.name()).into())
    }
}

impl RowReader for ReplayedRows {
    fn get_many(
        &mut self,
        table: &Arc<Table>,
        keys: Vec<HashedKey>,
        max_bytes: usize,
    ) -> Result<Vec<Option<Row>>, ReadError> {
        let index = self.index_of(table)?;
        let changed = &self.changed.tables()[index];
        let mut rows: Vec<Option<Row>> = keys.iter().map(|key| changed.get_hashed(key).flatten().cloned()).collect();
        let Some(committed) = &self.committed else { return Ok(rows) };
        let unknown = keys.into_iter().enumerate().filter(|(_, key)| changed.get_hashed(key).is_none());
        let (unknown, wanted): (Vec<usize>, Vec<Key>) = unknown.map(|(at, key)| (at, key.into_cells())).unzip();
        if wanted.is_empty() {
            return Ok(rows);
        }
        let found = committed.runtime.block_on(async {
            let mut snapshot = committed.snapshot.lock().await;
            committed.tables.get_many(&mut snapshot, table, &wanted, max_bytes).await.map_err(read_error)
        })?;
        for (at, row) in unknown.into_iter().zip(found) {
            rows[at] = row;
        }
        Ok(rows)
    }

    fn find(
        &mut self,
        index: &Index,
        values: &[Value],
        changed: &TableWrites,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Row>, ReadError> {
        let table = changed.table();
        let before = &self.changed.tables()[self.index_of(table)?];
        let of_before = before.find(index, values).filter(|(key, _)| changed.get(key).is_none());
        let mut found: Vec<Row> = of_before.map(|(_, row)| row.clone()).take(limit).collect();
        if let Some(committed) = &self.committed
            && found.len() < limit
        {
            let find = Find { table, index, values, limit: limit - found.len(), max_bytes };
            let is_unchanged = |row: &[Value]| {
                let key = table.key_of(row);
                before.get(&key).is_none() && changed.get(&key).is_none()
            };
            found.extend(committed.runtime.block_on(async {
                let mut snapshot = committed.snapshot.lock().await;
                committed.tables.find(&mut snapshot, &find, is_unchanged).await.map_err(read_error)
            })?);
        }
        Ok(found)
    }
}

/// Passes the inner error on, so that a caller can downcast it.
fn read_error(error: LookupError) -> ReadError {
    match error {
        LookupError::Postgres(error) => error.into(),
        LookupError::TooLarge(error) => error.into(),
    }
}
