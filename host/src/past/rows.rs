//! The rows over which events are folded again: in memory, and where it is asked for, over those that a build has in Postgres.

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

/// Bytes of changes from which on it is looked for rows that are deleted.
const LOOK_FROM: usize = 1 << 20;

/// The rows that a build has in Postgres, in one snapshot.
pub(crate) struct Committed {
    runtime: Handle,
    snapshot: Mutex<Transaction<'static, Postgres>>,
    tables: TableSet,
    /// The position up to which the rows have the effect of every event.
    pub(crate) checkpoint: Position,
}

impl Committed {
    /// Takes a snapshot.
    pub(crate) async fn take(
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
pub(crate) struct FoldedRows {
    /// What the events since then have changed.
    pub(crate) changed: Arc<WriteSet>,
    /// `None` where the replay begins with empty tables.
    pub(crate) committed: Option<Arc<Committed>>,
    /// The bytes of the changes when it was last looked for deleted rows.
    kept_bytes: usize,
}

impl FoldedRows {
    /// The rows of a build, or none.
    pub(crate) fn over(tables: &[Arc<Table>], committed: Option<Arc<Committed>>) -> Self {
        Self { changed: Arc::new(WriteSet::new(tables)), committed, kept_bytes: 0 }
    }

    /// Adds what events have changed.
    pub(crate) fn add(&mut self, writes: WriteSet) {
        Arc::make_mut(&mut self.changed).merge(writes);
    }

    /// Forgets which rows were deleted, where no others lie below: a row that is not there need not be remembered. It looks only when the
    /// changes have grown to twice of what they were, so that looking costs no more than changing.
    pub(super) fn forget_deleted(&mut self) {
        if self.committed.is_some() || self.changed.bytes() <= 2 * self.kept_bytes + LOOK_FROM {
            return;
        }
        let of_tables = self.changed.tables();
        if of_tables.iter().any(|table| table.deleted().next().is_some()) {
            let tables: Vec<Arc<Table>> = of_tables.iter().map(|writes| Arc::clone(writes.table())).collect();
            let mut kept = WriteSet::new(&tables);
            for (index, table) in of_tables.iter().enumerate() {
                table.written().for_each(|row| kept.put(index, row.clone()));
            }
            self.changed = Arc::new(kept);
        }
        self.kept_bytes = self.changed.bytes();
    }

    fn index_of(&self, table: &Table) -> Result<usize, ReadError> {
        let index = self.changed.table_index(table.name().as_str());
        index.ok_or_else(|| format!("the build has no table {}", table.name()).into())
    }
}

impl RowReader for FoldedRows {
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
