//! Reads rows for modules.

use std::fmt::Write as _;

use futures_util::TryStreamExt;
use sqlx::{PgConnection, Row as _};

use super::{
    cells::{bind_cell, bind_column, row_from_postgres},
    statements::{parameter, select_list},
    tables::TableSet,
};
use crate::read_model::{
    table::{Index, Table},
    value::{Key, Row, Value, cells_bytes},
};

/// Rows beyond those that a search may return which it asks for at first, since some may not count.
const SPARE_ROWS: usize = 16;

/// A search of one table by an index.
#[derive(Clone, Copy, Debug)]
pub struct Find<'f> {
    /// The table.
    pub table: &'f Table,
    /// An index of it that is a B-tree.
    pub index: &'f Index,
    /// What its first columns equal.
    pub values: &'f [Value],
    /// The most rows that are returned.
    pub limit: usize,
    /// The most memory that they may take, in bytes.
    pub max_bytes: usize,
}

/// Why rows were not read.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// Postgres fails.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    /// They take more memory than allowed.
    #[error(transparent)]
    TooLarge(#[from] RowsTooLarge),
}

/// Rows take more memory than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rows take more than {max_bytes} bytes")]
pub struct RowsTooLarge {
    /// The limit in bytes.
    pub max_bytes: usize,
}

impl TableSet {
    /// The rows of a table that have these keys, in the order of the keys; `None` for a key without a row.
    ///
    /// # Errors
    /// Postgres fails, or the rows take more than `max_bytes`; reading stops there.
    pub async fn get_many(
        &self,
        connection: &mut PgConnection,
        table: &Table,
        keys: &[Key],
        max_bytes: usize,
    ) -> Result<Vec<Option<Row>>, LookupError> {
        let mut statement = sqlx::query(&self.stored(table).get_many);
        for (index, column) in table.key_columns().enumerate() {
            statement = bind_column(statement, column.column_type, keys.iter().map(|key| &key[index]));
        }
        let mut rows = vec![None; keys.len()];
        let mut budget = MemoryBudget::new(max_bytes);
        let mut answer = statement.fetch(connection);
        while let Some(found) = answer.try_next().await? {
            let number = usize::try_from(found.try_get::<i64, _>(0)?).unwrap_or_default();
            let row = row_from_postgres(&found, 1, table.columns().iter().map(|column| column.column_type))?;
            budget.take(&row)?;
            // Ordinality counts from 1.
            rows[number - 1] = Some(row);
        }
        Ok(rows)
    }

    /// The rows that a search finds, in any order, without those that do not count because somebody knows them to be changed.
    ///
    /// # Errors
    /// Postgres fails, or the rows that count take more than `max_bytes`; reading stops there.
    pub async fn find(
        &self,
        connection: &mut PgConnection,
        find: &Find<'_>,
        counts: impl Fn(&[Value]) -> bool,
    ) -> Result<Vec<Row>, LookupError> {
        let (text, parameters) = self.find_statement(find);
        let types = || find.table.columns().iter().map(|column| column.column_type);
        let mut asked_for = find.limit.saturating_add(SPARE_ROWS);
        loop {
            let mut statement = sqlx::query(&text);
            for &value in &parameters {
                statement = bind_cell(statement, value);
            }
            statement = statement.bind(i64::try_from(asked_for).unwrap_or(i64::MAX));
            let (mut rows, mut read) = (Vec::new(), 0_usize);
            let mut budget = MemoryBudget::new(find.max_bytes);
            let mut answer = statement.fetch(&mut *connection);
            while let Some(found) = answer.try_next().await? {
                read += 1;
                if rows.len() == find.limit {
                    continue;
                }
                let row = row_from_postgres(&found, 0, types())?;
                if counts(&row) {
                    budget.take(&row)?;
                    rows.push(row);
                }
            }
            if rows.len() == find.limit || read < asked_for {
                return Ok(rows);
            }
            // All attempts together read twice as many rows as the last one.
            asked_for = asked_for.saturating_mul(2);
        }
    }

    /// The statement of a search, and its parameters. The last one, how many rows it is asked for, is bound after these: so the statement is
    /// prepared once.
    pub(super) fn find_statement<'f>(&self, find: &Find<'f>) -> (String, Vec<&'f Value>) {
        let Find { table, index, values, .. } = *find;
        let mut text = format!("SELECT {} FROM {} WHERE true", select_list(table, ""), self.stored(table).name);
        let mut parameters = Vec::with_capacity(values.len());
        for (&column_index, value) in index.btree().iter().zip(values) {
            let column = &table.columns()[column_index];
            let name = column.name.quoted();
            let _ = if *value == Value::Null {
                write!(text, " AND {name} IS NULL")
            } else {
                parameters.push(value);
                write!(text, " AND {name} = {}", parameter(parameters.len(), column.column_type))
            };
        }
        let _ = write!(text, " LIMIT ${}", parameters.len() + 1);
        (text, parameters)
    }
}

/// The memory that rows may still take.
struct MemoryBudget {
    max_bytes: usize,
    left: usize,
}

impl MemoryBudget {
    fn new(max_bytes: usize) -> Self {
        Self { max_bytes, left: max_bytes }
    }

    fn take(&mut self, row: &[Value]) -> Result<(), RowsTooLarge> {
        let max_bytes = self.max_bytes;
        self.left = self.left.checked_sub(cells_bytes(row)).ok_or(RowsTooLarge { max_bytes })?;
        Ok(())
    }
}
