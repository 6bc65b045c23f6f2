//! The rows of a build as a batch finds them.

use std::sync::Arc;

use sqlx::PgPool;
use tokio::runtime::Handle;

use crate::{
    read_model::{Key, LookupError, Row, Table, TableSet, Value, WriteSet},
    runtime::{ReadError, RowReader},
};

/// The committed rows, and over them what earlier batches changed that is on its way into Postgres.
///
/// A commit that happens between two reads changes nothing: what it brings is in the layers already.
pub(super) struct BuildRows {
    pub(super) runtime: Handle,
    pub(super) pool: PgPool,
    pub(super) tables: Arc<TableSet>,
    /// Oldest first.
    pub(super) layers: Vec<Arc<WriteSet>>,
}

impl BuildRows {
    /// What the newest layer that knows says of a row; none if no layer does.
    fn in_layers(&self, place: usize, key: &[Value]) -> Option<Option<&Row>> {
        self.layers.iter().rev().find_map(|layer| layer.tables()[place].get(key))
    }

    fn place(&self, table: &Table) -> Result<usize, ReadError> {
        self.tables
            .tables()
            .position(|other| other.name() == table.name())
            .ok_or_else(|| format!("the build has no table {}", table.name()).into())
    }
}

impl RowReader for BuildRows {
    fn get_many(&mut self, table: &Arc<Table>, keys: &[Key], max_bytes: usize) -> Result<Vec<Option<Row>>, ReadError> {
        let place = self.place(table)?;
        let mut rows: Vec<Option<Row>> = vec![None; keys.len()];
        let (mut unknown, mut unknown_places) = (Vec::new(), Vec::new());
        for (index, key) in keys.iter().enumerate() {
            match self.in_layers(place, key) {
                Some(row) => rows[index] = row.cloned(),
                None => {
                    unknown.push(key.clone());
                    unknown_places.push(index);
                }
            }
        }
        if !unknown.is_empty() {
            let found = self.runtime.block_on(async {
                let mut connection = self.pool.acquire().await?;
                self.tables.get_many(&mut connection, table, &unknown, max_bytes).await.map_err(read_error)
            })?;
            for (index, row) in unknown_places.into_iter().zip(found) {
                rows[index] = row;
            }
        }
        Ok(rows)
    }

    fn find(
        &mut self,
        table: &Arc<Table>,
        index: &str,
        values: &[Value],
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Row>, ReadError> {
        let place = self.place(table)?;
        let index = table.index(index).ok_or_else(|| format!("table {} has no index {index}", table.name()))?;
        // Rows that the layers changed may be among those that Postgres finds, and drop out.
        let changed: usize = self.layers.iter().map(|layer| layer.tables()[place].keys().count()).sum();
        let mut found = self.runtime.block_on(async {
            let mut connection = self.pool.acquire().await?;
            self.tables
                .find(&mut connection, table, index, values, limit + changed, max_bytes)
                .await
                .map_err(read_error)
        })?;
        for layer in &self.layers {
            layer.tables()[place].overlay_found(index, values, &mut found);
        }
        Ok(found)
    }
}

/// Each kind of trouble as what it is, for those who ask which it was.
fn read_error(error: LookupError) -> ReadError {
    match error {
        LookupError::Postgres(error) => error.into(),
        LookupError::TooLarge(error) => error.into(),
    }
}
