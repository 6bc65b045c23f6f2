//! Rows as they are before a batch.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::PgPool;
use tokio::runtime::Handle;

use super::{
    kept_rows::{KeptRows, Known},
    made_indexes::MadeIndexes,
};
use crate::{
    read_model::{Find, HashedKey, Index, LookupError, Row, Table, TableSet, TableWrites, Value, WriteSet},
    runtime::{ReadError, RowReader},
};

/// The committed rows, and over them the changes of earlier batches that are not committed yet.
///
/// A commit between two reads makes no difference: the rows that it changes are in the layers.
#[derive(Clone)]
pub(crate) struct BatchRows {
    pub(crate) runtime: Handle,
    pub(crate) pool: PgPool,
    pub(crate) tables: Arc<TableSet>,
    /// Committed rows that need not be read; `None` if all are read.
    pub(crate) kept: Option<Arc<Mutex<KeptRows>>>,
    /// The indexes that searches have made; `None` if the tables have all of theirs.
    pub(crate) made_indexes: Option<MadeIndexes>,
    /// Oldest first.
    pub(crate) layers: Vec<Arc<WriteSet>>,
}

/// What the layers make of a row.
enum LayeredRow<'l> {
    Written(&'l Row),
    Deleted,
    /// No layer changes it: it is as Postgres has it.
    Unchanged,
}

impl BatchRows {
    /// Looks a row up in the newest layer that changes it.
    fn in_layers(&self, table_index: usize, key: &HashedKey) -> LayeredRow<'_> {
        match self.layers.iter().rev().find_map(|layer| layer.tables()[table_index].get_hashed(key)) {
            Some(Some(row)) => LayeredRow::Written(row),
            Some(None) => LayeredRow::Deleted,
            None => LayeredRow::Unchanged,
        }
    }

    fn index_of(&self, table: &Table) -> Result<usize, ReadError> {
        self.tables
            .tables()
            .position(|other| other.name() == table.name())
            .ok_or_else(|| format!("there is no table {}", table.name()).into())
    }
}

impl RowReader for BatchRows {
    fn get_many(
        &mut self,
        table: &Arc<Table>,
        keys: Vec<HashedKey>,
        max_bytes: usize,
    ) -> Result<Vec<Option<Row>>, ReadError> {
        let table_index = self.index_of(table)?;
        let mut rows: Vec<Option<Row>> = vec![None; keys.len()];
        let (mut unknown_keys, mut unknown) = (Vec::new(), Vec::new());
        // Only instances that fold side by side want it at once.
        let kept = || self.kept.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner));
        let mut known = kept();
        for (index, key) in keys.into_iter().enumerate() {
            match self.in_layers(table_index, &key) {
                LayeredRow::Written(row) => rows[index] = Some(row.clone()),
                LayeredRow::Deleted => rows[index] = None,
                LayeredRow::Unchanged => {
                    match known.as_mut().map_or(Known::Unknown, |kept| kept.get(table_index, &key)) {
                        Known::Row(row) => rows[index] = Some(row.clone()),
                        Known::Absent => rows[index] = None,
                        Known::Unknown => {
                            unknown.push((index, key.hash()));
                            unknown_keys.push(key.into_cells());
                        }
                    }
                }
            }
        }
        drop(known);
        if !unknown_keys.is_empty() {
            let found = self.runtime.block_on(async {
                let mut connection = self.pool.acquire().await?;
                self.tables.get_many(&mut connection, table, &unknown_keys, max_bytes).await.map_err(read_error)
            })?;
            let mut kept = kept();
            for (((index, hash), key), row) in unknown.into_iter().zip(unknown_keys).zip(found) {
                if let (Some(kept), Some(row)) = (&mut kept, &row) {
                    kept.keep(table_index, HashedKey::hashed(hash, key), row.clone());
                }
                rows[index] = row;
            }
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
        let table_index = self.index_of(table)?;
        // Oldest first, and the changes of the batch at the end.
        let layers: Vec<&TableWrites> =
            self.layers.iter().map(|layer| &layer.tables()[table_index]).chain([changed]).collect();
        let mut found: Vec<Row> = find_before_last(&layers, index, values).take(limit).cloned().collect();
        if found.len() == limit {
            return Ok(found);
        }
        let find = Find { table, index, values, limit: limit - found.len(), max_bytes };
        let is_unchanged = |row: &[Value]| {
            let key = table.key_of(row);
            layers.iter().all(|layer| layer.get(&key).is_none())
        };
        found.extend(self.runtime.block_on(async {
            if let Some(made) = &self.made_indexes {
                made.make(&self.pool, &self.tables, table, index).await?;
            }
            let mut connection = self.pool.acquire().await?;
            self.tables.find(&mut connection, &find, is_unchanged).await.map_err(read_error)
        })?);
        Ok(found)
    }
}

/// The rows that a search finds in layers, the oldest first, and that no later one changes. In the last layer it does not search.
fn find_before_last<'l>(
    layers: &'l [&TableWrites],
    index: &'l Index,
    values: &'l [Value],
) -> impl Iterator<Item = &'l Row> {
    layers.iter().enumerate().take(layers.len() - 1).flat_map(move |(number, layer)| {
        let is_last = move |key: &[Value]| layers[number + 1..].iter().all(|later| later.get(key).is_none());
        layer.find(index, values).filter_map(move |(key, row)| is_last(key).then_some(row))
    })
}

/// Passes the inner error on, so that a caller can downcast it.
fn read_error(error: LookupError) -> ReadError {
    match error {
        LookupError::Postgres(error) => error.into(),
        LookupError::TooLarge(error) => error.into(),
    }
}
